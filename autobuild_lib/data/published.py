"""Benchmarks: networks that other people trained and timed, in tables read from the files that they published.

What there is stands in `files/benchmarks.json`. A file with another checksum is not read, and none of it is run.
"""

import functools
import gzip
import importlib.metadata
import io
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
from autobuild_lib.spaces import Architecture, SequenceSpace, read_space
from autobuild_lib.storage import parse_json, read_json
from autobuild_lib.values import MALFORMED, naming, shown

MOST_UNPACKED, MOST_OF_RECORD, MOST_KEYS = 1 << 26, 1 << 16, 1 << 20  # bytes of an archive and of a record; keys
UNREADABLE = (*MALFORMED, EOFError, OSError, tarfile.TarError, zipfile.BadZipFile, zlib.error)
SCALES = {"acc": ("valid_perf", 100), "test_acc": ("perf", 100), "latency": ("latency", 1000), "params_m": ("para", 1)}
BLOCKS, CHOICES = range(7), ("e", "k", "l", "se")  # of Accel-NASBench: expansion, kernel, layers, gate
Networks = tuple[Sequence[Architecture], Any]  # with labels, as `pd.DataFrame` takes them


@dataclass(frozen=True)
class Benchmark:
    """Where tables come from: one entry of the registry."""

    title: str
    address: str  # what the paths of downloaded files follow
    version: str  # of the package that brings the files, or a commit
    licence: str
    citation: str
    package: str  # "" where files are downloaded
    tables: dict[str, dict[str, Any]]  # what stands behind the colon -> number of `rows`, names of `files`, and `space`
    labels: dict[str, str]  # label -> unit
    files: dict[str, dict[str, str]]  # name -> `path` and `sha256`


@functools.cache
def benchmarks() -> dict[str, Benchmark]:
    """Return the benchmarks by name; `load` takes it, with a colon and the name of a table behind it if it has one."""
    return {name: Benchmark(**entry) for name, entry in read_json(FILES / "benchmarks.json", "a registry").items()}


def find_benchmark(name: str, file: str, folder: Path | None = None) -> Path:
    """Return where a file is, or belongs; `ModuleNotFoundError` without its package, `DataError` at another version."""
    benchmark = benchmarks()[name]
    if not benchmark.package:
        return (folder or data_folder()) / name / file
    try:
        package = importlib.metadata.distribution(benchmark.package)
    except importlib.metadata.PackageNotFoundError:
        raise ModuleNotFoundError(missing(benchmark.package, "benchmarks"), name=benchmark.package) from None
    if package.version != benchmark.version:
        raise DataError(f"{benchmark.package} {package.version} is installed; allowed is {benchmark.version}")
    return Path(str(package.locate_file(benchmark.files[file]["path"])))


def read_benchmark(source: str, space: SequenceSpace | None, folder: Path | None) -> Table:
    """Read a table of a benchmark as `load` does; what was trained several times has the mean of its labels."""
    name, _, part = source.partition(":")
    benchmark = benchmarks()[name]
    if part not in benchmark.tables:
        allowed = ", ".join(f"{name}:{table}".rstrip(":") for table in benchmark.tables)
        raise DataError(f"no such table: {source!r}; allowed are {allowed}")
    rows, files = benchmark.tables[part]["rows"], benchmark.tables[part]["files"]
    contents = {file: _content(name, file, folder) for file in files}
    described = read_space(str(FILES / benchmark.tables[part]["space"]))
    with naming(source, DataError, UNREADABLE):
        architectures, labels = READERS[Path(files[0]).suffix](described, contents)
        kept = architectures if space is None else [space.adopt(architecture) for architecture in architectures]
        columns = pd.DataFrame(labels)
    sha256 = benchmark.files[files[0]]["sha256"] if len(files) == 1 else ""
    table = make_table(space or described, kept, columns, source=source, kind="benchmark", sha256=sha256,
                       duplicates="mean")  # fmt: skip
    if len(table) != rows:
        raise DataError(f"{source}: {len(table):,} networks in {', '.join(files)}; allowed are {rows:,}")
    return table


def _content(name: str, file: str, folder: Path | None) -> bytes:
    path, benchmark = find_benchmark(name, file, folder), benchmarks()[name]
    if not path.is_file():
        place = f", or download {benchmark.address}{benchmark.files[file]['path']} and put it at {path}"
        raise FileNotFoundError(f"{name}: no file {path}; {remedy(name)}{'' if benchmark.package else place}")
    return checked_bytes(path, benchmark.files[file]["sha256"], remedy(name))


