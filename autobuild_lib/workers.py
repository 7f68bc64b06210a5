"""Processes that end with the one that started them, and leave interrupts to it."""

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import parent_process
from multiprocessing.context import SpawnContext, SpawnProcess
from types import TracebackType
from typing import Any


class Worker(SpawnProcess):
    """A process that ends when the one that started it does, however that ends.

    An interrupt is for its parent to handle.
    """

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
        self._context = _Context()
        super().__init__(size, mp_context=self._context)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.shutdown(wait=error is None, cancel_futures=True)
        if error is not None:
            for worker in self._context.workers:
                if worker.is_alive():
                    worker.terminate()
