"""Locks that say who holds them."""

import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from autobuild_lib.storage import json_text, read_json


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
