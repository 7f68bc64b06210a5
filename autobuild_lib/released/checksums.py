"""Checksums of downloaded files, as `checksums.json` beside them records them when they come."""

import hashlib
import re
from pathlib import Path

from autobuild_lib.storage import read_json

LOCK_NAME = "checksums.json"
SHA256 = re.compile(r"[0-9a-f]{64}")


class ChecksumError(OSError):
    """A file is not the one that was expected."""


def sha256_of(path: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_checksums(folder: Path) -> dict[str, str]:
    """Read the record of a folder, file name -> sha256: empty if there is none, `ValueError` for a malformed one."""
    path = Path(folder) / LOCK_NAME
    entries = read_json(path, "a list of checksums") if path.is_file() else {}
    if not all(SHA256.fullmatch(str(value)) for value in entries.values()):
        raise ValueError(f"{path}: allowed is one object of file names and sha256 checksums in hexadecimal")
    return {name: str(value) for name, value in entries.items()}


def verify(path: Path) -> None:
    """Raise `ChecksumError` for a file that is not as its record says; one without a record passes."""
    recorded = read_checksums(path.parent).get(path.name)
    if recorded is not None and (present := sha256_of(path)) != recorded:
        raise ChecksumError(f"{path}: sha256 {present}; allowed: {recorded}, as recorded in {path.parent / LOCK_NAME}")
