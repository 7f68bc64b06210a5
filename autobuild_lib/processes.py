"""Independent pieces of work on all cores, in threads or in processes that end with the one that started them."""

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from multiprocessing import parent_process
from multiprocessing.context import SpawnContext, SpawnProcess
from types import TracebackType
from typing import Any, TypeVar

from autobuild_lib.progress import progress_bar
from autobuild_lib.torch_settings import one_thread

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
    when a process dies.
    """
    bar = progress_bar(total=len(arguments), desc=what, disable=not progress)
    workers = min(len(arguments), workers or cores())
    with bar, WorkerPool(max(workers, 1)) as pool:
        futures = [pool.submit(work, *each) for each in arguments]
        for future in futures:
            future.add_done_callback(lambda _: bar.update())
        try:
            return [future.result() for future in futures]
        except BrokenProcessPool:
            reason = "perhaps memory ran out, and fewer processes at once need less"
            raise BrokenProcessPool(f"{what}: a process died; {reason}") from None


class Worker(SpawnProcess):
    """A process that ends when its parent does, however that ends, and leaves interrupts to its parent."""

    def start(self) -> None:
        """Start it, and keep an interrupt for afterwards: in the middle, both processes would print where they were."""
        with _interrupts_later():
            super().start()

    def run(self) -> None:
        """Do the work that it was started for."""
        threading.Thread(target=_end_with_parent, daemon=True).start()
        signal.signal(signal.SIGINT, lambda *_: None)  # not SIG_IGN, which programs that the work starts would inherit
        _block_interrupts(False)
        super().run()


def _end_with_parent() -> None:
    if parent := parent_process():
        parent.join()
        os._exit(1)


@contextmanager
def _interrupts_later() -> Iterator[None]:
    """Hold SIGINT back; what is started meanwhile does not get it at all before it asks for it."""
    interrupts: list[int] = []
    handles = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGINT, lambda number, _: interrupts.append(number)) if handles else None
    _block_interrupts(True)
    try:
        yield
    finally:
        _block_interrupts(False)
        if handles:
            signal.signal(signal.SIGINT, before or signal.SIG_DFL)
        if interrupts:
            signal.raise_signal(signal.SIGINT)


def _block_interrupts(block: bool) -> None:
    if hasattr(signal, "pthread_sigmask"):  # not on Windows
        signal.pthread_sigmask(signal.SIG_BLOCK if block else signal.SIG_UNBLOCK, [signal.SIGINT])


class _Context(SpawnContext):
    """Starts `Worker`s, and remembers them."""

    def __init__(self) -> None:
        super().__init__()
        self.workers: list[Worker] = []

    def Process(self, *arguments: Any, **named: Any) -> Worker:  # type: ignore[override]  # noqa: N802
        self.workers.append(Worker(*arguments, **named))
        return self.workers[-1]


class WorkerPool(ProcessPoolExecutor):
    """`size` processes for a `with` block; an error in the block ends them now, whatever they are doing.

    They are new interpreters, so what is sent to them must be importable there.
    """

    def __init__(self, size: int) -> None:
        self.size, self._context = size, _Context()
        super().__init__(size, mp_context=self._context)

    def as_finished(self, work: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """Yield `work(task)` for each task as it finishes; the next task is taken when a process is free for it.

        Raises `BrokenProcessPool`, naming the tasks at work, when a process dies.
        """
        running, waiting = dict[Future[Result], Task](), iter(tasks)
        while True:
            running |= {self.submit(work, task): task for task in islice(waiting, self.size - len(running))}
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                try:
                    result = future.result()
                except BrokenProcessPool:
                    raise BrokenProcessPool(
                        f"a process died at work on {' or '.join(map(str, running.values()))}: out of memory, killed, "
                        "or the work cannot be imported there (it must be of a module, and a script needs "
                        "`if __name__ == '__main__':`)"
                    ) from None
                del running[future]
                yield result

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.shutdown(wait=error is None, cancel_futures=True)
        if error is not None:
            for worker in self._context.workers:
                if worker.is_alive():
                    worker.terminate()
