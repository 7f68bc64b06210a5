"""Reading tables: bundled CSV files by their manifest, or your own; `caches` reads those in the released format."""

import functools
import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from autobuild_lib import data, networks  # both lazy: readers of caches and benchmarks come with the first of them
from autobuild_lib.data.cells import read_cells
from autobuild_lib.data.table import ARCHITECTURE, DataError, Table, make_table
from autobuild_lib.spaces import SequenceSpace, read_space
from autobuild_lib.storage import read_json
from autobuild_lib.values import naming

FILES = Path(__file__).parent / "files"
NOISE_FREE = "_noise_free"  # suffix of the columns that hold a label before noise was added
FLOPS = "flops_m"  # label in millions of multiply-adds for one image; counted, so it carries no noise
MOST_BYTES = 1 << 30


@dataclass(frozen=True)
class Bundled:
    """A table that comes with the library: one entry of the manifest."""

    name: str
    space: str
    file: str
    kind: str
    rows: int
    columns: dict[str, str]  # column -> unit
    source: str
    builder: str
    seed: int
    sha256: str
    beside: dict[str, str] = field(default_factory=dict)  # further files of the same measurements -> sha256

    @property
    def path(self) -> Path:
        """Where the file lies."""
        return FILES / self.file


@functools.cache
def manifest() -> dict[str, Bundled]:
    """Return the bundled tables by name."""
    entries = read_json(FILES / "manifest.json", "a manifest")
    return {name: Bundled(name=name, **entry) for name, entry in entries.items()}


def load(
    source: str | Path, space: SequenceSpace | None = None, folder: Path | None = None, duplicates: str = "refuse"
) -> Table:
    """Load evaluated architectures.

    Tables of the OFA families get the label `flops_m`, counted by `networks.count_macs`, unless they have it.

    Args:
        source: a bundled table ("ofa_mbv3", "ofa_pn"), a benchmark ("nas-bench-graph:cora", "accel-nasbench")
            or a released cache ("released:ofa_mbv3"; both in `folder` or the default data folder), or the path of a
            `.csv` or `.pkl` file.
        space: the search space; needed for a CSV. Benchmarks and caches have their own.
        duplicates: "refuse" an architecture that stands in several rows, or take the "mean" of its labels.

    Raises `DataError` for data that cannot be used, and `FileNotFoundError`, which says where to put a file.
    """
    table = _read(str(source), space, folder, duplicates)
    if FLOPS in table.labels or not networks.has_networks(table.space):
        return table
    flops = {FLOPS: networks.count_macs(table.architectures) / 1e6}
    noise_free = None if table.noise_free is None else table.noise_free.assign(**flops)
    return replace(table, labels=table.labels.assign(**flops), noise_free=noise_free)


def _read(source: str, space: SequenceSpace | None, folder: Path | None, duplicates: str) -> Table:
    if entry := manifest().get(source):
        checks = {"sha256": entry.sha256, "kind": entry.kind, "source": entry.name}
        table = read_csv(entry.path, space or bundled_space(entry), **checks)
        if len(table) != entry.rows:
            raise DataError(f"{entry.path}: {len(table)} rows, the manifest says {entry.rows}")
        return table
    if source.partition(":")[0] in data.benchmarks():
        return data.read_benchmark(source, space, folder)
    path = Path(source)
    if source.startswith("released:") or (path.suffix == ".pkl" and path.is_file()):
        return data.read_cache(source, space, folder, duplicates)
    if not path.is_file():
        caches = ", ".join(f"released:{name}" for name in data.RELEASED)
        tables, benchmarks = ", ".join(manifest()), ", ".join(data.benchmarks())
        allowed = f"a bundled table ({tables}), a benchmark ({benchmarks}), a released cache ({caches})"
        raise FileNotFoundError(f"no such data: {source!r}; give {allowed}, or the path of a .csv or .pkl file")
    if path.suffix != ".csv":
        raise DataError(f"{path}: cannot read {path.suffix or 'a file without suffix'}; allowed are .csv and .pkl")
    if space is None:
        raise DataError(f"{path}: a CSV needs its search space: load(..., space=...), or --space in a command")
    return read_csv(path, space, duplicates=duplicates)


def bundled_space(entry: Bundled) -> SequenceSpace:
    """Return the space of a bundled table; one that is none of the families lies beside its table."""
    return read_space(str(FILES / entry.space) if entry.space.endswith(".json") else entry.space)


def checked_bytes(path: Path, sha256: str | None, remedy: str = "restore the file") -> bytes:
    """Return the content of a file of tables; `DataError`, with a remedy, where it is too large or another one."""
    if path.stat().st_size > MOST_BYTES:
        raise DataError(f"{path}: {path.stat().st_size:,} bytes, at most {MOST_BYTES:,} are read")
    content = path.read_bytes()
    if sha256 is not None and (present := hashlib.sha256(content).hexdigest()) != sha256:
        raise DataError(f"{path}: sha256 is {present}, the manifest says {sha256}; {remedy}")
    return content


def read_csv(
    path: Path, space: SequenceSpace, *, sha256: str | None = None, kind: str = "yours",
    source: str | None = None, duplicates: str = "refuse",
) -> Table:  # fmt: skip
    """Read a CSV with a column `architecture` (text form) and a numeric column per label; see `read_cells`."""
    content = checked_bytes(path, sha256)
    header, cells = read_cells(path, content)
    frame = pd.DataFrame([row for _, row in cells], columns=header)
    texts = frame.pop(ARCHITECTURE)
    labels = [name for name in frame if not str(name).endswith(NOISE_FREE)]
    if alone := [name for name in map(str, frame) if name.removesuffix(NOISE_FREE) not in labels]:
        raise DataError(f"{path}: column {alone[0]} needs a column {alone[0].removesuffix(NOISE_FREE)} beside it")
    noise_free = {name: frame[f"{name}{NOISE_FREE}"] for name in labels if f"{name}{NOISE_FREE}" in frame}
    architectures = []
    for (number, _), text in zip(cells, texts, strict=True):
        with naming(f"{path}, row {number}", DataError):
            architectures.append(space.parse(text))
    return make_table(space, architectures, frame[labels], source=source or str(path), kind=kind,
                      rows=[row for row, _ in cells], sha256=hashlib.sha256(content).hexdigest(),
                      noise_free=noise_free or None, duplicates=duplicates, text=True)  # fmt: skip
