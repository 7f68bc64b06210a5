"""What files look like after a kill: a piece of work is stopped for good before each of its file operations in turn."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

OPERATIONS = (
    (os, "open"), (os, "close"), (os, "fsync"), (os, "replace"), (os, "rename"), (os, "unlink"), (os, "remove"),
    (os, "mkdir"), (os, "rmdir"), (shutil, "rmtree"),
    (Path, "open"), (Path, "touch"), (Path, "unlink"), (Path, "mkdir"), (Path, "rename"), (Path, "replace"),
    (Path, "write_bytes"), (Path, "write_text"), (Path, "iterdir"), (Path, "glob"),
)  # fmt: skip
MOST = 10_000  # operations of a piece of work


class _Kill:
    """Counts file operations; the given one does not happen, and none does after it, clean-ups neither."""

    def __init__(self, number: int) -> None:
        self.left = number
        self.descriptors: set[int] = set()

    def guard(self, operation: Callable[..., Any], name: str) -> Callable[..., Any]:
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if name == "close" and args[0] not in self.descriptors:
                return operation(*args)  # of something else, which happens to be collected meanwhile
            self.left -= 1
            if self.left < 0:
                raise SystemExit("killed")
            result = operation(*args, **kwargs)
            if name == "open" and isinstance(result, int):
                self.descriptors.add(result)
            if name == "close":
                self.descriptors.discard(args[0])
            return result

        return guarded

    def let_go(self) -> None:
        """Close what the work held open, as the system does at the end of a process."""
        for descriptor in self.descriptors:
            with suppress(OSError):
                os.close(descriptor)


def run_and_kill(work: Callable[[], object], number: int) -> bool:
    """Run a piece of work up to its file operation of this number (from 0); return whether it came that far."""
    kill = _Kill(number)
    with ExitStack() as stack:
        for module, name in OPERATIONS:
            stack.enter_context(patch.object(module, name, kill.guard(getattr(module, name), name)))
        with suppress(SystemExit):
            work()
    kill.let_go()
    return kill.left < 0


def killed_at_each_point(work: Callable[[], object]) -> Iterator[int]:
    """Kill a piece of work before its first, second, ... file operation, giving the number each time; then do it whole.

    The caller looks at what is left, and puts things back, between one and the next.
    """
    for number in range(MOST):
        if not run_and_kill(work, number):
            return
        yield number
    raise AssertionError(f"more than {MOST:,} file operations")
