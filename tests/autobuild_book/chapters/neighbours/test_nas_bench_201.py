"""Cells of NAS-Bench-201: what the published files say, edge by edge."""

import hashlib
import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autobuild_book.chapters.neighbours import nas_bench_201
from autobuild_book.chapters.neighbours.nas_bench_201 import ACCURACIES, DEVICES, NOTHING, SPACE, UNITS
from autobuild_lib.data.table import DataError, Table
from autobuild_lib.spaces import Architecture


@pytest.fixture(scope="module")
def table(datasets: Path) -> Table:
    return nas_bench_201.load(datasets, devices=True)


def reaches_the_output(cell: Architecture) -> bool:
    """Whether operations other than "none" lead from node 0 to node 3: an oracle that knows edges, and no links."""
    names = [unit["layers"][0] for unit in cell.units()]
    reached = {0}
    for (source, target), name in sorted(zip(UNITS, names, strict=True)):
        if source in reached and name != NOTHING:
            reached.add(target)
    return 3 in reached


def test_units_are_joined_where_their_edges_meet() -> None:
    lists = [[n for n, (_, end) in enumerate(UNITS) if end == start] for start, _ in UNITS]
    assert [list(row) for row in SPACE.links[0][1]] == lists
    assert len(list(itertools.islice(SPACE, 20_000))) == SPACE.size == 5**6


def test_the_cell_that_computes_nothing_is_the_one_that_guesses(table: Table) -> None:
    accuracies = table.labels["acc"].to_numpy()
    cut = [not reaches_the_output(cell) for cell in table.architectures]
    assert accuracies[cut].tolist() == [10.0], "isomorphic copies are left out, and so one stands for all"
    assert (accuracies == 10.0).sum() == 1
    assert sum(not reaches_the_output(cell) for cell in SPACE) > 100


def test_rows_are_those_of_the_files(table: Table, datasets: Path) -> None:
    assert len(table) == 9445 and table.kind == "benchmark"
    best = table.architectures[int(np.argmax(table.labels["acc"]))]
    conv3, skip, conv1 = "nor_conv_3x3", "skip_connect", "nor_conv_1x1"
    assert str(best) == "|".join([conv3, conv1, conv3, skip, conv1, conv3]), "(2, 3, 0, 2, 3, 2), in order of targets"
    row = pd.read_csv(datasets / "nas-bench-201" / DEVICES.name, index_col="net").loc["(2, 3, 0, 2, 3, 2)"]
    assert table.labels.loc[table.labels["acc"].idxmax(), "pixel3_latency"] == row["pixel3_latency"]


def test_a_file_that_is_not_here_or_not_theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOBUILD_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError) as missing:
        nas_bench_201.load()
    place = tmp_path / nas_bench_201.NAME / ACCURACIES.name
    assert str(place) in str(missing.value) and nas_bench_201.ADDRESS in str(missing.value)
    place.parent.mkdir()
    place.write_text("net,val_accs\n")
    with pytest.raises(DataError, match="sha256"):
        nas_bench_201.load()


def test_checksums_are_those_of_the_copies(datasets: Path) -> None:
    for file in (ACCURACIES, DEVICES):
        content = (datasets / nas_bench_201.NAME / file.name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == file.sha256
