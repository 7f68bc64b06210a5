"""The one number of a claim that the table of verdicts shows, with its interval, written and drawn."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, TypeAlias

from autobuild_book.pages.executed import Executed

WRITTEN = re.compile(r"(?P<value>[-+]?\d*\.?\d+) \[(?P<low>[-+]?\d*\.?\d+), (?P<high>[-+]?\d*\.?\d+)\]")
WIDTH, HEIGHT, MARGIN = 64, 14, 5  # pixels


@dataclass(frozen=True)
class Number:
    """A number with its 95 % interval.

    name: what it is. low, high: ends of the interval, None where it is not known. bar: what it is compared with.
    """

    name: str
    value: float
    low: float | None
    high: float | None
    bar: float

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return f"{self.value:.3f}"
        digits = 2 if self.high - self.low > 0.2 else 3
        value, low, high = (f"{number:.{digits}f}" for number in (self.value, self.low, self.high))
        return f"{value} [{low}, {high}]"


Read: TypeAlias = Callable[[Executed], Number | None]


def from_check(name: str, check: str, bar: float, metric: str = "checks") -> Read:
    """Return a reader of the number and interval that stand in the text of a check whose name begins with `check`."""

    def read(executed: Executed) -> Number | None:
        for row in executed.metric(metric):
            found = WRITTEN.search(row["value"]) if str(row.get("check")).startswith(check) else None
            if found:
                value, low, high = map(float, found.group("value", "low", "high"))
                return Number(name, value, low, high, bar)
        return None

    return read


def from_estimate(name: str, metric: str, estimate: str, bar: float, place: int = 0) -> Read:
    """Return a reader of an estimate whose name holds `estimate`; of several, of the one at a place, largest first."""
    return _from_rows(name, metric, "value", bar, lambda row: estimate in row["estimate"], place)


def from_difference(name: str, metric: str, bar: float, **group: Any) -> Read:
    """Return a reader of the smallest difference in rows of a metric that have these values."""
    return _from_rows(name, metric, "difference", bar, lambda row: group.items() <= row.items(), -1)


def _from_rows(
    name: str, metric: str, column: str, bar: float, keep: Callable[[Mapping[str, Any]], bool], place: int
) -> Read:
    def read(executed: Executed) -> Number | None:
        rows = [row for row in executed.record["metrics"].get(metric, []) if keep(row) and row[column] is not None]
        if not -len(rows) <= place < len(rows):
            return None
        row = sorted(rows, key=lambda row: -row[column])[place]
        return Number(name, row[column], row["low"], row["high"], bar)

    return read


def drawing(number: Number) -> str:
    """Draw a number, its interval, and a dashed line at what it is compared with, as SVG for a page."""
    ends = [end for end in (number.low, number.high) if end is not None]
    low, high = min(number.value, number.bar, *ends), max(number.value, number.bar, *ends)

    def across(value: float) -> str:
        return f"{MARGIN + (value - low) / ((high - low) or 1) * (WIDTH - 2 * MARGIN):.1f}"

    middle, bar = HEIGHT / 2, across(number.bar)
    parts = [f'<line class="bar" x1="{bar}" x2="{bar}" y1="1" y2="{HEIGHT - 1}"></line>']
    if len(ends) == 2:
        parts.append(f'<line x1="{across(ends[0])}" x2="{across(ends[1])}" y1="{middle}" y2="{middle}"></line>')
    parts.append(f'<circle cx="{across(number.value)}" cy="{middle}" r="4"></circle>')
    label = escape(f"{number.name}: {number}; the line is at {number.bar:g}")
    return (
        f'<svg class="interval" role="img" aria-label="{label}" xmlns="http://www.w3.org/2000/svg" '
        f'width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">{"".join(parts)}</svg>'
    )
