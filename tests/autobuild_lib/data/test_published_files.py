"""Files of benchmarks that are absent, damaged, other ones, or hostile: one line says so, and nothing of them runs."""

import gzip
import hashlib
import importlib.metadata
import io
import json
import os
import pickle
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import autobuild_lib as ab
from autobuild_lib.data import DataError, benchmarks, find_benchmark
from autobuild_lib.data.published import MOST_OF_RECORD, MOST_UNPACKED

Publish = Callable[..., str]  # source, contents by file, rows -> source
ARCHIVE = "anb_dataset_jsons.tar.gz"
RECORD: dict[str, Any] = {
    "architecture": {f"block{block}_{name}": value for block in range(7) for name, value in
                     {"e": 4, "k": 3, "l": 2, "se": True}.items()},
    "metrics": {"val_top1": 60.5}, "model_info": {"macs": 300, "params": 2.5},
    "platform_perf": {"latency_zcu102": {"latency_mean": 5.0}, "throughput_a100": {"throughput_mean": None}},
}  # fmt: skip
NETWORK = {"ks": [3] * 20, "e": [6] * 20, "d": [2, 3, 4, 2, 2], "r": 128}
GRAPH = {"valid_perf": 0.5, "perf": 0.25, "latency": 0.001, "para": 2.0}


@pytest.fixture
def publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Publish:
    """Put files into the data folder, and their checksums into the registry, as if they had been published so."""
    monkeypatch.setenv("AUTOBUILD_DATA", str(tmp_path))

    def put(source: str, contents: dict[str, bytes], rows: int = 1) -> str:
        name, _, part = source.partition(":")
        (tmp_path / name).mkdir(exist_ok=True)
        for file, content in contents.items():
            (tmp_path / name / file).write_bytes(content)
        benchmark = benchmarks()[name]
        files = {file: {"path": file, "sha256": hashlib.sha256(c).hexdigest()} for file, c in contents.items()}
        space = next(iter(benchmark.tables.values()))["space"]
        table = {"rows": rows, "files": list(contents), "space": space}
        entry = replace(benchmark, package="", tables={part: table}, files=files)
        monkeypatch.setattr("autobuild_lib.data.published.benchmarks", lambda: {**benchmarks(), name: entry})
        return source

    return put


def archive(**members: bytes | tarfile.TarInfo) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as file:
        for name, content in members.items():
            member = content if isinstance(content, tarfile.TarInfo) else tarfile.TarInfo(name)
            if isinstance(content, bytes):
                member.size = len(content)
            file.addfile(member, io.BytesIO(content if isinstance(content, bytes) else bytes(member.size)))
    return packed.getvalue()


def record(**changes: Any) -> bytes:
    return json.dumps(RECORD | changes).encode()


