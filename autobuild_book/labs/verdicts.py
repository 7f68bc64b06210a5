"""What a check says: right, or a hint that names a mistake only where no other one computes the same answer."""

import itertools
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
TOLERANCE = 0.005  # of the largest number: three digits are enough
EXACT = 1e-5  # of the largest number: how exactly a mistake that was not rounded is met
NOISE = 5e-7  # of the largest number: how exactly single precision meets the right numbers
ANY_EXERCISE = {
    "sign": "The sign is the other way round.",
    "percent": "That is 100 times as much: no percent here.",
    "fraction": "That is a hundredth: a fraction where percent are asked for.",
    "reversed": "The numbers stand in reverse order.",
    "sorted": "You sorted the numbers: leave them in the order of the question.",
    "other order": "Your numbers are right, and stand in another order: leave them in that of the question.",
}  # hints for mistakes that fit any exercise
FEWEST_DIGITS = 2  # of a number that is compared with mistakes, where it is rounded


class AnswerError(AssertionError):
    """An answer that is missing or wrong; the text is a hint, `mistake` the name of the mistake, "" if unknown."""

    def __init__(self, hint: str, mistake: str = "") -> None:
        super().__init__(hint)
        self.mistake = mistake

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
    """A usual mistake: its name, and the numbers that it leads to.

    group: names mistakes that may lead to the same numbers, and are told apart only where they do not.
    """

    name: str
    numbers: npt.ArrayLike
    group: str = ""

    @property
    def row(self) -> Array:
        """The numbers in one row."""
        return np.asarray(self.numbers, np.float64).ravel()


def require(condition: object, hint: str, mistake: str = "") -> None:
    """Raise `AnswerError` with the hint unless the condition holds."""
    if not condition:
        raise AnswerError(hint, mistake)


def compare(
    answer: Array,
    right: npt.ArrayLike,
    praise: str,
    mistakes: Sequence[Mistake] = (),
    hints: Mapping[str, str] = MappingProxyType({}),
    tolerance: float = TOLERANCE,
    places: Sequence[str] = (),
) -> Right:
    """Return `Right(praise)` for numbers [n] that agree with `right`; explain any others by the mistake behind them.

    A mistake may lead close to the right numbers, as medians to means: an answer that has its digits is not right.

    hints: what to say, by the name of the mistake. tolerance: of the largest of the right numbers. places: what the
    numbers are called in a hint about one of them.
    """
    exact = np.asarray(right, np.float64).ravel()
    every_hint, of_any_exercise = ANY_EXERCISE | dict(hints), [*_of_any_exercise(exact)]
    if close(answer, exact, tolerance):
        name = name_of_mistake(answer, _nearer(answer, exact, [*mistakes, *of_any_exercise]))
        require(not name, every_hint.get(name, ""), name)
        return Right(praise)
    digits = int(np.ceil(-np.log10(tolerance)))
    require(
        not _is_rounded(answer, exact),
        f"Rounded so much, right and wrong look alike: give at least {digits} digits.",
        "rounded",
    )
    for candidates in (mistakes, of_any_exercise):
        if name := name_of_mistake(answer, candidates):
            raise AnswerError(every_hint[name], name)
    raise AnswerError(_first_wrong(answer, exact, tolerance, places))


def name_of_mistake(answer: Array, mistakes: Sequence[Mistake]) -> str:
    """Name the mistake, or group of them, that computes the answer, within rounding; "" if none does, or several do."""
    slack = _rounding(answer)
    fewest = FEWEST_DIGITS if slack < 0.5 else FEWEST_DIGITS + 1  # whole numbers may be guesses
    if np.abs(answer).max() < 2 * slack * 10 ** (fewest - 1):
        slack = 0.0  # too few digits: only numbers that are so short themselves
    fitting = [mistake for mistake in mistakes if mistake.row.shape == answer.shape and _meets(answer, mistake, slack)]
    for names in ({mistake.name for mistake in fitting}, {mistake.group for mistake in fitting}):
        if len(names) == 1:
            return names.pop()
    return ""


def apart(right: npt.ArrayLike, mistakes: Sequence[Mistake]) -> bool:
    """Say whether the right numbers and mistakes can be told apart after rounding, but for mistakes of one group."""
    exact = np.asarray(right, np.float64).ravel()
    pairs = itertools.combinations(mistakes, 2)
    return not any(close(exact, mistake.row, 0.03) for mistake in mistakes) and not any(
        (first.group or first.name) != (second.group or second.name) and close(first.row, second.row, 0.005)
        for first, second in pairs
    )


def close(answer: Array, exact: Array, tolerance: float = TOLERANCE) -> bool:
    """Say whether two rows of numbers agree within `tolerance` of the largest of `exact`."""
    return answer.shape == exact.shape and bool(_near(answer, exact, tolerance).all())


def _near(answer: Array, exact: Array, tolerance: float) -> npt.NDArray[np.bool_]:
    return np.asarray(np.abs(answer - exact) <= tolerance * np.abs(exact).max() + 1e-12)


def _meets(answer: Array, mistake: Mistake, slack: float) -> bool:
    limit = max(slack, EXACT * np.abs(mistake.row).max()) + 1e-12
    return bool((np.abs(answer - mistake.row) <= limit).all())


def _nearer(answer: Array, exact: Array, mistakes: Sequence[Mistake]) -> list[Mistake]:
    """Return the mistakes that an answer is three times nearer to than to the right numbers, unless those explain it.

    Rounded to the decimals that were written, or computed in single precision, the right numbers are right.
    """
    if _is_rounded(answer, exact) or close(answer, exact, NOISE):
        return []
    distance = np.abs(answer - exact).max()
    shaped = [mistake for mistake in mistakes if mistake.row.shape == answer.shape]
    return [mistake for mistake in shaped if 3 * np.abs(answer - mistake.row).max() < distance]


def _decimals(answer: Array) -> int:
    """How many decimals were written."""
    return -min(0, *(int(Decimal(repr(number)).normalize().as_tuple().exponent) for number in answer.tolist()))


def _rounding(answer: Array) -> float:
    """Half a unit of the last decimal that was written."""
    return 0.5 * 10.0 ** -_decimals(answer) * (1 + 1e-9)


def _is_rounded(answer: Array, exact: Array) -> bool:
    """Say whether rounding to the decimals that were written makes the answer; halves go up, or to even numbers."""
    if answer.shape != exact.shape or not answer.any() or (exact == np.round(exact)).all():
        return False
    scale = 10.0 ** _decimals(answer)
    whole = (np.floor(exact * scale + 0.5 + 1e-9), np.round(exact * scale))
    return any(bool((np.abs(answer - each / scale) < 1e-9 / scale).all()) for each in whole)


def _of_any_exercise(right: Array) -> Iterator[Mistake]:
    yield Mistake("sign", -right)
    yield Mistake("percent", 100 * right)
    yield Mistake("fraction", right / 100)
    if len(right) > 2:
        yield Mistake("reversed", right[::-1], "other order")
        yield Mistake("sorted", np.sort(right), "other order")


def _first_wrong(answer: Array, exact: Array, tolerance: float, places: Sequence[str]) -> str:
    wrong = np.flatnonzero(~_near(answer, exact, tolerance))
    first = int(wrong[0])
    which = f"Number {first + 1} of {len(exact)}" if len(exact) > 1 else "Your number"
    which = places[first] if places else which
    level = "low" if answer[first] < exact[first] else "high"
    rest = " All others are right." if len(wrong) == 1 < len(exact) else ""
    return f"{which}, {answer[first]:.6g}, is too {level}.{rest}"
