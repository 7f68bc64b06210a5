"""Finished work in files that only grow, a line each; a kill spoils none of it."""

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

logger = logging.getLogger(__name__)


class GrowingFile:
    """Lines that are only added: a kill costs the one that was being written, which `append` removes.

    is_torn: says whether what stands behind the last end of a line is nothing, or what a kill has left of a line.
    """

    def __init__(self, path: Path, is_torn: Callable[[bytes], bool] = lambda rest: True) -> None:
        self.path, self.rest = path, b""
        self._is_torn, self._bytes, self._lines = is_torn, 0, 0  # read so far

    def read(self) -> Iterator[tuple[int, bytes]]:
        """Yield lines since the last call, each with its number from 1; the next call begins with one that was refused.

        A last line that only lacks its end is read too, and again when it has one.
        """
        with self.path.open("rb") as file:
            if os.fstat(file.fileno()).st_size < self._bytes:
                raise ValueError(f"{self.path}: became shorter while it was in use")
            file.seek(self._bytes)
            *complete, self.rest = file.read().split(b"\n")
        for line in complete:
            yield self._lines + 1, line
            self._bytes, self._lines = self._bytes + len(line) + 1, self._lines + 1
        if not self._is_torn(self.rest):
            yield self._lines + 1, self.rest

    def append(self, text: str) -> None:
        """Add lines, which are on the disk then. Only for who has read the whole file, and keeps others from adding."""
        with self.path.open("ab", buffering=0) as file:
            is_torn = self._is_torn(self.rest)
            if is_torn and self.rest:
                file.truncate(self._bytes)
                logger.warning("%s: removed %d bytes of a last line that was never finished", self.path, len(self.rest))
            content = ("" if is_torn else "\n").encode() + text.encode()
            if file.write(content) != len(content):
                raise OSError(f"{self.path}: could not be written to its end; is the disk full?")
            os.fsync(file.fileno())
        self.rest = b""
