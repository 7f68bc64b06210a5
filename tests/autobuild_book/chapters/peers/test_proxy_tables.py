"""Measured proxies: the sample, rows that survive a kill, the tables made from them, and the commands."""

import argparse
import hashlib
import json
from dataclasses import astuple, fields, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

import autobuild_lib as ab
from autobuild_book.chapters.peers import proxy_tables
from autobuild_book.chapters.peers.proxy_tables import (
    SPACES,
    Job,
    Measurement,
    initial_network,
    measure,
    row_format,
    sample_architectures,
    write_tables,
)
from autobuild_book.chapters.shared.models.proxies import PROXIES, Minibatch, measure_proxies
from autobuild_book.cli import tasks
from autobuild_lib.data import files
from autobuild_lib.storage import replace_text
from tests.helpers.recorded import record

TINY = Minibatch(resolution=32, batch=2)
NAMES = [proxy.name for proxy in PROXIES]


def fake(job: Job) -> Measurement:
    number = float(sum(job.architecture.code)) / 3
    return Measurement(*job.key, 5, 6, *[number] * 8, seconds=1.5, machine="a machine, with a comma")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Job]:
    """Replace measuring by made-up numbers; the list of jobs that were run."""
    return record(monkeypatch, Job, fake)


def run(*arguments: object) -> None:
    parser = argparse.ArgumentParser()
    tasks.add_tasks(parser)
    given = parser.parse_args(["proxies", *map(str, arguments)])
    given.run(given)


# -------------------------------------------------------------------- rows


def test_a_row_has_every_proxy_and_a_real_one_is_what_the_library_measures(tmp_path: Path) -> None:
    (architecture,) = sample_architectures("ofa_pn", 1)
    state = torch.get_rng_state()
    (row,) = measure("ofa_pn", [architecture], TINY, tmp_path / "new" / "rows.csv", progress=False)
    assert torch.equal(torch.get_rng_state(), state)
    assert [f.name for f in fields(Measurement)][4:-2] == NAMES
    found = measure_proxies(initial_network(architecture), 32, 2, 0)
    assert astuple(row)[4:-2] == tuple(found.values()) and row.key == (str(architecture), 32, 2, 0)
    assert row_format("ofa_pn").read(tmp_path / "new" / "rows.csv") == [row] and row.seconds > 0


def test_all_networks_start_from_the_same_seed() -> None:
    first, second = (dict(initial_network(a).named_parameters()) for a in sample_architectures("ofa_mbv3", 2))
    assert torch.equal(first["stem.0.weight"], second["stem.0.weight"])


@pytest.mark.parametrize("space", SPACES)
def test_the_sample_has_labels_and_a_smaller_one_begins_it(space: str) -> None:
    sample, labelled = sample_architectures(space, 500), ab.data.load(space).architectures
    assert len(set(sample)) == 500 and set(sample) <= set(labelled) and sample[:30] == sample_architectures(space, 30)
    assert sample != list(labelled[:500])
    assert set(sample_architectures(space, 3000)) == set(labelled)


def test_what_cannot_be_sampled() -> None:
    with pytest.raises(ValueError, match=r"space='mine'; choose from ofa_mbv3, ofa_pn"):
        sample_architectures("mine", 1)
    with pytest.raises(ValueError, match=r"size=3001; allowed are 1 to 3,000"):
        sample_architectures("ofa_pn", 3001)
    with pytest.raises(ValueError, match="ofa_mbv3"):
        measure("ofa_mbv3", sample_architectures("ofa_pn", 1), TINY, Path("never"))


def test_rows_that_are_there_are_not_measured_again(asked: list[Job], tmp_path: Path) -> None:
    out, three = tmp_path / "rows.csv", sample_architectures("ofa_mbv3", 3)
    measure("ofa_mbv3", three[:2], TINY, out, progress=False)
    rows = measure("ofa_mbv3", three, TINY, out, progress=False)
    assert [job.architecture for job in asked] == three and [row.architecture for row in rows] == [*map(str, three)]
    measure("ofa_mbv3", three, replace(TINY, resolution=9), out, progress=False)
    assert len(asked) == 6 == len(row_format("ofa_mbv3").read(out))


# -------------------------------------------------------------------- tables


@pytest.fixture
def rows_file(asked: list[Job], tmp_path: Path) -> Path:
    """Rows of four networks, and of two of them on larger images, in another order than the sample's."""
    path, sample = tmp_path / "rows.csv", sample_architectures("ofa_mbv3", 4)
    measure("ofa_mbv3", sample[:2], replace(TINY, resolution=224), path, progress=False)
    measure("ofa_mbv3", sample[::-1], TINY, path, progress=False)
    return path


def test_tables_of_both_minibatches(rows_file: Path, tmp_path: Path) -> None:
    entries, sample = write_tables(rows_file, "ofa_mbv3", tmp_path / "to"), sample_architectures("ofa_mbv3", 4)
    assert list(entries) == ["proxies_ofa_mbv3", "proxies_ofa_mbv3_224"]
    for name, size in zip(entries, (4, 2), strict=True):
        bundled = files.Bundled(name=name, **entries[name])
        frame = pd.read_csv(tmp_path / "to" / bundled.file)
        assert list(frame) == list(bundled.columns) == ["architecture", *NAMES]
        assert list(frame["architecture"]) == [*map(str, sample[:size])] and bundled.rows == size
        assert list(frame["zen"]) == [fake(Job(a, TINY)).zen for a in sample[:size]]
        assert bundled.sha256 == hashlib.sha256((tmp_path / "to" / bundled.file).read_bytes()).hexdigest()
    first, second = entries.values()
    assert "--sample 4 --resolution 32 --batch 2 --seed 0" in first["builder"]
    assert "2 images" in second["source"] and "224 x 224" in second["source"] and "1.50 s" in second["source"]


