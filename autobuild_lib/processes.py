"""Processes that end with the one that started them, for independent pieces of work."""

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from multiprocessing import parent_process
from multiprocessing.context import SpawnContext, SpawnProcess
from types import TracebackType
from typing import Any, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")
CAUSES = ("out of memory, killed, or the work cannot be imported there (it must be of a module, and a script needs "
          "`if __name__ == '__main__':`)")  # fmt: skip


class Worker(SpawnProcess):
    """A process that ends when its parent does, and leaves interrupts to it."""

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
    """`size` new interpreters for a `with` block; an error in the block ends them now, whatever they are doing."""

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
                    at_work = " or ".join(map(str, running.values()))
                    raise BrokenProcessPool(f"a process died at work on {at_work}: {CAUSES}") from None
                del running[future]
                yield result

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.shutdown(wait=error is None, cancel_futures=True)
        if error is not None:
            for worker in self._context.workers:
                if worker.is_alive():
                    worker.terminate()
