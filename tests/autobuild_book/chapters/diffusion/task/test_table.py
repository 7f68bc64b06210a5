"""The table of U-Nets: made from measured rows, and the committed one as its manifest and a new measurement say."""

import json
from dataclasses import astuple, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import autobuild_lib as ab
from autobuild_book.chapters.diffusion.task.measuring import (
    Job,
    Measurement,
    read_rows,
    rows_to_csv,
    sample_architectures,
)
from autobuild_book.chapters.diffusion.task.space import costs, unet_space
from autobuild_book.chapters.diffusion.task.table import (
    MEASURED,
    NAME,
    UNITS,
    by_architecture,
    intraclass_correlation,
    seed_agreement,
    write_table,
)
from autobuild_book.chapters.diffusion.task.training import Recipe
from autobuild_book.measured.tasks import machine
from autobuild_lib.data import files
from autobuild_lib.data.files import FILES
from autobuild_lib.storage import replace_text

SAMPLE = sample_architectures(30)


def synthetic(seed_sd: float = 0.1, shift: float = 0.3) -> list[Measurement]:
    """Rows of 30 architectures and 2 seeds: an effect of the architecture, one of the seed, and noise."""
    rng, rows = np.random.default_rng(0), []
    for architecture, (macs, parameters) in zip(SAMPLE, costs(SAMPLE).to_numpy(), strict=True):
        for seed in (0, 1):
            label = -np.log(macs) + shift * seed + rng.normal(scale=seed_sd)
            given = (str(architecture), seed, "labels", Recipe().id, float(label), 0.4, float(-label / 3))
            rows.append(Measurement(*given, int(macs), int(parameters), 30.0, machine()))
    return rows


@pytest.fixture
def rows_file(tmp_path: Path) -> Path:
    """A file of rows, not in the order of architectures and seeds."""
    path = tmp_path / "rows.csv"
    replace_text(path, rows_to_csv([*synthetic()[1::2], *synthetic()[::2]]))
    return path


# -------------------------------------------------------------------- how much the architecture explains


def test_agreement_of_a_published_example() -> None:
    """Six targets rated by four judges (Shrout and Fleiss, 1979): ICC(2,1) = 0.29, ICC(3,1) = 0.71 in 0.34 to 0.95."""
    ratings = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    found = intraclass_correlation(ratings)
    assert found.other_seeds == pytest.approx(0.2898, abs=1e-4)
    assert (found.shared_seeds, found.low, found.high) == pytest.approx((0.7148, 0.342, 0.946), abs=1e-3)


def test_agreement_by_hand() -> None:
    shifted = np.array([[1.0, 2.0], [3.0, 4.5], [5.0, 6.0]])
    found = intraclass_correlation(shifted)
    assert found.spread == pytest.approx(np.std([1.5, 3.75, 5.5], ddof=1))
    assert found.seed_sd == pytest.approx(np.sqrt((0.5 + 1.125 + 0.5) / 3))
    assert found.low < found.shared_seeds < found.high and found.other_seeds < found.shared_seeds


def test_agreement_recovers_the_parts_it_is_made_of() -> None:
    rng = np.random.default_rng(0)
    labels = 3 * rng.normal(size=(4000, 1)) + rng.normal(size=(4000, 2))
    found = intraclass_correlation(labels)
    assert found.shared_seeds == pytest.approx(0.9, abs=0.01) == found.other_seeds
    assert found.high - found.low < 0.02 and found.seed_sd == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("shape", [(1, 2), (5, 1), (4,), (0, 2)])
def test_agreement_needs_two_of_each(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"shape \("):
        intraclass_correlation(np.zeros(shape))


# -------------------------------------------------------------------- from rows to a table


def bundle(folder: Path, entry: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "manifest.json").write_text(json.dumps({NAME: entry}))
    monkeypatch.setattr(files, "FILES", folder)
    monkeypatch.setattr(files, "manifest", files.manifest.__wrapped__)


