"""Tables of architectures from caches in the released format."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from autobuild_lib.data.table import DataError, Table, make_table
from autobuild_lib.released.caches import RELEASED as RELEASED, ReleasedRecord, find_released, read_records
from autobuild_lib.released.checksums import sha256_of
from autobuild_lib.spaces import SequenceSpace, ofa_mbv3, ofa_pn
from autobuild_lib.values import naming

FAMILIES = {"mbconv3": ofa_mbv3, "mbconv2": ofa_pn}  # by the kind of their layers


def read_cache(source: str, space: SequenceSpace | None, folder: Path | None, duplicates: str) -> Table:
    """Read evaluated architectures: arguments and errors are those of `load`, the source is a cache."""
    path, records = read_source(source, folder)
    space = space or family_of(records, f"{path}", [record.resolution for record in records])
    names, architectures = list(records[0].labels), []
    for record in records:
        if set(record.labels) != set(names):
            raise DataError(f"{record.place}: labels {sorted(record.labels)}, entry 0 has {sorted(names)}")
        with naming(record.place, DataError):
            architectures.append(space.from_lists(record.stages, resolution=record.resolution))
    labels = pd.DataFrame([record.labels for record in records], columns=names)
    return make_table(space, architectures, labels, source=source, kind="released", sha256=sha256_of(path),
                      duplicates=duplicates)  # fmt: skip


def read_source(source: str, folder: Path | None) -> tuple[Path, list[ReleasedRecord]]:
    """Return the file of a source, and its records."""
    name = source.removeprefix("released:")
    path = Path(source) if name == source else find_released(name, folder)
    return path, read_records(path)


def family_of(records: Sequence[ReleasedRecord], place: str, resolutions: Iterable[int]) -> SequenceSpace:
    """Return the space that records are of; `DataError`, with their `place`, where it is not one."""
    kinds = {record.stages[0][0].split("_")[0] for record in records}
    if len(kinds) != 1 or not kinds <= set(FAMILIES):
        allowed = f"one family of {', '.join(FAMILIES)} (load_ir reads caches of both)"
        raise DataError(f"{place}: layers of {', '.join(sorted(kinds))}; allowed: {allowed}")
    with naming(place, DataError):
        return FAMILIES[kinds.pop()](resolutions=tuple(sorted(set(resolutions))))
