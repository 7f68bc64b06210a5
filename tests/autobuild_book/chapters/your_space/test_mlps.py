"""Perceptrons: networks, images, training, and the committed table."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import autobuild_lib as ab
from autobuild_book.chapters.shared import perceptrons
from autobuild_book.chapters.your_space import experiment, mlps
from autobuild_book.chapters.your_space.figures import search_beside_table
from autobuild_lib.data import files
from autobuild_lib.data.files import FILES

TEXT = "width32;linear_dropout0,tanh_dropout0.3|width6;relu_dropout0|linear_dropout0.1"
ROWS = FILES / f"{mlps.NAME}_rows.csv"


@pytest.fixture(scope="module")
def committed() -> ab.data.Table:
    return ab.data.load(mlps.NAME)


def test_a_network_layer_by_layer() -> None:
    network = mlps.build(mlps.mlp_space().parse(TEXT))
    linear = [(m.in_features, m.out_features) for m in network if isinstance(m, torch.nn.Linear)]
    assert linear == [(64, 32), (32, 32), (32, 6), (6, 6), (6, 10)]
    kinds = [type(m).__name__ for m in network if not isinstance(m, torch.nn.Linear | torch.nn.Dropout)]
    assert kinds == ["Identity", "Tanh", "ReLU", "Identity"]
    assert [m.p for m in network if isinstance(m, torch.nn.Dropout)] == [0, 0.3, 0, 0.1]
    assert network(torch.zeros(5, 64)).shape == (5, 10)
    assert mlps.count_parameters(mlps.mlp_space().parse(TEXT)) == 65 * 32 + 33 * 32 + 33 * 6 + 7 * 6 + 7 * 10


def test_the_parts_of_the_images_have_nothing_in_common() -> None:
    parts = [mlps.digits(part) for part in mlps.PARTS]
    assert [len(images) for images, _ in parts] == list(mlps.PARTS.values()) and sum(mlps.PARTS.values()) == 1797
    for images, classes in parts:
        assert (images.min(), images.max()) == (-1, 1) and set(classes.tolist()) == set(range(10))
    both = torch.cat([images for images, _ in parts])
    assert len(torch.unique(both, dim=0)) == len(both)
    with pytest.raises(ValueError, match="part='test'; choose from train, labels, final"):
        mlps.digits("test")


def test_training_depends_on_the_seed_alone_and_leaves_the_random_state() -> None:
    architecture = mlps.mlp_space().parse("width32;relu_dropout0|width12;relu_dropout0.1|tanh_dropout0")
    state = torch.get_rng_state()
    first, again = (mlps.train(architecture, 3) for _ in range(2))
    other = mlps.train(architecture, 4)
    assert torch.equal(torch.get_rng_state(), state) and not first.training
    assert torch.equal(first[0].weight, again[0].weight) and not torch.equal(first[0].weight, other[0].weight)
    assert mlps.accuracy(first) > 0.85 > mlps.accuracy(mlps.build(architecture).eval())


def test_comparisons_are_paired_by_seed() -> None:
    rows = [("built", "a", 1, 0.9), ("built", "b", 1, 0.8), ("table", "c", 1, 0.8)]
    rows += [("built", "a", 2, 0.7), ("table", "c", 2, 0.5), ("built", "a", 3, 0.6), ("table", "c", 3, 0.5)]
    runs = pd.DataFrame(rows, columns=["choice", "architecture", "seed", "accuracy"])
    (found,) = experiment.gains(runs).to_dict("records")  # 0.85 - 0.8, 0.7 - 0.5 and 0.6 - 0.5
    mean = 0.35 / 3
    half = 4.302653 * np.std([0.05, 0.2, 0.1], ddof=1) / 3**0.5  # t(0.975, 2)
    assert found["choice"] == "built"
    assert [found[name] for name in ("gain", "low", "high")] == pytest.approx([mean, mean - half, mean + half])
    (found,) = experiment.gains(runs[runs.seed < 3]).to_dict("records")
    assert found["gain"] == pytest.approx(0.125) and np.isnan([found["low"], found["high"]]).all()


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ((-0.017, np.nan, np.nan), "1.7 points behind (too few"),
        ((0.02, -0.01, 0.05), "2.0 points ahead (95 % interval -1.0 to +5.0)"),
    ],
)
def test_gains_in_words(numbers: tuple[float, float, float], text: str) -> None:
    assert experiment.in_words(*numbers).startswith(text)


def test_the_figure_has_the_table_and_every_round() -> None:
    table = pd.DataFrame({"accuracy": [0.5, 0.6], "parameters": [10, 100]})
    axes = search_beside_table(table, table.assign(round=[0, 1]), "accuracy", "parameters").axes[0]
    assert [line.get_label() for line in axes.get_lines()] == ["table", "random start", "round 1"]
    assert axes.get_xscale() == "log" and axes.get_xlabel() == "parameters"


# -------------------------------------------------------------------- the committed table


def test_the_table_is_made_of_its_rows(committed: ab.data.Table, tmp_path: Path) -> None:
    entry = mlps.write_table(ROWS, tmp_path)
    assert files.Bundled(name=mlps.NAME, **entry) == ab.data.manifest()[mlps.NAME]
    for name in (entry["file"], entry["space"], ROWS.name):
        assert (tmp_path / name).read_bytes() == (FILES / name).read_bytes()


def test_the_table_is_what_the_chapters_need(committed: ab.data.Table) -> None:
    assert committed.kind == "measured here" and committed.space == mlps.mlp_space()
    assert set(committed.architectures) == set(mlps.sample_architectures(len(committed))) and len(committed) >= 200
    counted = [mlps.count_parameters(one) for one in committed.architectures]
    assert committed.labels.parameters.tolist() == counted
    by_seed = pd.read_csv(ROWS).pivot(index="architecture", columns="seed", values="accuracy")
    assert by_seed.corr(method="spearman").iloc[0, 1] > 0.8  # between two trainings: labels are worth learning


def test_a_row_can_be_measured_again() -> None:
    """To the last bit on the machine that built the table; elsewhere training amplifies what is rounded differently."""
    rows = mlps.ROWS.read(ROWS)
    row = min(rows, key=lambda row: row.parameters)
    again = mlps.Job(mlps.mlp_space().parse(row.architecture), row.seed).run()
    assert again.key == row.key and again.parameters == row.parameters
    assert again.accuracy > 3 / mlps.CLASSES or row.accuracy < 3 / mlps.CLASSES, "it learnt, as it did there"


def test_rows_of_unequal_seeds_are_refused(tmp_path: Path) -> None:
    lines = ROWS.read_text().splitlines(keepends=True)
    (tmp_path / "rows.csv").write_text("".join(lines[:-1]))
    with pytest.raises(ValueError, match=r"seeds \[0\], .* \[0, 1\]"):
        mlps.write_table(tmp_path / "rows.csv", tmp_path)


@pytest.mark.parametrize("content", ["", "architecture,se", ",".join(mlps.ROWS.columns) + "\n", "TORN"])
def test_a_table_needs_rows(tmp_path: Path, content: str) -> None:
    torn = "".join(ROWS.read_text().splitlines(keepends=True)[:2])[:-5]
    (tmp_path / "rows.csv").write_text(torn if content == "TORN" else content)
    with pytest.raises(ValueError, match=r"rows.csv: .*no rows; `autobuild task mlps measure` makes them"):
        mlps.write_table(tmp_path / "rows.csv", tmp_path)


def test_measuring_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, ones = tmp_path / "rows.csv", mlps.sample_architectures(2)
    monkeypatch.setattr(perceptrons, "EPOCHS", 1)
    first = mlps.measure(ones[:1], [0, 1], out, progress=False)
    both = mlps.measure(ones, [0, 1], out, progress=False)
    assert both[:2] == first and [row.seed for row in both] == [0, 1, 0, 1] and mlps.ROWS.read(out) == both
    assert np.isfinite([row.seconds for row in both]).all()


def test_the_command_measures_and_joins_the_manifest(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(perceptrons, "EPOCHS", 1)
    rows, folder = tmp_path / "rows.csv", tmp_path / "made"
    code, out, _ = run("task", "mlps", "measure", "--sample", 2, "--seeds", 5, "--out", rows)
    assert code == 0 and "2 rows of 2 architectures" in out
    assert run("task", "mlps", "table", "--rows", rows, "--folder", folder)[0] == 0
    entry = json.loads((folder / "manifest.json").read_text())[mlps.NAME]
    assert entry["rows"] == 2 and entry["builder"].startswith("autobuild task mlps measure --sample 2 --seeds 5")
