"""Tables of evaluated architectures: rows of (architecture, labels) in one search space."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_lib.spaces import Architecture, SequenceSpace
from autobuild_lib.targets import Target


class DataError(ValueError):
    """Data that cannot be used; the text names the source, the row, the value and what is allowed."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Labelled:
    """Rows with labels; what a row is, a subclass says.

    ROW_FIELDS: names of fields that hold a tuple of one value per row; the first is what a predictor takes.

    labels: a column per label. noise_free: the same columns before noise was added, where that is known.
    rows: the number of each row in the source, as errors give it.
    kind: "surrogate", "released", "measured here" or "yours". sha256: of the rows.
    """

    ROW_FIELDS: ClassVar[tuple[str, ...]] = ()

    labels: pd.DataFrame
    rows: tuple[int, ...]
    noise_free: pd.DataFrame | None = None
    kind: str = "yours"
    source: str = "records"
    sha256: str = ""
    part: str = "all"  # which rows of the source these are

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def inputs(self) -> tuple[Any, ...]:
        """What a predictor takes, one per row."""
        return getattr(self, self.ROW_FIELDS[0])  # type: ignore[no-any-return]

    def take(self, rows: npt.ArrayLike) -> Self:
        """Return the given rows, in that order."""
        index = np.asarray(rows, dtype=np.intp)
        noise_free = None if self.noise_free is None else self.noise_free.iloc[index].reset_index(drop=True)
        labels = self.labels.iloc[index].reset_index(drop=True)
        names = ("rows", *self.ROW_FIELDS)
        chosen: dict[str, Any] = {name: tuple(getattr(self, name)[i] for i in index) for name in names}
        return replace(self, labels=labels, noise_free=noise_free, **chosen)

    def evaluate(self, target: Target) -> npt.NDArray[np.float64]:
        """Return the target of each row, [N]; a `DataError` names the source and its rows, whatever part this is."""
        try:
            return target.evaluate(self.labels.set_axis(self.rows))
        except ValueError as error:
            raise DataError(f"{self.source}: {error}") from None

    def split(self, fraction: float = 0.9, seed: int = 12345) -> tuple[Self, Self]:
        """Split at random into `fraction` of the rows and the rest, without overlap."""
        if not 0 < fraction < 1 or not 1 <= round(fraction * len(self)) < len(self):
            raise ValueError(f"cannot split {len(self)} rows at {fraction}: both parts need a row")
        order = np.random.default_rng(seed).permutation(len(self))
        cut = round(fraction * len(self))
        name = f"split({fraction:g}, seed={seed})"
        train, test = self.take(order[:cut]), self.take(order[cut:])
        return replace(train, part=f"train of {name}"), replace(test, part=f"test of {name}")

    def describe(self) -> dict[str, Any]:
        """Return what identifies the data: kind, source, rows, labels and checksum."""
        return {
            "kind": self.kind,
            "source": self.source,
            "rows": len(self),
            "labels": list(self.labels),
            "sha256": self.sha256,
            "part": self.part,
        }


@dataclass(frozen=True, eq=False)
class Table(Labelled):
    """Evaluated architectures of one space."""

    ROW_FIELDS = ("architectures",)

    space: SequenceSpace
    architectures: tuple[Architecture, ...]


def make_table(
    space: SequenceSpace,
    architectures: Sequence[Architecture],
    labels: pd.DataFrame,
    *,
    source: str,
    kind: str,
    noise_free: pd.DataFrame | None = None,
    rows: Sequence[int] | None = None,
    sha256: str = "",
) -> Table:
    """Check and assemble a table; `rows` numbers the rows in errors, `sha256` is that of the source file."""
    numbers = range(len(architectures)) if rows is None else rows
    if len(architectures) == 0:
        raise DataError(f"{source}: there are no rows")
    seen: dict[Architecture, int] = {}
    for row, architecture in zip(numbers, architectures, strict=True):
        if (before := seen.setdefault(architecture, row)) != row:
            raise DataError(f"{source}, row {row}: architecture {architecture} stands in row {before} already")
    checked = check_labels(labels, source, numbers)
    free = None if noise_free is None else check_labels(noise_free, source, numbers)
    digest = sha256 or digest_rows(map(str, architectures), checked)
    return Table(
        space,
        tuple(architectures),
        labels=checked,
        rows=tuple(numbers),
        noise_free=free,
        kind=kind,
        source=source,
        sha256=digest,
    )


def digest_rows(names: Iterable[str], labels: pd.DataFrame) -> str:
    """Return the sha256 of rows: their names and labels."""
    digest = hashlib.sha256("\n".join(names).encode())
    digest.update(labels.to_csv(index=False, lineterminator="\n").encode())
    return digest.hexdigest()


def check_labels(labels: pd.DataFrame, source: str, rows: Sequence[int]) -> pd.DataFrame:
    """Return labels as finite floats; anything else is a `DataError` that names its row."""
    if labels.shape[1] == 0:
        raise DataError(f"{source}: there is no label; give at least one numeric column")
    columns = {}
    for name in labels:
        numbers = pd.to_numeric(labels[name], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        bad = np.flatnonzero(~np.isfinite(numbers))
        if len(bad):
            value = labels[name].iloc[bad[0]]
            raise DataError(f"{source}, row {rows[bad[0]]}: label {name} is {value!r}; allowed are finite numbers")
        columns[str(name)] = numbers
    return pd.DataFrame(columns)


def from_records(
    space: SequenceSpace, records: Iterable[tuple[Architecture, Mapping[str, float]]], source: str = "records"
) -> Table:
    """Make a table from (architecture, {label: value}) pairs; every record needs the same labels."""
    rows = list(records)
    names = list(rows[0][1]) if rows else []
    for row, (architecture, labels) in enumerate(rows):
        if architecture not in space:
            raise DataError(f"{source}, row {row}: {architecture!r} is not in space {space.name!r}")
        if set(labels) != set(names):
            raise DataError(f"{source}, row {row}: labels {sorted(labels)}, the first row has {sorted(names)}")
    frame = pd.DataFrame([[labels[n] for n in names] for _, labels in rows], columns=names)
    return make_table(space, [space.adopt(a) for a, _ in rows], frame, source=source, kind="yours")
