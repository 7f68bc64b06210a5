"""The commands `autobuild data`: bundled tables listed, checked, and made again."""

import hashlib
import importlib.metadata
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import autobuild_lib as ab
from autobuild_book.measured.teachers import published
from autobuild_lib import surrogate
from autobuild_lib.data import files
from autobuild_lib.released import caches as released
from autobuild_lib.surrogate import bundled
from tests.helpers.commands import Run


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the bundled files that the library uses instead of its own."""
    folder = tmp_path / "files"
    folder.mkdir()
    for path in files.FILES.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(files, "FILES", folder)
    monkeypatch.setattr(bundled, "FILES", folder)
    surrogate.load_bundled.cache_clear()
    yield folder
    surrogate.load_bundled.cache_clear()


def test_data_list(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AUTOBUILD_DATA", str(tmp_path))
    (tmp_path / "ofa_pn_custom_cache.pkl").write_bytes(b"")
    code, out, err = run("data", "list")
    lines = {line.split()[0]: line for line in out.splitlines()}
    tables = [table for benchmark in ab.data.benchmarks().values() for table in benchmark.tables]
    assert (code, err) == (0, "")
    assert len(lines) == len(ab.data.manifest()) + len(released.RELEASED) + len(tables)
    assert "surrogate" in lines["ofa_mbv3"] and "3,000 rows" in lines["ofa_mbv3"] and "latency_npu" in lines["ofa_mbv3"]
    assert lines["released:ofa_pn"].endswith("here") and "not here" not in lines["released:ofa_pn"]
    assert lines["released:ofa_mbv3"].endswith("not here: run `autobuild data fetch ofa_mbv3`")


def test_data_list_shows_which_benchmarks_are_here(
    run: Run, monkeypatch: pytest.MonkeyPatch, datasets: Path, tmp_path: Path
) -> None:
    monkeypatch.setenv("AUTOBUILD_DATA", str(tmp_path))
    (tmp_path / "help-ofa").mkdir()
    for file in ("ofa_archs.pt", "latency_v100_1.pt"):
        shutil.copyfile(datasets / "help-ofa" / file, tmp_path / "help-ofa" / file)
    lines = {line.split()[0]: line for line in run("data", "list")[1].splitlines()}
    assert lines["help-ofa:v100_1"].endswith(" here") and "5,000 rows" in lines["help-ofa:v100_1"]
    for source in ("help-ofa", "help-ofa:v100_32"):
        assert lines[source].endswith("not here: run `autobuild data fetch help-ofa`")
    assert lines["accel-nasbench"].endswith("not here: run `autobuild data fetch accel-nasbench`")
    assert lines["nas-bench-graph:proteins"].split()[1:] == ["benchmark", "2,021", "rows", "here"]
    monkeypatch.setattr(importlib.metadata, "distribution", absent)
    lines = {line.split()[0]: line for line in run("data", "list")[1].splitlines()}
    assert lines["nas-bench-graph:proteins"].endswith("pip install 'autobuild-book[benchmarks]'")


@pytest.mark.parametrize("content", [b"", b"x" * 300, None])
def test_data_list_names_a_damaged_file(
    run: Run, monkeypatch: pytest.MonkeyPatch, datasets: Path, tmp_path: Path, content: bytes | None
) -> None:
    monkeypatch.setenv("AUTOBUILD_DATA", str(tmp_path))
    shutil.copytree(datasets / "help-ofa", tmp_path / "help-ofa", copy_function=shutil.copyfile)
    path = tmp_path / "help-ofa" / "latency_v100_32.pt"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + b"x" if content is None else content)
    lines = {line.split()[0]: line for line in run("data", "list")[1].splitlines()}
    for source in ("help-ofa", "help-ofa:v100_32"):
        assert lines[source].endswith(" damaged, latency_v100_32.pt: run `autobuild data fetch help-ofa`")
    assert lines["help-ofa:v100_64"].endswith("rows  here")
    code, _, err = run("data", "verify")
    assert code == 1 and str(path) in err and "run `autobuild data fetch help-ofa`" in err and err.count("\n") == 1
    path.write_bytes(whole)
    lines = {line.split()[0]: line for line in run("data", "list")[1].splitlines()}
    assert lines["help-ofa"].endswith("rows  here") and lines["help-ofa:v100_32"].endswith("rows  here")


def test_data_list_compares_released_caches_with_their_record(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AUTOBUILD_DATA", str(tmp_path))
    file = released.RELEASED["ofa_pn"]
    (tmp_path / file).write_bytes(b"whole")
    (tmp_path / "checksums.json").write_text(json.dumps({file: hashlib.sha256(b"whole").hexdigest()}))
    states = []
    for content in (b"whole", b"who"):
        (tmp_path / file).write_bytes(content)
        (line,) = [line for line in run("data", "list")[1].splitlines() if line.startswith("released:ofa_pn ")]
        states.append(line.split(maxsplit=2)[2])
    assert states == ["here", f"damaged, {file}: run `autobuild data fetch ofa_pn`"]


def absent(name: str) -> None:
    raise importlib.metadata.PackageNotFoundError(name)


def test_data_list_with_a_home_that_nobody_has(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOBUILD_DATA", "~nobody_of_this_name/data")
    code, _, err = run("data", "list")
    assert code == 1 and "AUTOBUILD_DATA" in err and err.count("\n") == 1


@pytest.fixture
def no_downloads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty folder for downloaded data."""
    monkeypatch.setenv("AUTOBUILD_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def test_data_verify(run: Run, copied: Path, no_downloads: Path) -> None:
    code, out, err = run("data", "verify")
    assert (code, err) == (0, "") and out.count("\n") == len(ab.data.manifest()) + len(surrogate.SPACES) + 1
    assert "ofa_pn.csv" in out and "surrogate of ofa_mbv3" in out and "nas-bench-graph: 9 of 9" in out


def test_data_verify_checks_the_benchmarks_that_are_here(run: Run, datasets: Path, no_downloads: Path) -> None:
    folder = no_downloads / "accel-nasbench"
    folder.mkdir(parents=True)
    for file in ("fewproxy-seed1.csv", "fewproxy-seed2.csv"):
        (folder / file).write_bytes((datasets / "accel-nasbench" / file).read_bytes())
    code, out, err = run("data", "verify")
    assert (code, err) == (0, "") and "accel-nasbench: 2 of 7" in out and "help-ofa" not in out
    (folder / "fewproxy-seed2.csv").write_bytes(b"")
    code, _, err = run("data", "verify")
    assert code == 1 and err.count("\n") == 1 and str(folder / "fewproxy-seed2.csv") in err


@pytest.mark.parametrize("name", ["ofa_mbv3.csv", "ofa_pn.csv", "surrogate_ofa_pn.safetensors"])
def test_data_verify_names_a_changed_or_missing_file(run: Run, copied: Path, name: str) -> None:
    content = bytearray((copied / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copied / name).write_bytes(content)
    code, _, err = run("data", "verify")
    assert code == 1 and err.count("\n") == 1 and str(copied / name) in err and "sha256" in err
    (copied / name).unlink()
    code, _, err = run("data", "verify")
    assert code == 1 and err.count("\n") == 1 and str(copied / name) in err


@pytest.mark.parametrize(
    "card", ["{}", "[]", "no", '{"sha256": 1, "network": {"hops": 0}}', '{"sha256": 1, "network": 3}']
)
def test_data_verify_refuses_a_damaged_model_card(run: Run, copied: Path, card: str) -> None:
    (copied / "surrogate_ofa_mbv3.json").write_text(card)
    code, _, err = run("data", "verify")
    assert code == 1 and err.count("\n") == 1 and str(copied / "surrogate_ofa_mbv3.json") in err


def test_data_build_makes_the_bundled_tables_again(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("data", "build", "--folder", tmp_path / "built")
    assert code == 0 and str(tmp_path / "built") in out
    entries = json.loads((tmp_path / "built" / "manifest.json").read_text(encoding="utf-8"))
    for name, entry in entries.items():
        content = (tmp_path / "built" / entry["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"]
        made = ab.data.load(tmp_path / "built" / entry["file"], surrogate.SPACES[name]())
        bundled = ab.data.load(name)
        assert made.architectures == bundled.architectures and len(set(made.architectures)) == 3000
        pd.testing.assert_frame_equal(made.labels, bundled.labels, rtol=1e-4, atol=2e-6)
        kept = entry | {"sha256": ab.data.manifest()[name].sha256}
        assert files.Bundled(name=name, **kept) == ab.data.manifest()[name]


def test_noise_of_the_bundled_tables_is_the_published_test_error() -> None:
    for family in surrogate.SPACES:
        table = ab.data.load(family)
        assert table.noise_free is not None and list(table.labels) == [*surrogate.LABELS, "flops_m"]
        for label in surrogate.LABELS:
            noise = table.labels[label] - table.noise_free[label]
            stated = published()[family][label]["mae"]
            assert noise.abs().mean() == pytest.approx(stated, rel=0.06)
            assert noise.std() == pytest.approx(stated * np.sqrt(np.pi / 2), rel=0.06)
            assert abs(noise.mean()) < 4 * noise.std() / np.sqrt(3000)
            assert abs(np.corrcoef(noise, table.noise_free[label])[0, 1]) < 0.075
