"""What must hold for every hostile input: a value, or an error of one line, soon, in little memory, nothing else."""

import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

SECONDS = 10.0  # of the processor, for one input
MEGABYTES = 600
LONGEST = 2500  # characters of a message


class TooLong(BaseException):
    """An input took more than its time."""


def problem(work: Callable[[], object], folder: Path) -> str:
    """Do a piece of work that may only touch `folder`; say what is wrong with how it ends, "" if nothing is."""
    before, memory, started = listed(folder), peak(), time.process_time()
    found = ""
    try:
        with limited():
            work()
    except (ValueError, OSError) as error:
        text = str(error)
        if "\n" in text or not text or len(text) > LONGEST:
            found = f"a message that is not one line: {type(error).__name__}: {text[:200]!r} ({len(text)} characters)"
    except TooLong:
        found = f"more than {SECONDS:g} seconds"
    except BaseException as error:
        found = f"{type(error).__name__}: {str(error)[:200]}"
    if not found and (seconds := time.process_time() - started) > SECONDS:
        found = f"{seconds:.1f} seconds"
    if not found and peak() - memory > MEGABYTES:
        found = f"{peak() - memory:.0f} MB"
    if not found and (new := listed(folder) - before):
        found = f"it left {', '.join(sorted(new))}"
    return found


def peak() -> float:
    """The most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def listed(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@contextmanager
def limited() -> Iterator[None]:
    def stop(_: int, __: FrameType | None) -> None:
        raise TooLong

    old = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, 2 * SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, old)


def size(usual: int) -> int:
    """How many inputs of a kind: AUTOBUILD_CAMPAIGN times as many as usual."""
    return usual * int(os.environ.get("AUTOBUILD_CAMPAIGN", "1"))
