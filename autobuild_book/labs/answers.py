"""Answers to exercises: reading them in any usual form, or saying which form is asked for."""

import functools
import itertools
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ParamSpec

import numpy as np
import pandas as pd
from torch import Tensor

from autobuild_book.labs.notebooks import Undefined
from autobuild_book.labs.verdicts import AnswerError, Array, Right, require
from autobuild_lib.targets import Target
from autobuild_lib.values import boolean, integer, reals, shown

EMPTY = "There is no answer yet: put yours in place of the three dots (...), run that cell, then run this one again."
UNKNOWN = "cannot be checked here"  # what a hint says that knows no reason
MOST = 100_000  # things in an answer

P = ParamSpec("P")


def check(function: Callable[P, Right]) -> Callable[P, Right]:
    """Make a check end in a `Right` or an `AnswerError` whatever it is given."""

    @functools.wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> Right:
        missing = [value.name for value in (*args, *kwargs.values()) if isinstance(value, Undefined)]
        require(
            not missing,
            f"There is no {' and no '.join(missing)}: run the cell that makes it, under this name.",
            "empty",
        )
        try:
            return function(*args, **kwargs)
        except AnswerError:
            raise
        except Exception as error:  # of an answer, or of what a cell before it made, that nobody thought of
            shape = f"{shown(args[1] if len(args) > 1 else ...)} {UNKNOWN}"
            raise AnswerError(
                f"{shape}. Is every cell before it answered, in the form that its text asks for?"
            ) from error

    return checked


def filled_in(answer: Any) -> Any:
    """Return an answer; raises `AnswerError` where it is still the three dots, or None."""
    require(answer is not ... and answer is not None, EMPTY, "empty")
    return answer


def numbers(answer: Any, count: int, keys: Sequence[object] = ()) -> Array:
    """Read `count` numbers from a list, tuple, array, Series, tensor or single number, or from a dict by `keys`.

    Raises `AnswerError` for anything else, for another count, and for numbers that are not finite.
    """
    values = read_numbers(answer, keys)
    require(
        len(values) == count,
        f"This exercise asks for {count} {'numbers' if count > 1 else 'number'}; your answer has {len(values)}.",
        "count",
    )
    bad = np.flatnonzero(~np.isfinite(values))
    require(
        not len(bad), f"Your answer holds {values[bad[0]] if len(bad) else ''}, which is not a finite number.", "form"
    )
    return values


def read_numbers(answer: Any, keys: Sequence[object] = ()) -> Array:
    """Read however many numbers an answer has, in any form that `numbers` takes; other answers are an `AnswerError`."""
    answer = filled_in(answer)
    if isinstance(answer, Mapping):
        by_text = {key if isinstance(key, str) else shown(key): value for key, value in answer.items()}
        require(keys, "Give numbers in a list rather than a dictionary.", "form")
        missing = [str(key) for key in keys if str(key) not in by_text]
        require(not missing, f"Your dictionary needs the keys {', '.join(map(str, keys))}.", "form")
        answer = [by_text[str(key)] for key in keys]
    try:
        plain = _plain(answer)
        leaves = np.array(plain if isinstance(plain, list | np.ndarray) else [plain], dtype=object).ravel()
        require(not any(leaf is ... or leaf is None for leaf in leaves), EMPTY, "empty")
        return reals(leaves, "your answer")
    except AnswerError:
        raise
    except Exception:  # whatever an odd object may raise
        raise AnswerError(f"{shown(answer)} is not a number or a list of numbers.", "form") from None


def _plain(value: Any) -> Any:
    """Lists in place of tensors, arrays and tables, also within lists."""
    if isinstance(value, Tensor):
        return value.detach().cpu().tolist()
    if isinstance(value, pd.DataFrame | pd.Series | pd.Index):
        value = value.to_numpy()
    if isinstance(value, np.ndarray):
        return value.tolist() if value.dtype.kind in "iufO" else value.astype(object)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        require(len(value) <= MOST, f"Your answer holds more than {MOST:,} things.", "form")
        return [_plain(item) for item in value]
    return value


def listed(answer: Any, hint: str) -> list[Any]:
    """Return the things in a list, or in anything else that can be gone through; else the hint is an `AnswerError`."""
    try:
        things = list(itertools.islice(filled_in(answer), MOST + 1))
    except AnswerError:
        raise
    except Exception:  # whatever an odd object may raise
        raise AnswerError(f"{hint} Yours is {shown(answer)}.", "form") from None
    require(not any(thing is ... or thing is None for thing in things), EMPTY, "empty")
    require(len(things) <= MOST, f"Your answer holds more than {MOST:,} things.", "form")
    return things


def call(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a student's function; an error in it becomes an `AnswerError` that names the arguments.

    Warnings are not shown: nbgrader gives no points to a check that writes to stderr.
    """
    require(
        callable(filled_in(function)), f"{shown(function)} is not a function: give its name, without brackets.", "form"
    )
    name = getattr(function, "__name__", None)
    called = f"{name if isinstance(name, str) else 'your function'}({', '.join(map(shown, arguments))})"
    try:
        with warnings.catch_warnings(action="ignore"):
            result = function(*arguments)
    except (Exception, SystemExit) as error:  # whatever a student's code may raise
        raise AnswerError(f"{called} raised {_reason(error)}", "error") from error
    require(result is not ..., EMPTY, "empty")
    require(result is not None, f"{called} returned None. Does your function end with return?", "no return")
    return result


def truth(value: Any, hint: str) -> bool:
    """Read true or false, also as 1 or 0; anything else is an `AnswerError` that begins with the hint."""
    try:
        return boolean(value, "it") if isinstance(value, bool | np.bool_) else bool(integer(_plain(value), "it", 0, 1))
    except Exception:  # whatever an odd object may raise
        raise AnswerError(f"{hint} {shown(value)}; True or False is asked for.", "form") from None


def equation(answer: Any) -> Target:
    """Read a target equation: a `Target` or its text."""
    if isinstance(filled_in(answer), Target):
        return answer  # type: ignore[no-any-return]
    require(isinstance(answer, str), f"{shown(answer)} is not an equation: write it as text, in quotes.", "form")
    try:
        return Target(answer)
    except ValueError as error:
        raise AnswerError(f"The library cannot read this equation: {error}", "form") from None


def evaluated(target: Target, labels: pd.DataFrame) -> Array:
    """Return a target of rows of labels, [N]; an equation that cannot be evaluated is an `AnswerError`."""
    try:
        return target.evaluate(labels)
    except ValueError as error:
        raise AnswerError(f"The equation cannot be evaluated: {error}", "form") from None


def instance(value: Any, kind: type, description: str) -> None:
    """Raise `AnswerError` unless an answer is of a kind; the description ends "This should be"."""
    require(isinstance(filled_in(value), kind), f"{shown(value)} is not {description}.", "form")


def _reason(error: BaseException) -> str:
    try:
        text = str(error).strip().partition("\n")[0]
    except Exception:  # an odd error
        text = ""
    return f"{type(error).__name__}: {text}"
