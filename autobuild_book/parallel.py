"""Independent pieces of work on all cores, in threads or in processes."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from autobuild_lib.processes import WorkerPool
from autobuild_lib.progress import progress_bar
from autobuild_lib.torch_settings import one_thread
from autobuild_lib.values import integer

Task = TypeVar("Task")
Result = TypeVar("Result")


def cores() -> int:
    """Return how many processor cores this process may use: on a cluster, fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_threads(work: Callable[[Task], Result], tasks: Sequence[Task], what: str) -> list[Result]:
    """Return `work(task)` for each of the tasks, in their order, from one thread per core.

    For work that PyTorch or NumPy does, and that is too short to start processes for.
    """
    with one_thread(), ThreadPoolExecutor(cores()) as pool:
        return list(progress_bar(pool.map(work, tasks), desc=what, total=len(tasks), delay=2))


def in_processes(
    work: Callable[..., Result],
    arguments: Sequence[tuple[Any, ...]],
    what: str,
    workers: int | None = None,
    progress: bool = True,
) -> list[Result]:
    """Return `work(*each)` for each of the arguments, in their order, from `workers` processes (default: one per core).

    `what` stands before the progress bar. Everything passed must be fit for another process. Raises `BrokenProcessPool`
    when a process dies, and `ValueError` for fewer than one worker.
    """
    workers = cores() if workers is None else integer(workers, "workers", 1)
    bar = progress_bar(total=len(arguments), desc=what, disable=not progress)
    with bar, WorkerPool(max(min(len(arguments), workers), 1)) as pool:
        futures = [pool.submit(work, *each) for each in arguments]
        for future in futures:
            future.add_done_callback(lambda _: bar.update())
        try:
            return [future.result() for future in futures]
        except BrokenProcessPool:
            reason = "perhaps memory ran out, and fewer processes at once need less"
            raise BrokenProcessPool(f"{what}: a process died; {reason}") from None
