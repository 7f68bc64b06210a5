"""The one reader of JSON: an object of bounded size and depth, with numbers that are numbers and no key twice."""

import json
import math
import re
from collections import Counter
from pathlib import Path
from typing import Any, NoReturn

MOST_BYTES = 1 << 28
DEEPEST = 100  # objects and lists inside each other
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')


class _UnusableError(Exception):
    """What JSON allows and nothing here can use; `pattern` finds it in the text."""

    def __init__(self, reason: str, pattern: str) -> None:
        super().__init__(reason)
        self.pattern = pattern


def read_json(
    path: Path | str,
    what: str = "a JSON object",
    error: type[ValueError] = ValueError,
    nan_as_null: bool = False,
) -> dict[str, Any]:
    """Read the object in a JSON file (UTF-8).

    Args:
        path: the file.
        what: what it should be, for messages.
        error: what to raise for a file that is not.
        nan_as_null: whether NaN and Infinity, which Python writes, are read as null, a number that is not known.

    Raises:
        ValueError, or the given `error`: for anything else, for more than `MOST_BYTES`, NaN or infinity, whole numbers
            beyond all floats, a key given twice, nesting deeper than `DEEPEST`; it names file and line.
        OSError: the file cannot be read.
    """
    try:
        found = parse_json(_text_of(Path(path)), nan_as_null)
        if not isinstance(found, dict):
            raise ValueError(f"it holds {_kind(found)}, not an object")
    except ValueError as reason:
        raise error(f"{path}: not {what} ({reason})") from None
    return found


def _text_of(path: Path) -> str:
    if (size := path.stat().st_size) > MOST_BYTES:
        raise ValueError(f"{size:,} bytes; at most {MOST_BYTES:,} are read")
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at byte {error.start:,}") from None


def parse_json(text: str, nan_as_null: bool = False) -> Any:
    """Read a JSON text as `read_json` does, of any type; `ValueError` names the line."""
    constant = (lambda _: None) if nan_as_null else _refuse
    try:
        found = json.loads(
            text, object_pairs_hook=_object, parse_int=_whole, parse_float=_number, parse_constant=constant
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"{_line(text, error.pos)}column {error.colno}: {error.msg}") from None
    except _UnusableError as error:
        raise ValueError(f"{_place(text, error.pattern)}{error}") from None
    except RecursionError:
        raise ValueError(f"nested deeper than {DEEPEST}") from None
    _check_depth(found)
    return found


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        ((twice, _),) = Counter(key for key, _ in pairs).most_common(1)
        raise _UnusableError(f"key {twice!r:.60} is there twice", f"{re.escape(json.dumps(twice))}\\s*:")
    return found


def _whole(text: str) -> int:
    if len(text.lstrip("-")) > 308:  # digits of the largest floats
        _refuse(text)
    return int(text)


def _number(text: str) -> float:
    if not math.isfinite(number := float(text)):
        _refuse(text)
    return number


def _refuse(text: str) -> NoReturn:
    raise _UnusableError(f"{text:.20} is not a finite float", re.escape(text))


def _place(text: str, pattern: str) -> str:
    """Say in which line a pattern is, for the last of its places, outside texts unless it is one."""
    if not pattern.startswith('"'):
        text = _TEXT.sub(lambda found: " " * len(found[0]), text)
    places = [found.start() for found in re.finditer(pattern, text)]
    return _line(text, places[-1]) if places else ""


def _line(text: str, place: int) -> str:
    """Say in which line a place is, if there are several."""
    return f"line {text.count(chr(10), 0, place) + 1}, " if "\n" in text else ""


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(DEEPEST + 1):
        level = [part for each in level if isinstance(each, (dict, list)) for part in _parts(each)]
        if not level:
            return
    raise ValueError(f"nested deeper than {DEEPEST}")


def _parts(value: dict[str, Any] | list[Any]) -> list[Any]:
    return [part for part in (value.values() if isinstance(value, dict) else value) if isinstance(part, (dict, list))]


def _kind(value: Any) -> str:
    return {type(None): "null", list: "a list", str: "a text", bool: str(value).lower()}.get(type(value), "a number")
