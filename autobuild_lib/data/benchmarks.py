"""Benchmarks: networks that other people trained and timed, in tables read from the files that they published.

What there is, and where it comes from, is data (`files/benchmarks.json`). A file is read only if it has the checksum
that stands there, and by readers that run nothing of it.
"""

import functools
import gzip
import importlib.metadata
import io
import json
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from autobuild_lib.data.files import FILES, checked_bytes
from autobuild_lib.data.table import DataError, Table, make_table
from autobuild_lib.extras import missing
from autobuild_lib.released.caches import data_folder
from autobuild_lib.released.unpickle import read_pickled
from autobuild_lib.spaces import Architecture, SequenceSpace, Unit, ofa_mbv3
from autobuild_lib.spaces.ofa import ALLOWED
from autobuild_lib.storage import read_json
from autobuild_lib.values import MALFORMED, naming, shown

MOST_UNPACKED, MOST_OF_RECORD, MOST_KEYS = 1 << 26, 1 << 16, 1 << 20  # bytes of an archive and of a record; keys
UNREADABLE = (*MALFORMED, EOFError, OSError, tarfile.TarError, zipfile.BadZipFile, zlib.error)
GRAPH_OPERATIONS = ("gat", "gcn", "gin", "cheb", "sage", "arma", "graph", "fc", "skip")  # by their digit
TREES = ("0000", "0001", "0011", "0012", "0013", "0111", "0112", "0122", "0123")  # what each node reads; 0: the input
SCALES = {"acc": ("valid_perf", 100), "test_acc": ("perf", 100), "latency": ("latency", 1000), "params_m": ("para", 1)}
BLOCKS, BLOCK = range(7), ("e", "k", "l", "se")  # of Accel-NASBench: expansion, kernel, layers, squeeze-and-excitation
Contents = Mapping[str, bytes]  # of the files of a table, by name
Networks = tuple[SequenceSpace, Sequence[Architecture], Any]  # with labels, as `pd.DataFrame` takes them


@dataclass(frozen=True)
class Benchmark:
    """Where tables come from: one entry of the registry."""

    title: str
    address: str  # what the paths of downloaded files follow
    version: str  # of the package that brings the files, or a commit
    licence: str
    citation: str
    package: str  # "" where files are downloaded
    tables: dict[str, dict[str, Any]]  # what stands behind the colon -> number of `rows`, and names of `files`
    labels: dict[str, str]  # label -> unit
    files: dict[str, dict[str, str]]  # name -> `path` and `sha256`


@functools.cache
def benchmarks() -> dict[str, Benchmark]:
    """Return the benchmarks by name; `load` takes it, with a colon and the name of a table behind it if it has one."""
    return {name: Benchmark(**entry) for name, entry in read_json(FILES / "benchmarks.json", "a registry").items()}


def find_benchmark(name: str, file: str, folder: Path | None = None) -> Path:
    """Return where a file of a benchmark is, or belongs: in `folder/name` (default: `data_folder()`), or a package.

    Raises `ModuleNotFoundError` for a package that is not installed, `DataError` for another version of it.
    """
    benchmark = benchmarks()[name]
    if not benchmark.package:
        return (folder or data_folder()) / name / file
    try:
        package = importlib.metadata.distribution(benchmark.package)
    except importlib.metadata.PackageNotFoundError:
        raise ModuleNotFoundError(missing(benchmark.package, "benchmarks"), name=benchmark.package) from None
    if package.version != benchmark.version:
        remedy = f"{benchmark.version}: pip install {benchmark.package}=={benchmark.version}"
        raise DataError(f"{name}: version {package.version} of {benchmark.package} is installed; allowed is {remedy}")
    return Path(str(package.locate_file(benchmark.files[file]["path"])))


def read_benchmark(source: str, space: SequenceSpace | None, folder: Path | None) -> Table:
    """Read evaluated architectures: arguments and errors are those of `load`, the source is a table of a benchmark.

    An architecture that stands in several rows was trained several times, and has the mean of its labels.
    """
    name, _, part = source.partition(":")
    benchmark = benchmarks()[name]
    if part not in benchmark.tables:
        allowed = ", ".join(f"{name}:{table}".rstrip(":") for table in benchmark.tables)
        raise DataError(f"no such table: {source!r}; allowed are {allowed}")
    contents = {file: _content(name, file, folder) for file in benchmark.tables[part]["files"]}
    with naming(source, DataError, UNREADABLE):
        described, architectures, labels = READERS.get(source, READERS[name])(contents)
        if space is not None:
            described, architectures = space, [space.adopt(architecture) for architecture in architectures]
        columns = pd.DataFrame(labels)
    sha256 = "" if len(contents) > 1 else benchmark.files[next(iter(contents))]["sha256"]
    table = make_table(
        described, architectures, columns, source=source, kind="benchmark", sha256=sha256, duplicates="mean"
    )
    if len(table) != (rows := benchmark.tables[part]["rows"]):
        raise DataError(f"{source}: {len(table):,} networks; allowed are the {rows:,} of {benchmark.title}")
    return table


def _content(name: str, file: str, folder: Path | None) -> bytes:
    path, benchmark = find_benchmark(name, file, folder), benchmarks()[name]
    if not path.is_file():
        place = f"download {benchmark.address}{benchmark.files[file]['path']} and put it at {path}"
        remedy = "install the package again" if benchmark.package else f"`autobuild data fetch {name}`, or {place}"
        raise FileNotFoundError(f"{name}: no file {path}; {remedy}")
    return checked_bytes(path, benchmark.files[file]["sha256"])


