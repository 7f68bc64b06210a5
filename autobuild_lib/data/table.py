"""Tables of evaluated architectures: rows of (architecture, labels) in one search space."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_lib.spaces import Architecture, SequenceSpace
from autobuild_lib.targets import Target
from autobuild_lib.values import naming, reals, refuse, shown

ARCHITECTURE = "architecture"  # the column that is no label
DUPLICATES = ("refuse", "mean")


class DataError(ValueError):
    """Data that cannot be used; the text names the source, the row, the value and what is allowed."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Labelled(ABC):
    """Rows with labels; what a row is, a subclass says."""

    ROW_FIELDS: ClassVar[tuple[str, ...]] = ()  # each holds one value per row; the first is what a predictor takes

    labels: pd.DataFrame  # a column per label; NaN where a number is missing
    rows: tuple[int, ...]  # the number of each row in the source, as errors give it
    noise_free: pd.DataFrame | None = None  # the same columns before noise was added, where that is known
    kind: str = "yours"  # or "surrogate", "released", "measured here", "benchmark"
    source: str = "records"
    sha256: str = ""  # of the rows
    part: str = "all"  # which rows of the source these are

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def inputs(self) -> tuple[Any, ...]:
        """What a predictor takes."""
        return getattr(self, self.ROW_FIELDS[0])  # type: ignore[no-any-return]

    @abstractmethod
    def texts(self) -> list[str]:
        """Return for each row the name of its space or family, and the text of its network."""

    def digests(self) -> list[str]:
        """Return 12 digits for each row that say which network it is about, whatever file it came from."""
        return [hashlib.sha256(text.encode()).hexdigest()[:12] for text in self.texts()]

    def take(self, rows: npt.ArrayLike) -> Self:
        """Return the given rows, in that order."""
        index = np.asarray(rows, dtype=np.intp)
        noise_free = None if self.noise_free is None else self.noise_free.iloc[index].reset_index(drop=True)
        labels = self.labels.iloc[index].reset_index(drop=True)
        tuples = {name: tuple(getattr(self, name)[i] for i in index) for name in ("rows", *self.ROW_FIELDS)}
        return replace(self, labels=labels, noise_free=noise_free, **tuples)  # type: ignore[arg-type]

    def evaluate(self, target: Target) -> npt.NDArray[np.float64]:
        """Return the target of each row, [N]; a `DataError` names the source and its rows, whatever part this is."""
        if missing := [self.rows[place] for place in np.flatnonzero(self._is_missing(target))]:
            rows = ", ".join(map(str, missing[:5])) + (", ..." if len(missing) > 5 else "")
            where = f"{self.source}: target {target}: labels are missing in {len(missing)} of {len(self)} rows: {rows}"
            raise DataError(f"{where}; leave them out with table.complete(target), or --drop-missing")
        with naming(self.source, DataError):
            return target.evaluate(self.labels.set_axis(self.rows))

    def complete(self, target: Target | str) -> Self:
        """Return the rows in which no label of a target is missing; none is a `DataError`."""
        equation = target if isinstance(target, Target) else Target(target)
        kept = np.flatnonzero(~self._is_missing(equation))
        if not len(kept):
            raise DataError(f"{self.source}: target {equation}: labels are missing in all {len(self)} rows")
        return self if len(kept) == len(self) else self.take(kept)

    def _is_missing(self, target: Target) -> pd.Series:
        return self.labels[[name for name in target.labels if name in self.labels]].isna().any(axis=1)

    def split(self, fraction: float = 0.9, seed: int = 12345) -> tuple[Self, Self]:
        """Split at random into `fraction` of the rows and the rest, without overlap."""
        if not 0 < fraction < 1 or not 1 <= round(fraction * len(self)) < len(self):
            raise DataError(f"{self.source}: cannot split {len(self)} rows at {fraction}: both parts need a row")
        order = np.random.default_rng(seed).permutation(len(self))
        parts = zip(("train", "test"), np.split(order, [round(fraction * len(self))]), strict=True)
        name = f"split({fraction:g}, seed={seed})"
        train, test = (replace(self.take(rows), part=f"{part} of {name}") for part, rows in parts)
        return train, test

    def describe(self) -> dict[str, Any]:
        """Return what identifies the data: kind, source, rows, labels and checksum."""
        size = {"rows": len(self), "labels": list(self.labels)}
        return {"kind": self.kind, "source": self.source, **size, "sha256": self.sha256, "part": self.part}


@dataclass(frozen=True, eq=False)
class Table(Labelled):
    """Evaluated architectures of one space."""

    ROW_FIELDS = ("architectures",)

    space: SequenceSpace
    architectures: tuple[Architecture, ...]

    def texts(self) -> list[str]:
        """Return for each row the name of its space, and the text of its architecture."""
        return [f"{self.space.name} {architecture}" for architecture in self.architectures]


