"""Zip files: written so that equal contents give equal bytes, and read as if a stranger had made them."""

import hashlib
import io
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

EPOCH = (1980, 1, 1, 0, 0, 0)  # of every file that is written
MOST_FILES, MOST_BYTES = 10_000, 1 << 31  # of one that is read, unpacked
_CHUNK = 1 << 20
# What zipfile raises for a damaged file; NotImplementedError is for a way of packing that it does not know.
UNREADABLE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, IndexError, NotImplementedError, RuntimeError)
_LEADS_OUT = re.compile(r"^/|\\|:|(^|/)\.{0,2}(/|$)")  # absolute, of Windows, or with an empty part, a dot or two


def zipped(folder: str, files: Mapping[str, bytes], first: str = "") -> bytes:
    """Return a zip of files in a folder ("": in none); the same files make the same bytes.

    first: a file that comes before all others, and is not packed, for programs that look for it at its place.
    """
    buffer, place = io.BytesIO(), f"{folder}/" if folder else ""
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(files, key=lambda name: (name != first, name)):
            entry = zipfile.ZipInfo(f"{place}{name}", EPOCH)
            entry.compress_type = zipfile.ZIP_STORED if name == first else zipfile.ZIP_DEFLATED
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            archive.writestr(entry, files[name])
    return buffer.getvalue()


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip file to read it; what cannot be read, also inside of the block, is a `ValueError` of one line."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except UNREADABLE as error:
        raise ValueError(f"{path}: cannot be read as a zip file ({error})") from None


def refusals(archive: zipfile.ZipFile) -> list[str]:
    """Return a line for each reason not to read a zip file, from its list of files alone.

    Refused are names that lead out of it or stand there twice, links, folders and other special files, what is
    encrypted or packed in a rare way, and more than `MOST_FILES` files or `MOST_BYTES` bytes unpacked.
    """
    members = archive.infolist()
    if len(members) > MOST_FILES:
        return [f"{len(members):,} files; at most {MOST_FILES:,} are read"]
    if (size := sum(member.file_size for member in members)) > MOST_BYTES:
        return [f"{size:,} bytes unpacked; at most {MOST_BYTES:,} are read"]
    names = [member.filename.casefold() for member in members]
    twice = {name for name in names if names.count(name) > 1} if len(set(names)) < len(names) else set()
    lines = [f"{shown(name)}: is there more than once" for name in sorted(twice)]
    return lines + [f"{shown(member.filename)}: {reason}" for member in members if (reason := _reason(member))]


def shown(name: str) -> str:
    """Return a name as a line can hold it."""
    return name if name.isprintable() else repr(name)[1:-1]


def _reason(member: zipfile.ZipInfo) -> str:
    """Say why a file of a zip is not read; "" for one that is."""
    mode = member.external_attr >> 16
    if member.filename.endswith("/"):
        return "is a folder; folders come with their files"
    if _LEADS_OUT.search(member.filename) or not member.filename.isprintable():
        return "its name leads out of the archive, or is none"
    if stat.S_ISLNK(mode):
        return "is a symbolic link"
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return "is a special file"
    if member.flag_bits & 1:
        return "is encrypted"
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "is packed in a way that is not read"
    return ""


def sha256_within(archive: zipfile.ZipFile, name: str) -> str:
    """Return the sha256 of an unpacked file; "damaged" for one that cannot be unpacked."""
    whole = hashlib.sha256()
    try:
        with archive.open(name) as file:
            while chunk := file.read(_CHUNK):
                whole.update(chunk)
    except UNREADABLE:
        return "damaged"
    return whole.hexdigest()
