"""Answers to exercises: reading them in any usual form, and saying what is right or wrong about them."""

import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from autobuild_lib.targets import Target

Array = npt.NDArray[np.float64]
EMPTY = "There is no answer yet: put yours in place of the three dots (...), run that cell, then run this one again."
TOLERANCE = 0.005  # of the largest number: three digits are enough


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


def require(condition: object, hint: str) -> None:
    """Raise `AnswerError` with the hint unless the condition holds."""
    if not condition:
        raise AnswerError(hint)


def given(answer: Any) -> Any:
    """Return an answer; raises `AnswerError` where it is still the three dots, or None."""
    require(answer is not ... and answer is not None, EMPTY)
    return answer


def numbers(answer: Any, count: int, keys: Sequence[object] = ()) -> Array:
    """Read `count` numbers from a list, tuple, array, Series, tensor or single number, or from a dict by `keys`.

    Raises `AnswerError` for anything else, for another count, and for numbers that are not finite.
    """
    values = _flat(given(answer), keys)
    require(
        len(values) == count,
        f"This exercise asks for {count} {'numbers' if count > 1 else 'number'}; your answer has {len(values)}.",
    )
    bad = np.flatnonzero(~np.isfinite(values))
    require(not len(bad), f"Your answer holds {values[bad[0]] if len(bad) else ''}, which is not a finite number.")
    return values


def _flat(answer: Any, keys: Sequence[object]) -> Array:
    if isinstance(answer, Tensor):
        answer = answer.detach().cpu().numpy()
    if isinstance(answer, Mapping):
        known = {str(key): value for key, value in answer.items()}
        missing = [str(key) for key in keys if str(key) not in known]
        require(keys, "Give numbers in a list rather than a dictionary.")
        require(not missing, f"Your dictionary needs the keys {', '.join(map(str, keys))}.")
        answer = [known[str(key)] for key in keys]
    if isinstance(answer, Sequence) and not isinstance(answer, str):
        require(not any(item is ... or item is None for item in answer), EMPTY)
        answer = [item.detach().cpu().numpy() if isinstance(item, Tensor) else item for item in answer]
    try:
        values = np.asarray(answer)
        require(values.dtype.kind not in "cSU", f"{answer!r} is not a number or a list of numbers.")
        return values.astype(np.float64).ravel()
    except (TypeError, ValueError):
        raise AnswerError(f"{_short(answer)} is not a number or a list of numbers.") from None


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
    wanted = np.asarray(right, np.float64).ravel()
    if close(answer, wanted, tolerance):
        return Right(praise)
    for mistake in mistakes:
        if close(answer, np.asarray(mistake.numbers, np.float64).ravel(), tolerance):
            raise AnswerError(mistake.hint)
    place = int(np.argmax(~_near(answer, wanted, tolerance)))
    which = f"Number {place + 1} of {len(wanted)}" if len(wanted) > 1 else "Your number"
    raise AnswerError(f"{which}, {answer[place]:.6g}, is too {'low' if answer[place] < wanted[place] else 'high'}.")


def close(answer: Array, wanted: Array, tolerance: float = TOLERANCE) -> bool:
    """Say whether two rows of numbers agree within `tolerance` of the largest of `wanted`."""
    return answer.shape == wanted.shape and bool(_near(answer, wanted, tolerance).all())


def _near(answer: Array, wanted: Array, tolerance: float) -> npt.NDArray[np.bool_]:
    return np.asarray(np.abs(answer - wanted) <= tolerance * np.abs(wanted).max() + 1e-12)


def call(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a student's function; an error in it becomes an `AnswerError` that names the arguments.

    Warnings are not shown: nbgrader gives no points to a check that writes to stderr.
    """
    require(callable(given(function)), f"{_short(function)} is not a function.")
    shown = f"{getattr(function, '__name__', 'your function')}({', '.join(map(_short, arguments))})"
    try:
        with warnings.catch_warnings(action="ignore"):
            result = function(*arguments)
    except Exception as error:  # whatever a student's code may raise
        raise AnswerError(f"{shown} raised {type(error).__name__}: {error}") from error
    require(result is not ..., EMPTY)
    require(result is not None, f"{shown} returned None. Does your function end with return?")
    return result


def equation(answer: Any) -> Target:
    """Read a target equation: a `Target` or its text."""
    if isinstance(given(answer), Target):
        return answer  # type: ignore[no-any-return]
    require(isinstance(answer, str), f"{_short(answer)} is not an equation: write it as text, in quotes.")
    try:
        return Target(answer)
    except ValueError as error:
        raise AnswerError(f"The library cannot read this equation: {error}") from None


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
