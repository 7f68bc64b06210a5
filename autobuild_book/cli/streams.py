"""Standard output and error of a command, whose work goes on when nobody reads them."""

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, TextIO


class _Stream(io.FileIO):
    """Output that never fails: the first failure is kept, and what follows is dropped."""

    failure: OSError | None = None

    def write(self, content: Any) -> int:
        if self.failure is None:
            try:
                return super().write(content)
            except OSError as error:
                self.failure = error
        return memoryview(content).nbytes


@contextmanager
def lasting_output() -> Iterator[Callable[[], OSError | None]]:
    """Let a command print inside a `with` block without failing there, also where a stream is closed.

    Gives a function that returns why standard output was not written whole, None where it was; a reader that has gone,
    such as `head`, is no reason.
    """
    before = sys.stdout, sys.stderr
    with ExitStack() as kept:
        sys.stdout, sys.stderr = (
            _lasting(stream, ours, kept) for stream, ours in zip(before, (sys.__stdout__, sys.__stderr__), strict=True)
        )
        try:
            yield lambda out=sys.stdout: _failure(out)  # type: ignore[misc]
        finally:
            sys.stdout, sys.stderr = before


def _lasting(stream: TextIO | None, ours: TextIO | None, kept: ExitStack) -> TextIO:
    """Return output like the process's own that never fails; output that is redirected inside it stays as it is."""
    if stream is None:
        return kept.enter_context(open(os.devnull, "w", encoding="utf-8"))
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    if stream is not ours:
        stream.reconfigure(errors="backslashreplace")  # for paths that are not text
        return stream
    with suppress(OSError):
        stream.flush()
    raw = io.BufferedWriter(_Stream(stream.fileno(), "w", closefd=False))
    text = io.TextIOWrapper(raw, stream.encoding, "backslashreplace", line_buffering=stream.line_buffering)
    return kept.enter_context(text)


def _failure(output: TextIO) -> OSError | None:
    output.flush()
    raw = getattr(getattr(output, "buffer", None), "raw", None)
    failure = raw.failure if isinstance(raw, _Stream) else None
    return None if isinstance(failure, BrokenPipeError) else failure