def test_rows_that_make_no_table(rows_file: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(ValueError, match=r"empty\.csv: .*no rows; `autobuild task proxies measure` makes them"):
        write_tables(tmp_path / "empty.csv", "ofa_mbv3", tmp_path)
    measure("ofa_mbv3", sample_architectures("ofa_mbv3", 1), Minibatch(224, 9), rows_file, progress=False)
    with pytest.raises(ValueError, match=r"rows\.csv: tables proxies_ofa_mbv3_224, proxies_ofa_mbv3_224 of different"):
        write_tables(rows_file, "ofa_mbv3", tmp_path)


def test_an_architecture_without_labels_is_named(asked: list[Job], tmp_path: Path) -> None:
    space, path = SPACES["ofa_pn"], tmp_path / "rows.csv"
    smallest = space.from_lists([["mbconv2_e3_k3"] * 2] * 5 + [["mbconv2_e3_k3"]], resolution=224)
    measure("ofa_pn", [smallest], TINY, path, progress=False)
    with pytest.raises(ValueError, match=r"rows\.csv: .* bundled table ofa_pn"):
        write_tables(path, "ofa_pn", tmp_path)
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.parametrize("name", ["proxies_ofa_mbv3", "proxies_ofa_pn"])
def test_a_bundled_row_is_what_is_measured_now(name: str) -> None:
    if name not in ab.data.manifest():
        pytest.skip("the table is not measured yet")
    table, space = ab.data.load(name), name.removeprefix("proxies_")
    assert [*table.architectures] == sample_architectures(space, len(table)) and table.kind == "measured here"
    words = table_options(ab.data.manifest()[name].builder)
    found = measure_proxies(initial_network(table.architectures[0]), *words)
    bundled = table.labels[NAMES].iloc[0]
    for proxy in NAMES:  # sums of terms that nearly cancel are no more exact than this
        assert bundled[proxy] == pytest.approx(found[proxy], rel=0.02, abs=0.5 if proxy == "grasp" else 0), proxy


def table_options(builder: str) -> list[int]:
    """Resolution, batch and seed in a command."""
    words = builder.replace(",", "").split()
    return [int(words[words.index(option) + 1]) for option in ("--resolution", "--batch", "--seed")]


# -------------------------------------------------------------------- commands


def test_measure_and_table(asked: list[Job], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = tmp_path / "rows.csv"
    for sample in (2, 3):
        run("measure", "--space", "ofa_pn", "--sample", sample, "--resolution", 64, "--batch", 4, "--out", rows)
    assert [job.architecture for job in asked] == sample_architectures("ofa_pn", 3)
    assert {job.minibatch for job in asked} == {Minibatch(64, 4, 0)}
    assert capsys.readouterr().out.endswith(f"3 rows are in {rows}\n")
    (tmp_path / "manifest.json").write_text(json.dumps({"other": {"rows": 1}}))
    run("table", "--space", "ofa_pn", "--rows", rows, "--folder", tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert list(manifest) == ["other", "proxies_ofa_pn"] and manifest["other"] == {"rows": 1}
    assert manifest["proxies_ofa_pn"]["rows"] == 3 and "proxies_ofa_pn.csv (3 arch" in capsys.readouterr().out


def test_a_place_that_cannot_be_written_is_refused_before_the_work(asked: list[Job], tmp_path: Path) -> None:
    replace_text(tmp_path / "file", "")
    with pytest.raises(OSError, match="cannot write into"):
        run("measure", "--space", "ofa_pn", "--sample", 1, "--out", tmp_path / "file" / "rows.csv")
    assert not asked


@pytest.mark.parametrize(
    "wrong",
    ["measure --space ofa_pn --out o", "measure --space ofa_pn --sample 1", "measure --sample 1 --out o",
     "measure --space toy --sample 1 --out o", "measure --space ofa_pn --sample 0 --out o", "table --rows r",
     "measure --space ofa_pn --sample 1 --batch 1 --out o", "table --space ofa_pn", "",
     "measure --space ofa_pn --sample 1 --resolution 0 --out o"],
)  # fmt: skip
def test_wrong_usage(asked: list[Job], wrong: str) -> None:
    with pytest.raises(SystemExit) as stop:
        run(*wrong.split())
    assert stop.value.code == 2 and not asked


def test_measure_passes_on_what_it_is_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    calls: list[Any] = []
    monkeypatch.setattr(proxy_tables, "measure", lambda *given, **options: calls.append((given, options)) or [])
    run("measure", "--space", "ofa_pn", "--sample", 1, "--seed", 7, "--workers", 2, "--out", tmp_path / "r.csv")
    given = ("ofa_pn", sample_architectures("ofa_pn", 1), Minibatch(seed=7), tmp_path / "r.csv")
    assert calls == [(given, {"workers": 2})]
