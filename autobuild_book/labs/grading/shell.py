"""Cells run as Jupyter would run them, without Jupyter."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from autobuild_lib.extras import extra

with extra("book"):
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config


def quiet_shell(folder: Path) -> Any:
    """Return a shell that keeps its files in `folder`, and no history."""
    os.environ |= {"IPYTHONDIR": str(folder), "MPLBACKEND": "Agg"}
    settings = Config()
    settings.HistoryManager.enabled = False
    return InteractiveShell(config=settings)  # type: ignore[no-untyped-call]


def run(shell: Any, code: str, seconds: float | None = None) -> Any:
    """Run a cell; return its value, or the error that ended it, which may be that its seconds are over."""
    with _limited(seconds):
        result = shell.run_cell(code, store_history=False)
    return result.error_before_exec or result.error_in_exec or result.result


@contextmanager
def _limited(seconds: float | None) -> Iterator[None]:
    """Raise `TimeoutError` in the block after some seconds, where the system has such alarms."""
    if seconds is None or not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGALRM, _stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    except TimeoutError:  # it came between the cell and its end
        pass
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _stop(*_: object) -> None:
    raise TimeoutError("this cell has run for too long")
