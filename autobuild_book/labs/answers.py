"""Answers to exercises: reading them in any usual form, and saying what is right or wrong about them."""

import functools
import itertools
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ParamSpec

import numpy as np
import numpy.typing as npt
import pandas as pd
from torch import Tensor

from autobuild_lib.targets import Target
from autobuild_lib.values import boolean, integer, reals, shown

Array = npt.NDArray[np.float64]
EMPTY = "There is no answer yet: put yours in place of the three dots (...), run that cell, then run this one again."
TOLERANCE = 0.005  # of the largest number: three digits are enough
MOST = 100_000  # things in an answer

P = ParamSpec("P")


class AnswerError(AssertionError):
    """An answer that is missing or wrong; the text is a hint."""

    def _render_traceback_(self) -> list[str]:
        """Let Jupyter show the hint alone, without the lines of the library that found it."""
        return [f"Not yet. {self}"]


@dataclass(frozen=True)
class Right:
    """What a check returns for a right answer; a notebook shows the text."""

    text: str

    def __repr__(self) -> str:
        return f"Correct. {self.text}"

    def _ipython_display_(self) -> None:
        """Let Jupyter print the text: in the *value* of a check, nbgrader would look for a number of points."""
        sys.stdout.write(f"{self!r}\n")


@dataclass(frozen=True)
class Mistake:
    """A usual mistake: the numbers that it leads to, and a hint for whoever made it."""

    numbers: npt.ArrayLike
    hint: str


def check(function: Callable[P, Right]) -> Callable[P, Right]:
    """Make a check end in a `Right` or an `AnswerError` whatever it is given."""

    @functools.wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> Right:
        try:
            return function(*args, **kwargs)
        except AnswerError:
            raise
        except Exception as error:  # of an answer, or of what a cell before it made, that nobody thought of
            raise AnswerError(
                f"This cannot be checked ({_reason(error)}). Is every cell before it answered?"
            ) from error

    return checked


def require(condition: object, hint: str) -> None:
    """Raise `AnswerError` with the hint unless the condition holds."""
    if not condition:
        raise AnswerError(hint)


def filled_in(answer: Any) -> Any:
    """Return an answer; raises `AnswerError` where it is still the three dots, or None."""
    require(answer is not ... and answer is not None, EMPTY)
    return answer


def numbers(answer: Any, count: int, keys: Sequence[object] = ()) -> Array:
    """Read `count` numbers from a list, tuple, array, Series, tensor or single number, or from a dict by `keys`.

    Raises `AnswerError` for anything else, for another count, and for numbers that are not finite.
    """
    values = read_numbers(answer, keys)
    require(
        len(values) == count,
        f"This exercise asks for {count} {'numbers' if count > 1 else 'number'}; your answer has {len(values)}.",
    )
    bad = np.flatnonzero(~np.isfinite(values))
    require(not len(bad), f"Your answer holds {values[bad[0]] if len(bad) else ''}, which is not a finite number.")
    return values


def read_numbers(answer: Any, keys: Sequence[object] = ()) -> Array:
    """Read however many numbers an answer has, in any form that `numbers` takes; other answers are an `AnswerError`."""
    answer = filled_in(answer)
    if isinstance(answer, Mapping):
        by_text = {key if isinstance(key, str) else shown(key): value for key, value in answer.items()}
        require(keys, "Give numbers in a list rather than a dictionary.")
        missing = [str(key) for key in keys if str(key) not in by_text]
        require(not missing, f"Your dictionary needs the keys {', '.join(map(str, keys))}.")
        answer = [by_text[str(key)] for key in keys]
    try:
        plain = _plain(answer)
        leaves = np.array(plain if isinstance(plain, list | np.ndarray) else [plain], dtype=object).ravel()
        require(not any(leaf is ... or leaf is None for leaf in leaves), EMPTY)
        return reals(leaves, "your answer")
    except AnswerError:
        raise
    except Exception:  # whatever an odd object may raise
        raise AnswerError(f"{shown(answer)} is not a number or a list of numbers.") from None


