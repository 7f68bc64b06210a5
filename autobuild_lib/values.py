"""Numbers and options as users give them (of Python, NumPy, pandas, PyTorch, YAML), and errors that show the value."""

import math
import operator
import re
import reprlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
import pandas as pd

Array = npt.NDArray[np.float64]
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?inf(inity)?", re.ASCII | re.IGNORECASE)
MISSING = ("", "na", "nan", "n/a", "null", "none", "<na>")  # texts, in lower case, for a number that is not there
MALFORMED = (AttributeError, IndexError, KeyError, OverflowError, RuntimeError, TypeError, ValueError)  # of content
MOST_SEED = 2**63 - 1
MOST_CHARACTERS, MOST_REASON = 60, 2000  # of a value in an error, and of a whole one
SHORT = reprlib.Repr()
SHORT.maxlevel, SHORT.maxstring, SHORT.maxlong, SHORT.maxother = 2, MOST_CHARACTERS, MOST_CHARACTERS, MOST_CHARACTERS


def real(value: object, what: str, *, text: bool = False) -> float:
    """Return one real number of any library, or with `text` of a text; NaN for a missing one (None, `NA`, masked).

    Anything else (truth values, complex numbers, times) is a `ValueError`, in which `what` names the value.
    """
    plain = _plain(value, text)
    if plain is None:
        return math.nan
    if not _is_number(plain):
        refuse(value, what, "numbers")
    try:
        return float(plain)
    except (OverflowError, ValueError):  # a whole number of many digits, a signalling NaN
        refuse(value, what, "numbers below 1.8e308")


def finite(value: object, what: str, *, text: bool = False) -> float:
    """Return one finite number, read as `real` does."""
    number = real(value, what, text=text)
    if not math.isfinite(number):
        refuse(value, what, "finite numbers")
    return number


def integer(
    value: object, what: str, minimum: int | None = None, maximum: int | None = None, *, text: bool = False
) -> int:
    """Return one whole number within bounds, which are allowed themselves; 2.0 is whole, 2.5 is not."""
    plain = _plain(value, text)
    number = None
    with suppress(OverflowError, ValueError):  # not finite
        number = int(plain) if _is_number(plain) else None
    low, high = (-math.inf if minimum is None else minimum), (math.inf if maximum is None else maximum)
    if number is None or number != plain or not low <= number <= high:
        words = (("from", minimum), ("to", maximum))
        least, most = ("" if bound is None else f" {word} {bound:,}" for word, bound in words)
        refuse(value, what, f"whole numbers{least}{most or (least and ' on')}")
    return number


def boolean(value: object, what: str, *, text: bool = False) -> bool:
    """Return one truth value, of Python, NumPy, or an array or tensor of one; as a text, "true" or "false"."""
    plain = _plain(value, False)
    if text and isinstance(plain, str) and (word := plain.strip().lower()) in ("true", "false"):
        return word == "true"
    if not isinstance(plain, bool | np.bool_):
        refuse(value, what, "true and false")
    return bool(plain)


def reals(values: Any, what: str | Callable[[int], str], *, text: bool = False) -> Array:
    """Return a row of real numbers [N], each read as `real` does, from any iterable; what is none is a `ValueError`.

    what: names the row in the error, or names the number at a place (a function of the place, from 0).
    """
    name = what if callable(what) else lambda place: f"{what}[{place}]"
    row = what(0) if callable(what) else what
    if isinstance(values, np.ndarray) and not isinstance(values, np.ma.MaskedArray) and values.dtype.kind in "iuf":
        numbers = np.array(values, dtype=np.float64)
    elif isinstance(values, pd.Series) and values.dtype.kind in "iuf":
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
    else:
        numbers = np.array([real(value, name(i), text=text) for i, value in enumerate(_row(values, row))], np.float64)
    if numbers.ndim != 1:
        refuse(values, row, "rows of numbers")
    return numbers


@contextmanager
def naming(
    where: str, kind: type[ValueError] = ValueError, caught: tuple[type[Exception], ...] = (ValueError,)
) -> Iterator[None]:
    """Turn an error that is raised inside into one of a kind, in one line that begins with the place."""
    try:
        yield
    except caught as error:
        reason = ("there is no " if isinstance(error, KeyError) else "") + " ".join(str(error).split())
        raise kind(": ".join(filter(None, (where, reason[:MOST_REASON])))) from None


