"""Finished work in files that only grow, a line each, and locks that say who holds them; kills spoil neither."""

import logging
import os
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from autobuild_lib.storage import json_text, read_json

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


@contextmanager
def held(lock: Path, what: str) -> Iterator[None]:
    """Hold a lock file for the length of a `with` block; `what` is in use then.

    Raises `BlockingIOError`, at once, if another process holds it; the message says which one, where and since when.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    holder, lock_file = lock.with_name(f"{lock.name}.json"), FileLock(lock, timeout=0)
    try:
        lock_file.acquire()
    except Timeout:
        raise BlockingIOError(f"{what} is in use by {_holder(holder)}; let it end, or end it") from None
    here = {"pid": os.getpid(), "host": platform.node(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}
    try:
        holder.write_text(json_text(here), encoding="utf-8")
        yield
    finally:
        for path in (holder, lock):  # before it is free: the file of another process may stand there afterwards
            with suppress(OSError):
                path.unlink()
        lock_file.release()


def _holder(path: Path) -> str:
    with suppress(OSError, ValueError, KeyError, TypeError):
        record = read_json(path)
        return f"process {record['pid']} on {record['host']} since {record['since']}"
    return "another process"
