"""Measured rows in a CSV file: what a row is, and how rows are written, checked and read."""

import csv
import functools
import io
import logging
from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar, get_type_hints

from autobuild_lib import values
from autobuild_lib.spaces import SequenceSpace, SpaceError
from autobuild_lib.store import GrowingFile

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Row:
    """A row of texts and numbers; `ASKED` names the columns that say what was asked for."""

    ASKED: ClassVar[tuple[str, ...]] = ()

    @property
    def key(self) -> tuple[Any, ...]:
        """What was asked for; the same as that of the job that makes the row."""
        return tuple(getattr(self, name) for name in self.ASKED)


@dataclass(frozen=True)
class Measurement(Row):
    """A row about an architecture (text); `ASKED` names what else was asked for."""

    architecture: str

    @property
    def key(self) -> tuple[Any, ...]:
        """The architecture, and what else was asked for."""
        return self.architecture, *super().key


R = TypeVar("R", bound=Row)


@dataclass(frozen=True)
class RowFormat(Generic[R]):
    """How rows of one kind are kept in a CSV file; numbers are exact.

    Numbers are finite, and whole numbers not negative. `space` is that of the architectures, where rows are about some,
    `fractions` are columns whose numbers lie in [0, 1], `positive` those whose numbers are not negative.
    """

    kind: type[R]
    space: SequenceSpace | None = None
    fractions: Collection[str] = ()
    positive: Collection[str] = ("seconds",)

    @functools.cached_property
    def columns(self) -> dict[str, type]:
        """Names, and for each `str`, `int` or `float`."""
        hints = get_type_hints(self.kind)
        return {f.name: hints[f.name] for f in fields(self.kind)}

    def write(self, rows: Iterable[R]) -> str:
        """Return rows as the text of a file."""
        return _text([list(self.columns), *map(self._cells, rows)])

    def _cells(self, row: R) -> list[Any]:
        return [getattr(row, name) for name in self.columns]

    def append(self, path: Path, row: R) -> None:
        """Add a row, with the header to an empty file, in place of what a kill has left of a last line."""
        file = GrowingFile(path)
        path.touch()
        head = [] if list(file.read()) else [list(self.columns)]
        file.append(_text([*head, self._cells(row)]))

    def read(self, path: Path) -> list[R]:
        """Read rows, the first of each key; anything wrong but a torn last line is a `ValueError`.

        Rows that are there again, and the header, are left by processes of older versions that wrote at once.
        """
        file = GrowingFile(path)
        try:
            complete = b"\n".join(line for _, line in file.read()).decode("utf-8")
            lines = list(csv.reader(complete.splitlines(), strict=True))
        except (UnicodeDecodeError, csv.Error) as error:
            raise ValueError(f"{path}: not a CSV in UTF-8 ({error})") from None
        torn, expected = file.rest.decode("utf-8", errors="replace"), ",".join(self.columns)
        header = lines[0] if lines else torn.split(",")
        if header != list(self.columns) and not (complete == "" and expected.startswith(torn)):
            raise ValueError(f"{path}: header {','.join(header)[:200]!r}; expected {expected}")
        rows: dict[Hashable, R] = {}
        for number, cells in enumerate(lines[1:], start=2):
            if cells != header:
                row = self._read_row(f"{path}, row {number}", cells)
                rows.setdefault(row.key, row)
        if repeated := len(lines) - 1 - len(rows):
            logger.warning("%s: %d rows are there again, the first of each counts", path, repeated)
        return list(rows.values())

    def _read_row(self, where: str, cells: Sequence[str]) -> R:
        if len(cells) != len(self.columns):
            raise ValueError(f"{where}: {len(cells)} cells; expected {','.join(self.columns)}")
        named = zip(self.columns, cells, strict=True)
        row = self.kind(**{name: self._checked(f"{where}: {name}", name, cell) for name, cell in named})
        if self.space is not None and isinstance(row, Measurement):
            try:
                self.space.parse(row.architecture)
            except SpaceError as error:
                raise ValueError(f"{where}: {error}") from None
        return row

    def _checked(self, what: str, name: str, value: object) -> Any:
        """Return the value of a column, which is a text when it comes from a file."""
        kind = self.columns[name]
        if kind is str:
            return value
        if kind is int:
            return values.integer(value, what, 0, text=True)
        number = values.finite(value, what, text=True)
        if name in self.fractions and not 0 <= number <= 1:
            values.refuse(value, what, "numbers from 0 to 1")
        if name in self.positive and number < 0:
            values.refuse(value, what, "numbers from 0 on")
        return number

    def check(self, row: R) -> R:
        """Return a row; a number that cannot be is a `ValueError`."""
        for name in self.columns:
            self._checked(f"{name} of {', '.join(map(str, row.key))}", name, getattr(row, name))
        return row


def _text(rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
