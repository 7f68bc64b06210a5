"""Files written whole, so that readers see the old or the new one; JSON read strictly; locks for what is written."""

import glob
import itertools
import json
import math
import os
import re
import shutil
import sys
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

if sys.platform != "win32":
    import fcntl

PARTIAL = ".partial"  # after the name of what is being written
MOST_BYTES = 1 << 28  # of JSON that is read
DEEPEST = 100  # objects and lists inside each other
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')


def replace_bytes(path: Path, content: bytes) -> None:
    """Write a file, and its folder; readers see the old or the new one, never a part, also after a power loss."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished(path, Path.touch) as partial:
            with partial.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None


def replace_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8, as `replace_bytes` does."""
    replace_bytes(path, text.encode("utf-8"))


def json_text(value: Any, indent: int | None = 1) -> str:
    """Return a value, also with arrays and tensors, as JSON that every program reads: numbers not finite are null."""
    return json.dumps(_plain(value), indent=indent, allow_nan=False)


def replace_json(path: Path, value: Any) -> None:
    """Write a value as a JSON file, as `replace_bytes` and `json_text` do."""
    replace_text(path, json_text(value) + "\n")


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def read_json(
    path: Path | str, what: str = "a JSON object", error: type[ValueError] = ValueError, nan_as_null: bool = False
) -> dict[str, Any]:
    """Read the object in a JSON file (UTF-8) that should be `what`; `nan_as_null` reads NaN and Infinity as null.

    Raises `error`, with the file and what is wrong, for anything else: more than `MOST_BYTES`, NaN or infinity, whole
    numbers beyond all floats, a key given twice, nesting deeper than `DEEPEST`; and `OSError` where nothing is read.
    """
    try:
        if (size := Path(path).stat().st_size) > MOST_BYTES:
            raise ValueError(f"{size:,} bytes; at most {MOST_BYTES:,} are read")
        content = parse_json(Path(path).read_bytes().decode("utf-8-sig"), nan_as_null)
        if not isinstance(content, dict):
            kinds = {type(None): "null", list: "a list", str: "a text", bool: str(content).lower()}
            raise ValueError(f"it holds {kinds.get(type(content), 'a number')}, not an object")
    except UnicodeDecodeError as reason:
        raise error(f"{path}: not {what} (not UTF-8 at byte {reason.start:,})") from None
    except ValueError as reason:
        raise error(f"{path}: not {what} ({reason})") from None
    return content


def parse_json(text: str, nan_as_null: bool = False) -> Any:
    """Read a JSON text as `read_json` does, of any type; `ValueError` names the line, the key or the number."""
    constant = (lambda _: None) if nan_as_null else _refuse
    brackets = re.findall(r"[\[\]{}]", _TEXT.sub("", text)) if sum(map(text.count, "[{")) > DEEPEST else []
    if max(itertools.accumulate(1 if bracket in "[{" else -1 for bracket in brackets), default=0) > DEEPEST:
        raise ValueError(f"nested deeper than {DEEPEST}")
    return json.loads(text, object_pairs_hook=_object, parse_int=_whole, parse_float=_number, parse_constant=constant)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        ((twice, _),) = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"key {twice!r:.60} is there twice")
    return entries


def _whole(text: str) -> int:
    return _refuse(text) if len(text.lstrip("-")) > 308 else int(text)  # digits of the largest floats


def _number(text: str) -> float:
    return number if math.isfinite(number := float(text)) else _refuse(text)


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text:.20} is not a finite float")


@contextmanager
def unfinished(path: Path, make: Callable[[Path], None]) -> Iterator[Path]:
    """Give a new file or folder beside `path`, locked while it is written; it goes unless it has been moved away.

    What killed writers of the same path have left is removed. make: creates the empty file or folder.
    """
    remove_abandoned(path.parent, f"{glob.escape(path.name)}{PARTIAL}*")
    partial, held = path, -1
    while held < 0:  # another may take what is not locked yet for abandoned
        partial = path.with_name(f"{path.name}{PARTIAL}{uuid.uuid4().hex[:16]}")
        make(partial)
        held = _lock(partial)
    try:
        yield partial
    finally:
        _remove(partial)
        os.close(held)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder until the block, or the process, ends; wait for others who do, where the system has such locks."""
    held = _lock(folder)
    try:
        yield
    finally:
        if held >= 0:
            os.close(held)


def remove_abandoned(folder: Path, pattern: str) -> None:
    """Remove the unfinished files and folders of a pattern whose writers, which lock them, are gone."""
    for path in folder.glob(pattern):
        with suppress(OSError):  # locked by its writer, or gone
            held = _lock(path, wait=False)
            _remove(path)
            os.close(held)


def _lock(path: Path, wait: bool = True) -> int:
    """Return an open descriptor that locks a path, -1 when the path is gone; `OSError` when others hold it."""
    if sys.platform == "win32":  # has no such locks
        if not wait:
            raise OSError(f"{path}: nobody knows who writes it")
        return os.open(os.devnull, os.O_RDONLY)
    try:
        held = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return -1
    try:
        fcntl.flock(held, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        if not wait:
            os.close(held)
            raise
    if path.exists():
        return held
    os.close(held)
    return -1


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