def _graph_networks(contents: Contents) -> Networks:
    """Read NAS-Bench-Graph: a dict whose keys are, in decimal digits, the tree and four operations."""
    ((file, content),) = contents.items()
    entries: Any = read_pickled(content, file, MOST_KEYS)
    keys = sorted(entries)
    digits = np.array([[int(digit) for digit in f"{key:05d}"] for key in keys])
    used, operations = np.unique(digits[:, 1:], return_inverse=True)
    links = {tree: [[int(source) - 1] if source != "0" else [] for source in tree] for tree in TREES}
    operation = {"op": [GRAPH_OPERATIONS[number] for number in used]}
    space = SequenceSpace("nas_bench_graph", [Unit(1, 1)] * len(TREES[0]), operation, links=links)
    trees = np.array([list(space.encode_globals({"links": tree})) for tree in TREES], dtype=np.uint8)
    chosen = operations.reshape(len(keys), -1).T
    nodes = [codec.contents()[numbers] for codec, numbers in zip(space.codecs, chosen, strict=True)]
    codes = np.hstack([trees[digits[:, 0]], *nodes])
    labels = {label: [entries[key][name] * scale for key in keys] for label, (name, scale) in SCALES.items()}
    return space, space.from_codes(codes), labels


def _mobile_networks(contents: Contents) -> Networks:
    """Read Accel-NASBench: an archive with a JSON file for each network."""
    (content,) = contents.values()
    blocks, labels = [], []
    for name, text in _members(content):
        with naming(name, DataError, MALFORMED):
            record = json.loads(text)
            blocks.append([[record["architecture"][f"block{block}_{choice}"] for block in BLOCKS] for choice in BLOCK])
            counted = {"flops_m": record["model_info"]["macs"], "params_m": record["model_info"]["params"]}
            timed = {label: value[f"{label.split('_')[0]}_mean"] for label, value in record["platform_perf"].items()}
            labels.append({"acc": record["metrics"]["val_top1"], **counted, **timed})
    return *_of_blocks(blocks), labels


def _members(content: bytes) -> list[tuple[str, bytes]]:
    """Return the names and contents of the files in an archive; shorter names first, as numbers are counted."""
    unpacked = gzip.GzipFile(fileobj=io.BytesIO(content)).read(MOST_UNPACKED + 1)
    if len(unpacked) > MOST_UNPACKED:
        raise DataError(f"the archive unpacks to more than {MOST_UNPACKED:,} bytes; allowed are at most that")
    with tarfile.open(fileobj=io.BytesIO(unpacked), mode="r:") as archive:
        members = [member for member in archive if not member.isdir()]
        if wrong := [member.name for member in members if not member.isreg() or member.size > MOST_OF_RECORD]:
            raise DataError(f"{shown(wrong[0])} is no plain file of at most {MOST_OF_RECORD:,} bytes")
        members.sort(key=lambda member: (len(member.name), member.name))
        return [(member.name, archive.extractfile(member).read()) for member in members]  # type: ignore[union-attr]


def _repeated_networks(contents: Contents) -> Networks:
    """Read what Accel-NASBench trained with several seeds: a file for each, of the same networks in the same order."""
    frames = {file: pd.read_csv(io.BytesIO(content), header=None) for file, content in contents.items()}
    first, *others = [frame.iloc[:, 9:].astype(int).to_numpy().tolist() for frame in frames.values()]
    if any(other != first for other in others):
        raise DataError("the files hold different networks; allowed are the same ones in the same order")
    blocks = np.reshape(first, (len(first), len(BLOCK), len(BLOCKS))).tolist()
    names = {file: file.removesuffix(".csv").replace("-seed", "_") for file in frames}
    return *_of_blocks(blocks), {f"acc_{names[file]}": frame[4] for file, frame in frames.items()}


def _of_blocks(networks: Iterable[Sequence[Sequence[int]]]) -> tuple[SequenceSpace, list[Architecture]]:
    units = [Unit(1, 4 if block == 5 else 3, {"e": [1, 4, 6], "k": [3, 5], "se": [0, 1]}) for block in BLOCKS]
    space = SequenceSpace("accel_nasbench", units, {"op": ["mbconv"]})
    architectures = []
    for network in networks:
        blocks = zip(*network, strict=True)
        chosen = [{"e": e, "k": k, "se": int(se), "layers": ["mbconv"] * depth} for e, k, depth, se in blocks]
        architectures.append(space.architecture(chosen))
    return space, architectures


def _timed_networks(contents: Contents) -> Networks:
    """Read HELP: a file of architectures, and others with a latency for each."""
    described, *timed = [(file, _tensors(file, content)) for file, content in contents.items()]
    space = ofa_mbv3(ALLOWED)
    architectures = []
    for network in described[1]["arch"]:
        layers = [f"mbconv3_e{e}_k{k}" for e, k in zip(network["e"], network["ks"], strict=True)]
        stages = [layers[4 * unit :][:depth] for unit, depth in enumerate(network["d"])]
        architectures.append(space.from_lists(stages, resolution=int(network["r"])))
    return space, architectures, {file.removesuffix(".pt"): latencies for file, latencies in timed}


def _tensors(file: str, content: bytes) -> Any:
    """Read what `torch.save` wrote of plain data."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        (member,) = [member for member in archive.infolist() if member.filename.endswith("/data.pkl")]
        if member.compress_type != zipfile.ZIP_STORED:
            raise DataError(f"{file}: {shown(member.filename)} is compressed; allowed is what is stored as it is")
        return read_pickled(archive.read(member), file)


READERS = {
    "nas-bench-graph": _graph_networks,
    "accel-nasbench": _mobile_networks,
    "accel-nasbench:repeats": _repeated_networks,
    "help-ofa": _timed_networks,
}