def refuse(value: object, what: str, allowed: str) -> NoReturn:
    """Raise the error of a value: one line that shows it, what it is for, and what is allowed."""
    hint = ""  # what keeps a text from being a number, where that is seen
    if isinstance(value, str) and NUMBER.fullmatch(value.strip().replace(",", ".", 1)):
        hint = " with a decimal comma" if "," in value else ", a text"
    raise ValueError(f"{what} is {shown(value)}{hint}; allowed are {allowed}")


def shown(value: object) -> str:
    """Write a value in one short line."""
    try:
        text = " ".join(SHORT.repr(value).split())
    except Exception:  # an odd object, or a number of too many digits
        text = f"of type {type(value).__name__}"
    return text if len(text) <= 2 * MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}..."


def _is_number(value: object) -> bool:
    not_meant = isinstance(value, bool | np.bool_ | np.timedelta64)  # the last is an integer to NumPy
    return isinstance(value, Real | Decimal) and not not_meant


def _plain(value: Any, text: bool) -> Any:
    """Return what is within an array or tensor of one, None for what is missing, and a text's number if asked for."""
    if value is None or value is pd.NA or (np.ma.isMaskedArray(value) and value.mask.all()):
        return None
    if hasattr(value, "__array__") and not hasattr(value, "item"):
        value = np.asarray(value)
    if hasattr(value, "shape") and hasattr(value, "item") and getattr(value.dtype, "kind", "") not in ("m", "M"):
        if math.prod(value.shape) != 1:
            return value
        try:
            value = value.item()
        except (RuntimeError, TypeError, ValueError):  # a tensor without content
            return value
        return _plain(value, text) if value is None or value is pd.NA or isinstance(value, str) else value
    return _read(value) if text and isinstance(value, str) else value


def _read(text: str) -> Any:
    """Return a text's number, None for one that stands for a missing number, and any other text itself."""
    bare = text.strip()
    if bare.lower() in MISSING:
        return None
    if len(bare) > MOST_CHARACTERS or not NUMBER.fullmatch(bare):
        return text
    return int(bare) if bare.lstrip("+-").isdecimal() else float(bare)


def _row(values: Any, name: str) -> Iterable[Any]:
    if hasattr(values, "detach"):  # a tensor
        values = values.tolist()
    with suppress(TypeError):  # a 0-d array or tensor
        if isinstance(values, Iterable) and not isinstance(values, str | bytes):
            return list(values)
    refuse(values, name, "rows of numbers")


@dataclass(frozen=True)
class Option:
    """What an option may be; `minimum` and `maximum` are allowed themselves, `above` is not."""

    kind: type
    text: str  # what the option means
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    choices: tuple[str, ...] = ()

    def read(self, name: str, value: object) -> Any:
        """Return a value as the option's kind; `ValueError` for one that is not allowed."""
        if self.choices:
            if not isinstance(value, str) or str(value) not in self.choices:
                raise ValueError(f"{name}={shown(value)}; choose from {', '.join(self.choices)}")
            return str(value)
        if self.kind is bool:
            return boolean(value, name, text=True)
        if self.kind is int:
            bounds = (None if bound is None else int(bound) for bound in (self.minimum, self.maximum))
            return integer(value, name, *bounds, text=True)
        number = real(value, name, text=True)
        tests = {"from": operator.ge, "above": operator.gt, "up to": operator.le}
        words = zip(tests.items(), (self.minimum, self.above, self.maximum), strict=True)
        limits = [(word, bound, holds) for (word, holds), bound in words if bound is not None]
        if not math.isfinite(number) or not all(holds(number, bound) for _, bound, holds in limits):
            refuse(value, name, "".join(["finite numbers", *(f" {word} {bound:g}" for word, bound, _ in limits)]))
        return number


def read_fields(configuration: object, options: Mapping[str, Option]) -> None:
    """Read every field of a frozen dataclass that stands in the table of options, in place."""
    for name, option in options.items():
        object.__setattr__(configuration, name, option.read(name, getattr(configuration, name)))


def read_seed(seed: object) -> int:
    """Return a seed: a whole number from 0, in any form of a number."""
    return integer(seed, "seed", 0, MOST_SEED)