def remedy(name: str) -> str:
    """Say how the files of a benchmark come here whole."""
    return "install the package again" if benchmarks()[name].package else f"run `autobuild data fetch {name}`"


def _graph_networks(space: SequenceSpace, files: Mapping[str, bytes]) -> Networks:
    """Read NAS-Bench-Graph: a dict by number, whose decimal digits are those of links and of four operations."""
    ((file, content),) = files.items()
    entries: Any = read_pickled(content, file, MOST_KEYS)
    keys = sorted(entries)
    digits = np.array([[int(digit) for digit in f"{key:05d}"] for key in keys])
    _, operations = np.unique(digits[:, 1:], return_inverse=True)  # the digits of those that the space has
    links = np.array([list(space.encode_globals({"links": name})) for name, _ in space.links], dtype=np.uint8)
    chosen = zip(space.codecs, operations.reshape(len(keys), -1).T, strict=True)
    codes = np.hstack([links[digits[:, 0]], *(codec.contents()[numbers] for codec, numbers in chosen)])
    labels = {label: [entries[key][name] * scale for key in keys] for label, (name, scale) in SCALES.items()}
    return space.from_codes(codes), labels


def _mobile_networks(space: SequenceSpace, files: Mapping[str, bytes]) -> Networks:
    """Read Accel-NASBench: an archive with a JSON file for each network."""
    (content,) = files.values()
    blocks, labels = [], []
    for name, text in _members(content):
        with naming(name, DataError, MALFORMED):
            record = parse_json(text.decode("utf-8"))
            chosen = record["architecture"]
            blocks.append([[int(chosen[f"block{block}_{choice}"]) for choice in CHOICES] for block in BLOCKS])
            counted = {"flops_m": record["model_info"]["macs"], "params_m": record["model_info"]["params"]}
            timed = {label: value[f"{label.split('_')[0]}_mean"] for label, value in record["platform_perf"].items()}
            labels.append({"acc": record["metrics"]["val_top1"], **counted, **timed})
    return _of_blocks(space, blocks), labels


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


def _repeated_networks(space: SequenceSpace, files: Mapping[str, bytes]) -> Networks:
    """Read what Accel-NASBench trained with several seeds: a file for each, of the same networks in the same order."""
    names = [f"acc_{file.removesuffix('.csv').replace('-seed', '_')}" for file in files]
    frames = [pd.read_csv(io.BytesIO(content), header=None) for content in files.values()]
    first, *others = [frame.iloc[:, 9:].astype(int).to_numpy() for frame in frames]
    if not all(np.array_equal(other, first) for other in others):
        raise DataError("the files hold different networks; allowed are the same ones in the same order")
    blocks = first.reshape(-1, len(CHOICES), len(BLOCKS)).swapaxes(1, 2).tolist()
    return _of_blocks(space, blocks), {name: frame[4] for name, frame in zip(names, frames, strict=True)}


def _of_blocks(space: SequenceSpace, networks: Iterable[Sequence[Sequence[int]]]) -> list[Architecture]:
    @functools.cache  # few differ
    def encoded(unit: int, e: int, k: int, depth: int, se: int) -> bytes:
        return space.codecs[unit].encode({"e": e, "k": k, "se": se, "layers": ["mbconv"] * depth})

    codes = [b"".join(encoded(unit, *block) for unit, block in enumerate(blocks)) for blocks in networks]
    return [Architecture(space, code) for code in codes]


def _timed_networks(space: SequenceSpace, files: Mapping[str, bytes]) -> Networks:
    """Read HELP: a file of architectures, and others with a latency for each."""
    (_, described), *timed = [(file.removesuffix(".pt"), _tensors(file, content)) for file, content in files.items()]
    architectures = []
    for network in described["arch"]:
        layers = [f"mbconv3_e{e}_k{k}" for e, k in zip(network["e"], network["ks"], strict=True)]
        stages = [layers[4 * unit :][:depth] for unit, depth in enumerate(network["d"])]
        architectures.append(space.from_lists(stages, resolution=int(network["r"])))
    return architectures, dict(timed)


def _tensors(file: str, content: bytes) -> Any:
    """Read what `torch.save` wrote of plain data."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        (member,) = [member for member in archive.infolist() if member.filename.endswith("/data.pkl")]
        if member.compress_type != zipfile.ZIP_STORED:
            raise DataError(f"{file}: {shown(member.filename)} is compressed; allowed is what is stored as it is")
        return read_pickled(archive.read(member), file)


READERS = {".bench": _graph_networks, ".gz": _mobile_networks, ".csv": _repeated_networks, ".pt": _timed_networks}