def _plain(value: Any) -> Any:
    """Lists in place of tensors, arrays and tables, also within lists."""
    if isinstance(value, Tensor):
        return value.detach().cpu().tolist()
    if isinstance(value, pd.DataFrame | pd.Series | pd.Index):
        value = value.to_numpy()
    if isinstance(value, np.ndarray):
        return value.tolist() if value.dtype.kind in "iufO" else value.astype(object)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        require(len(value) <= MOST, f"Your answer holds more than {MOST:,} things.")
        return [_plain(item) for item in value]
    return value


def listed(answer: Any, hint: str) -> list[Any]:
    """Return the things in a list, or in anything else that can be gone through; else the hint is an `AnswerError`."""
    try:
        things = list(itertools.islice(filled_in(answer), MOST + 1))
    except AnswerError:
        raise
    except Exception:  # whatever an odd object may raise
        raise AnswerError(f"{hint} Yours is {shown(answer)}.") from None
    require(not any(thing is ... or thing is None for thing in things), EMPTY)
    require(len(things) <= MOST, f"Your answer holds more than {MOST:,} things.")
    return things


def compare(
    answer: Array,
    right: npt.ArrayLike,
    praise: str,
    mistakes: Sequence[Mistake] = (),
    tolerance: float = TOLERANCE,
) -> Right:
    """Return `Right(praise)` for numbers [n] that agree with `right`; explain any others by the mistake behind them.

    tolerance: of the largest of the right numbers. Numbers of no known mistake get a hint that names the first wrong.
    """
    exact = np.asarray(right, np.float64).ravel()
    if close(answer, exact, tolerance):
        return Right(praise)
    for mistake in mistakes:
        if close(answer, np.asarray(mistake.numbers, np.float64).ravel(), tolerance):
            raise AnswerError(mistake.hint)
    place = int(np.argmax(~_near(answer, exact, tolerance)))
    which = f"Number {place + 1} of {len(exact)}" if len(exact) > 1 else "Your number"
    raise AnswerError(f"{which}, {answer[place]:.6g}, is too {'low' if answer[place] < exact[place] else 'high'}.")


def close(answer: Array, exact: Array, tolerance: float = TOLERANCE) -> bool:
    """Say whether two rows of numbers agree within `tolerance` of the largest of `exact`."""
    return answer.shape == exact.shape and bool(_near(answer, exact, tolerance).all())


def _near(answer: Array, exact: Array, tolerance: float) -> npt.NDArray[np.bool_]:
    return np.asarray(np.abs(answer - exact) <= tolerance * np.abs(exact).max() + 1e-12)


def call(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a student's function; an error in it becomes an `AnswerError` that names the arguments.

    Warnings are not shown: nbgrader gives no points to a check that writes to stderr.
    """
    require(callable(filled_in(function)), f"{shown(function)} is not a function.")
    name = getattr(function, "__name__", None)
    called = f"{name if isinstance(name, str) else 'your function'}({', '.join(map(shown, arguments))})"
    try:
        with warnings.catch_warnings(action="ignore"):
            result = function(*arguments)
    except (Exception, SystemExit) as error:  # whatever a student's code may raise
        raise AnswerError(f"{called} raised {_reason(error)}") from error
    require(result is not ..., EMPTY)
    require(result is not None, f"{called} returned None. Does your function end with return?")
    return result


def truth(value: Any, hint: str) -> bool:
    """Read true or false, also as 1 or 0; anything else is an `AnswerError` that begins with the hint."""
    try:
        return boolean(value, "it") if isinstance(value, bool | np.bool_) else bool(integer(_plain(value), "it", 0, 1))
    except Exception:  # whatever an odd object may raise
        raise AnswerError(f"{hint} {shown(value)}; True or False is asked for.") from None


def equation(answer: Any) -> Target:
    """Read a target equation: a `Target` or its text."""
    if isinstance(filled_in(answer), Target):
        return answer  # type: ignore[no-any-return]
    require(isinstance(answer, str), f"{shown(answer)} is not an equation: write it as text, in quotes.")
    try:
        return Target(answer)
    except ValueError as error:
        raise AnswerError(f"The library cannot read this equation: {error}") from None


def _reason(error: BaseException) -> str:
    try:
        text = str(error).strip().partition("\n")[0]
    except Exception:  # an odd error
        text = ""
    return f"{type(error).__name__}: {text}"