def make_table(
    space: SequenceSpace, architectures: Sequence[Architecture], labels: Mapping[Any, Any] | pd.DataFrame, *,
    source: str, kind: str, noise_free: Mapping[Any, Any] | None = None, rows: Sequence[int] | None = None,
    sha256: str = "", duplicates: str = "refuse", text: bool = False,
) -> Table:  # fmt: skip
    """Check and assemble a table of architectures, one per row, with labels by name; see `Labelled`.

    Args:
        noise_free: some of the labels before noise was added.
        sha256: of the source file (default: of the rows).
        duplicates: "refuse" an architecture that stands in several rows, or take the "mean" of its labels; isomorphic
            ones (`SequenceSpace.canonical`) are one, written as in the first row.
        text: whether labels may be texts of numbers.
    """
    if duplicates not in DUPLICATES:
        raise ValueError(f"duplicates={duplicates!r}; choose from {', '.join(DUPLICATES)}")
    numbers = range(len(architectures)) if rows is None else rows
    if len(architectures) == 0:
        raise DataError(f"{source}: there are no rows")
    checked = check_labels(labels, source, numbers, text)
    free = None if noise_free is None else check_labels(noise_free, source, numbers, text)
    first: dict[bytes, int] = {}
    keys = map(bytes, space.canonical_codes(space.to_codes(architectures)))  # isomorphic architectures have the same
    places = [first.setdefault(key, place) for place, key in enumerate(keys)]
    if len(first) < len(places):
        if duplicates == "refuse":
            row = next(row for row, place in enumerate(places) if row != place)
            same = "stands" if architectures[row] == architectures[places[row]] else "is isomorphic to what stands"
            again = f"architecture {architectures[row]} {same} in row {numbers[places[row]]} already"
            remedy = 'if it was measured several times, load with duplicates="mean" (--duplicates mean)'
            raise DataError(f"{source}, row {numbers[row]}: {again}; {remedy}")
        checked, free = _means(checked, places), None if free is None else _means(free, places)
        sha256 = ""
    kept = tuple(architectures[place] for place in first.values())
    return Table(
        space, kept, labels=checked, rows=tuple(numbers[place] for place in first.values()), noise_free=free,
        kind=kind, source=source, sha256=sha256 or digest_rows(map(str, kept), checked),
    )  # fmt: skip


def _means(labels: pd.DataFrame, places: Sequence[int]) -> pd.DataFrame:
    """Return the mean of each label over the rows of one place; what is missing does not count."""
    return labels.groupby(np.asarray(places)).mean().reset_index(drop=True)


def digest_rows(names: Iterable[str], labels: pd.DataFrame) -> str:
    """Return the sha256 of rows: their names and labels."""
    content = "\n".join(names) + labels.to_csv(index=False, lineterminator="\n")
    return hashlib.sha256(content.encode()).hexdigest()


def check_labels(
    labels: Mapping[Any, Any] | pd.DataFrame, source: str, rows: Sequence[int], text: bool = False
) -> pd.DataFrame:
    """Return labels by name as numbers, NaN for missing ones; anything else is a `DataError` that names its row."""
    if not (names := list(labels)):
        raise DataError(f"{source}: there is no label; give at least one numeric column")
    for name in names:
        if not isinstance(name, str) or name != name.strip() or not name or not name.isprintable():
            raise DataError(f"{source}: {shown(name)} is no name of a label; allowed are texts of one line")
    if len(set(names)) < len(names) or ARCHITECTURE in names:
        raise DataError(f"{source}: labels {shown(names)}; they need distinct names other than {ARCHITECTURE!r}")
    columns = {}
    for name in names:

        def what(place: int, name: str = name) -> str:
            return f"{source}, row {rows[place]}: label {name}"

        with naming("", DataError):
            columns[name] = reals(labels[name], what, text=text)
            for place in map(int, np.flatnonzero(np.isinf(columns[name]))):
                refuse(list(labels[name])[place], what(place), "finite numbers")
    return pd.DataFrame(columns)


def from_records(
    space: SequenceSpace, records: Iterable[tuple[Architecture, Mapping[str, Any]]], source: str = "records",
    duplicates: str = "refuse",
) -> Table:  # fmt: skip
    """Make a table from (architecture, {label: value}) pairs; every record needs the same labels.

    None and NaN stand for a missing value. An architecture that stands in several records is refused, or gets the mean
    of its labels: `duplicates="mean"`.
    """
    rows = list(records)
    names = list(rows[0][1]) if rows else []
    for row, (architecture, labels) in enumerate(rows):
        if architecture not in space:
            raise DataError(f"{source}, row {row}: {architecture!r} is not in space {space.name!r}")
        if set(labels) != set(names):
            raise DataError(f"{source}, row {row}: labels {sorted(labels)}, the first row has {sorted(names)}")
    columns = {name: [labels[name] for _, labels in rows] for name in names}
    adopted = [space.adopt(architecture) for architecture, _ in rows]
    return make_table(space, adopted, columns, source=source, kind="yours", duplicates=duplicates)