def test_the_written_table_can_be_loaded(rows_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "made"
    entry = write_table(rows_file, folder)
    bundle(folder, entry, monkeypatch)
    table = ab.data.load(NAME)
    assert table.space == unet_space() and len(table) == 30 and table.kind == "measured here"
    assert list(table.labels) == list(UNITS) and set(entry["columns"]) == {"architecture", *UNITS}
    first = [row for row in synthetic() if row.architecture == str(table.architectures[7])]
    assert len(first) == 2
    for name in UNITS:
        assert table.labels[name][7] == pytest.approx(sum(getattr(row, name) for row in first) / 2, rel=1e-12)
    assert table.labels[["macs", "parameters"]].equals(costs(table.architectures).astype(float))


def test_the_rows_behind_it_stand_beside_it(rows_file: Path, tmp_path: Path) -> None:
    write_table(rows_file, tmp_path / "made")
    written = read_rows(tmp_path / "made" / f"{NAME}_rows.csv")
    assert sorted(map(str, written)) == sorted(map(str, synthetic()))
    assert [row.seed for row in written] == [0, 1] * 30
    entry, again = (write_table(p, tmp_path / "made") for p in (rows_file, tmp_path / "made" / f"{NAME}_rows.csv"))
    assert entry == again


def test_rows_written_twice_count_once() -> None:
    assert by_architecture([*synthetic(), *synthetic()]).equals(by_architecture(synthetic()))


def test_agreement_of_rows() -> None:
    found = seed_agreement(synthetic())
    labels = pd.DataFrame(synthetic()).pivot_table(index="architecture", columns="seed", values="log_distance")
    assert astuple(found) == pytest.approx(astuple(intraclass_correlation(labels)))
    assert found.shared_seeds > 0.9 > found.other_seeds and seed_agreement(synthetic(), "flow_loss").spread > 0


BAD = {
    "no rows": ([], "rows.csv: .*`autobuild task diffusion measure`"),
    "two halves": (lambda r: [*r, replace(r[0], half="final")], "several values of half: labels, final"),
    "two recipes": (lambda r: [replace(r[0], recipe="other"), *r[1:]], "several values of recipe: other, "),
    "a run is missing": (lambda r: r[:-1], r"seeds \[0\], .* \[0, 1\]"),
}


@pytest.mark.parametrize("case", BAD)
def test_rows_that_make_no_table(tmp_path: Path, case: str) -> None:
    change, message = BAD[case]
    replace_text(tmp_path / "rows.csv", rows_to_csv(change(synthetic()) if callable(change) else change))
    with pytest.raises(ValueError, match=message):
        write_table(tmp_path / "rows.csv", tmp_path / "made")
    assert not (tmp_path / "made").exists()


# -------------------------------------------------------------------- the committed table

ROWS = FILES / f"{NAME}_rows.csv"


@pytest.fixture
def committed() -> ab.data.Table:
    """The bundled table; a test skips while it has not been measured yet."""
    if NAME not in ab.data.manifest():
        pytest.skip(f"the table {NAME} is not committed yet: autobuild task diffusion measure, then table")
    return ab.data.load(NAME)


def test_the_committed_table_is_made_of_its_rows(committed: ab.data.Table, tmp_path: Path) -> None:
    entry = write_table(ROWS, tmp_path)
    known = ab.data.manifest()[NAME]
    own = {name: known.beside[name] for name in entry["beside"]}  # what was built later stands beside it too
    assert files.Bundled(name=NAME, **entry) == replace(known, beside=own)
    assert [(tmp_path / name).read_bytes() for name in (entry["space"], ROWS.name)] == [
        (FILES / name).read_bytes() for name in (entry["space"], ROWS.name)
    ]


def test_the_committed_table_is_what_the_chapter_needs(committed: ab.data.Table) -> None:
    assert set(committed.architectures) == set(sample_architectures(68)) and committed.space == unet_space()
    assert {row.recipe for row in read_rows(ROWS)} == {Recipe().id}
    assert committed.labels[["macs", "parameters"]].equals(costs(committed.architectures).astype(float))
    assert committed.labels[list(MEASURED)].std().gt(0).all()


@pytest.mark.slow
def test_a_cheap_row_can_be_measured_again(committed: ab.data.Table) -> None:
    """To the last bit on the machine that built the table; elsewhere nearer than the table's best is to its worst."""
    rows = read_rows(ROWS)
    cheap = min(rows, key=lambda row: row.macs)
    again = Job(unet_space().parse(cheap.architecture), cheap.seed, cheap.half).run()
    for name in MEASURED:
        values = [getattr(row, name) for row in rows]
        assert abs(getattr(again, name) - getattr(cheap, name)) < max(values) - min(values), name