def stored(content: object, members: tuple[str, ...] = ("archive/data.pkl",), kind: int = zipfile.ZIP_STORED) -> bytes:
    """What `torch.save` would write; bytes are taken for the pickle itself."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", compression=kind) as file:
        for name in members:
            file.writestr(name, content if isinstance(content, bytes) else pickle.dumps(content, 2))
    return packed.getvalue()


def test_small_files_in_the_published_form_are_read(publish: Publish) -> None:
    """What the damaged files below come from."""
    twice = archive(b=record(), a=record(metrics={"val_top1": 61.5}))
    table = ab.data.load(publish("accel-nasbench", {ARCHIVE: twice}))
    assert table.labels.acc.tolist() == [61.0] and table.labels.isna().sum().sum() == 1 and table.rows == (0,)
    files = {"ofa_archs.pt": stored({"arch": [NETWORK]}), "latency_x.pt": stored([2.5])}
    table = ab.data.load(publish("help-ofa", files))
    assert table.labels.latency_x.tolist() == [2.5] and table.architectures[0].depths == (2, 3, 4, 2, 2)
    entries = {number * 1000: GRAPH for number in range(9)}
    table = ab.data.load(publish("nas-bench-graph:cora", {"a.bench": pickle.dumps(entries)}, 9))
    assert table.labels.iloc[0].tolist() == [50, 25, 1, 2] and str(table.architectures[8]) == "0000|skip|gat|gat|gat"


class Evil:
    def __reduce__(self) -> Any:
        return os.mkdir, ("evil_was_here",)


LINK = tarfile.TarInfo("link")
LINK.type, LINK.linkname = tarfile.SYMTYPE, "/etc/passwd"
LARGE = tarfile.TarInfo("large")
LARGE.size = MOST_OF_RECORD + 1
DEEP = b"[" * 50_000


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "accel-nasbench"),
        (b"no archive", "accel-nasbench"),
        (archive(a=record())[:-30], "accel-nasbench"),
        (gzip.compress(b"no tar" * 500, mtime=0), "accel-nasbench"),
        pytest.param(archive(), "no rows", id="no rows"),
        (archive(a=record(), link=LINK), "'link'"),
        (archive(a=record(), large=LARGE), "'large'"),
        (gzip.compress(bytes(MOST_UNPACKED + 1), mtime=0), f"{MOST_UNPACKED:,}"),
        (archive(a=record(), b=b"{}"), "b: there is no 'architecture'"),
        (archive(a=DEEP), "a: "),
        (archive(a=record(platform_perf=[])), "a: "),
        (archive(a=record(metrics={"val_top1": "high"})), "row 0: label acc"),
        (archive(a=record(architecture=RECORD["architecture"] | {"block0_e": 5})), "unit 0"),
        (archive(a=record(architecture=RECORD["architecture"] | {"block0_l": 4})), "unit 0"),
        (archive(a=record(), b=record(architecture=RECORD["architecture"] | {"block0_l": 1})), "2 networks"),
    ],
)  # fmt: skip
def test_archives_that_are_refused(publish: Publish, content: bytes, message: str) -> None:
    source = publish("accel-nasbench", {ARCHIVE: content})
    with pytest.raises(DataError) as refused:
        ab.data.load(source)
    assert message in str(refused.value) and str(refused.value).count("\n") == 0


def test_a_member_with_a_path_outside_is_only_read(publish: Publish, tmp_path: Path) -> None:
    source = publish("accel-nasbench", {ARCHIVE: archive(**{"../../outside.json": record()})})
    before = sorted(tmp_path.rglob("*"))
    assert len(ab.data.load(source)) == 1 and sorted(tmp_path.rglob("*")) == before


GOOD = stored([2.5])


@pytest.mark.parametrize(
    ("networks", "latencies"),
    [
        (b"no zip", GOOD),
        (stored({"arch": [NETWORK]})[:-40], GOOD),
        (stored({"arch": [NETWORK]}), GOOD.replace(b"archive", b"another", 1)),
        (stored({"arch": [NETWORK]}, members=("archive/version",)), GOOD),
        (stored({"arch": [NETWORK]}, members=("a/data.pkl", "b/data.pkl")), GOOD),
        (stored({"arch": [NETWORK]}, kind=zipfile.ZIP_DEFLATED), GOOD),
        (stored(pickle.dumps(Evil())), GOOD),
        (stored(pickle.dumps({"arch": [NETWORK]})[:-5]), GOOD),
        (stored([NETWORK]), GOOD),
        (stored({"arch": [NETWORK | {"d": [5, 2, 2, 2, 2]}]}), GOOD),
        (stored({"arch": [NETWORK | {"r": 130}]}), GOOD),
        (stored({"arch": [NETWORK | {"e": [6] * 19}]}), GOOD),
        (stored({"arch": [NETWORK]}), stored([2.5, 2.5])),
        (stored({"arch": [NETWORK]}), stored(["fast"])),
        (stored({"arch": [NETWORK]}), stored([float("inf")])),
    ],
)
def test_tensors_that_are_refused(
    publish: Publish, networks: bytes, latencies: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    source = publish("help-ofa", {"ofa_archs.pt": networks, "latency_x.pt": latencies})
    with pytest.raises(DataError, match="help-ofa") as refused:
        ab.data.load(source)
    assert str(refused.value).count("\n") == 0 and not Path("evil_was_here").exists()


@pytest.mark.parametrize(
    "content",
    [
        pickle.dumps(Evil()),
        pickle.dumps({0: GRAPH})[:-1],
        pickle.dumps([GRAPH]),
        pickle.dumps({"x": GRAPH}),
        pickle.dumps({-1: GRAPH}),
        pickle.dumps({90_000: GRAPH}),
        pickle.dumps({100_000: GRAPH}),
        pickle.dumps({0: {}}),
        pickle.dumps({0: GRAPH | {"perf": "high"}}),
        pickle.dumps({}),
    ],
)
def test_pickles_that_are_refused(publish: Publish, content: bytes) -> None:
    source = publish("nas-bench-graph:cora", {"cora.bench": content})
    with pytest.raises(DataError, match="nas-bench-graph:cora") as refused:
        ab.data.load(source)
    assert str(refused.value).count("\n") == 0


def test_seeds_of_different_networks_are_refused(publish: Publish) -> None:
    row = ["0", "1", "0", "0", "60.5", "80", "300", "2.5", "100", *["4"] * 7, *["3"] * 7, *["2"] * 7, *["True"] * 7]
    lines = [",".join(row).encode(), ",".join([*row[:9], "6", *row[10:]]).encode()]
    source = publish("accel-nasbench:repeats", {f"fewproxy-seed{seed}.csv": lines[0] for seed in (1, 2)})
    assert ab.data.load(source).labels.to_dict("list") == {"acc_fewproxy_1": [60.5], "acc_fewproxy_2": [60.5]}
    source = publish("accel-nasbench:repeats", {f"fewproxy-seed{seed}.csv": lines[seed] for seed in (0, 1)})
    with pytest.raises(DataError, match="different networks"):
        ab.data.load(source)


@pytest.mark.parametrize("source", ["accel-nasbench", "accel-nasbench:repeats", "help-ofa", "help-ofa:v100_64"])
def test_an_absent_file_says_where_to_put_it(source: str, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as refused:
        ab.data.load(source, folder=tmp_path)
    name = source.partition(":")[0]
    file = benchmarks()[name].tables[source.partition(":")[2]]["files"][0]
    for part in (f"autobuild data fetch {name}", str(tmp_path / name / file), benchmarks()[name].version):
        assert part in str(refused.value)


def test_a_changed_file_is_refused(datasets: Path, tmp_path: Path) -> None:
    file = "fewproxy-seed2.csv"
    (tmp_path / "accel-nasbench").mkdir()
    for name in benchmarks()["accel-nasbench"].tables["repeats"]["files"]:
        (tmp_path / "accel-nasbench" / name).write_bytes((datasets / "accel-nasbench" / name).read_bytes())
    path = tmp_path / "accel-nasbench" / file
    path.write_bytes(b"\n".join(path.read_bytes().split(b"\n")[1:]))  # a row is missing
    with pytest.raises(DataError, match=f"{file}: sha256.*; run `autobuild data fetch accel-nasbench`$"):
        ab.data.load("accel-nasbench:repeats", folder=tmp_path)


def test_the_registry_says_what_the_files_are(datasets: Path) -> None:
    sums = dict(reversed(line.split()) for line in (datasets / "SHA256SUMS").read_text().splitlines())
    for name in ("accel-nasbench", "help-ofa"):
        files = {f"{name}/{file}": entry["sha256"] for file, entry in benchmarks()[name].files.items()}
        assert files == {file: sha256 for file, sha256 in sums.items() if file.startswith(name)}
        assert benchmarks()[name].version in benchmarks()[name].address
        used = {file for table in benchmarks()[name].tables.values() for file in table["files"]}
        assert used == set(benchmarks()[name].files)


class Installed(importlib.metadata.Distribution):
    """A distribution of another version, or in another folder."""

    def __init__(self, version: str, folder: Path) -> None:
        self.said, self.folder = version, folder

    @property
    def version(self) -> str:
        return self.said

    def read_text(self, filename: str) -> str | None:
        return None

    def locate_file(self, path: Any) -> Path:
        return self.folder / path


def test_without_the_package_or_with_another_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def absent(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", absent)
    with pytest.raises(ModuleNotFoundError, match=r"autobuild-book\[benchmarks\]") as missing:
        ab.data.load("nas-bench-graph:cora")
    assert missing.value.name == "nas-bench-graph"
    monkeypatch.setattr(importlib.metadata, "distribution", lambda name: Installed("1.3.0", tmp_path))
    with pytest.raises(DataError, match=r"1\.3\.0.*1\.4\.0"):
        ab.data.load("nas-bench-graph:cora")
    monkeypatch.setattr(importlib.metadata, "distribution", lambda name: Installed("1.4.0", tmp_path))
    path = find_benchmark("nas-bench-graph", "cora.bench")
    with pytest.raises(FileNotFoundError, match=r"cora\.bench"):
        ab.data.load("nas-bench-graph:cora")
    path.parent.mkdir(parents=True)
    path.write_bytes(pickle.dumps({0: GRAPH}))
    with pytest.raises(DataError, match=r"sha256.*; install the package again$"):
        ab.data.load("nas-bench-graph:cora")


@pytest.mark.parametrize("source", ["nas-bench-graph", "nas-bench-graph:mnist", "help-ofa:tpu_1"])
def test_tables_that_do_not_exist(source: str) -> None:
    with pytest.raises(DataError, match="no such table"):
        ab.data.load(source)


def test_nothing_is_loaded_before_it_is_used() -> None:
    program = """
import sys
import autobuild_lib as ab
ab.data.load("ofa_mbv3")
names = ["autobuild_lib.data.published", "tarfile", "nas_bench_graph"]
print([name for name in names if name in sys.modules])
ab.data.load("nas-bench-graph:proteins")
print([name for name in names if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=True)
    before, after = map(json.loads, done.stdout.replace("'", '"').splitlines())
    assert "autobuild_lib.data.published" not in before
    assert "autobuild_lib.data.published" in after and "nas_bench_graph" not in after
