"""Files of benchmarks and released caches: whether they are here, and as they were published."""

import functools
from collections.abc import Iterable
from pathlib import Path

from autobuild_lib import data
from autobuild_lib.data.files import MOST_BYTES
from autobuild_lib.data.published import remedy
from autobuild_lib.released.checksums import sha256_of

HERE = "here"


def is_damaged(path: Path, sha256: str | None) -> bool:
    """Return whether a file that is here is another one than the checksum says, or cannot be read; None: any will do.

    A file is read once, until its size or its time of change is another; one that is too large is not read at all.
    """
    if sha256 is None:
        return False
    try:
        status = path.stat()
        return status.st_size > MOST_BYTES or _sha256(path, status.st_size, status.st_mtime_ns) != sha256
    except OSError:
        return True


@functools.lru_cache(maxsize=1000)
def _sha256(path: Path, size: int, changed: int) -> str:
    return sha256_of(path)


def fault(name: str, files: Iterable[str]) -> str:
    """Say which of some files of a benchmark is missing or damaged, and what to do; "" where all are as published.

    Raises `ModuleNotFoundError` and `DataError` as `data.find_benchmark` does.
    """
    paths = {data.find_benchmark(name, file): data.benchmarks()[name].files[file]["sha256"] for file in files}
    if not all(path.is_file() for path in paths):
        return f"not here: {remedy(name)}"
    damaged = [path.name for path, sha256 in paths.items() if is_damaged(path, sha256)]
    return f"damaged, {', '.join(damaged)}: {remedy(name)}" if damaged else ""
