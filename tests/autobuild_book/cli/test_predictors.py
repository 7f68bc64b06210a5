"""Commands that train and evaluate predictors, and what they refuse before a training begins."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import autobuild_lib as ab
from autobuild_book.cli.predictors import count_trained_on
from autobuild_lib import saved, training
from tests.helpers.commands import Run, assert_refused


def no_training(*_: Any, **__: Any) -> Any:
    raise AssertionError("refused too late: training has begun")


def test_fit_then_evaluate(fit_toy: Run, run: Run, toy_files: dict[str, Path], tmp_path: Path) -> None:
    code, out, _ = fit_toy(target="additive / (other + 20)", epochs=2, seed=7, split_seed=3, preset="tuned")
    assert code == 0 and out.endswith(f"saved in {tmp_path / 'made'}\n")
    assert (tmp_path / "made" / "config.json").is_file() and len(list((tmp_path / "made").iterdir())) == 2
    made = ab.load(tmp_path / "made")
    assert made.target == "additive / (other + 20)" and made.provenance["seed"] == 7
    assert made.provenance["preset"] == "tuned" and made.provenance["training"]["epochs"] == 2

    code, again, err = run("evaluate", "--predictor", tmp_path / "made", "--split-seed", 3, *sum(toy_files.items(), ()))
    assert (code, err) == (0, "") and out.startswith(again)
    test = ab.data.load(toy_files["--data"], space=made.space).split(0.9, seed=3)[1]
    report = ab.evaluate(made, test)
    first, *lines = again.splitlines()
    assert first.startswith(f"on {len(test)} rows (") and "95 %" in first and str(made.target) in first
    rows = [line.split() for line in lines[1:]]
    assert [" ".join(row[:-3] if row[0] == "hop" else row[:1]) for row in rows] == list(report.index)
    assert [float(row[2 if row[0] == "hop" else 1]) for row in rows] == pytest.approx(list(report.srcc), abs=1e-4)
    assert float(rows[-1][-1]) == pytest.approx(report.mae["head"], abs=1e-4)


def test_options_of_the_library_are_those_of_the_command(fit_toy: Run, tmp_path: Path) -> None:
    words = {"rank_loss": "off", "residual": "false", "learning_rate": "1e-3"}
    assert fit_toy(hops=2, width=6, batch_size=64, **words)[0] == 0
    made = ab.load(tmp_path / "made")
    assert (made.network.config.hops, made.network.config.width, made.network.config.residual) == (2, 6, False)
    training = made.provenance["training"]
    assert (training["learning_rate"], training["rank_loss"], training["batch_size"]) == (1e-3, "off", 64)


def test_fit_is_what_the_library_fits(fit_toy: Run, toy_table: ab.data.Table, tmp_path: Path) -> None:
    assert fit_toy()[0] == 0
    expected = ab.fit(toy_table.space, toy_table.split()[0], "additive", epochs=1)
    architectures = toy_table.architectures[:20]
    np.testing.assert_array_equal(ab.load(tmp_path / "made").predict(architectures), expected.predict(architectures))


def test_bundled_table_from_fit_to_evaluate(run: Run, tmp_path: Path) -> None:
    options = ["--data", "ofa_pn", "--target", "acc * 100 / latency_gpu", "--preset", "tuned", "--epochs", 2]
    code, out, _ = run("fit", *options, "--out", tmp_path / "made")
    assert code == 0 and float(out.splitlines()[7].split()[1]) > 0.5, "the head ranks after two epochs"
    assert run("evaluate", "--data", "ofa_pn", "--predictor", tmp_path / "made")[:2] == (
        0, out[: out.index("saved in")],
    )  # fmt: skip
    assert_refused(run("evaluate", "--data", "ofa_mbv3", "--predictor", tmp_path / "made"), "'ofa_mbv3'", "'ofa_pn'")


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"target": "speed"}, ["'speed'", "additive, other"]),
        ({"target": "__import__('os').getcwd()"}, ["__import__", "label names"]),
        ({"target": "log(additive - 1000)"}, ["is not finite"]),
        ({"target": "0 * additive"}, ["(0.0) for all 135"]),
        ({"target": ""}, ["is empty"]),
        ({"space": None}, ["toy.csv", "--space"]),
        ({"space": "ofa_mbv3"}, ["toy.csv, row 2", "expected resolution|unit 0"]),
        ({"space": "resnet"}, ["'resnet'", "ofa_mbv3", "ofa_pn", "JSON file"]),
        ({"data": "cifar"}, ["'cifar'", "ofa_mbv3, ofa_pn", "released:ofa_pn_pan_seg", ".csv or .pkl"]),
        ({"data": ""}, ["''"]),
        ({"data": "."}, ["'.'"]),
        ({"data": "released:cifar"}, ["'cifar'", "allowed: ofa_mbv3, ofa_pn"]),
        ({"data": "released:ofa_pn"}, ["autobuild data fetch", "ofa_pn_custom_cache.pkl"]),
    ],
)
def test_fit_refuses_before_training_and_leaves_nothing(
    fit_toy: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, changes: dict[str, Any], parts: list[str]
) -> None:
    monkeypatch.setenv("AUTOBUILD_DATA", str(tmp_path / "empty"))
    monkeypatch.setattr(training, "train_network", no_training)
    before = sorted(tmp_path.iterdir())
    assert_refused(fit_toy(**changes), *parts)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    "content",
    ["", "[1, 2]", "3", "null", '{"name": "x"}', "[" * 100_000, '{"units": 3}', b"\xff\xfe", '{"units": [7]}'],
    ids=["empty", "list", "number", "null", "part", "deep", "units", "bytes", "unit"],
)
def test_a_space_file_that_is_none_is_refused(fit_toy: Run, tmp_path: Path, content: str | bytes) -> None:
    (tmp_path / "bad.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert_refused(fit_toy(space=tmp_path / "bad.json"))


@pytest.mark.parametrize("rows", ["{0},1.0,2.0\n{0},1.0,2.0\n", "{0},nan,1\n", "{0},1\n", "mb9|x,1,2\n", ""])
def test_a_csv_that_cannot_be_used_is_refused_by_name(
    fit_toy: Run, tmp_path: Path, toy_table: ab.data.Table, rows: str
) -> None:
    filled = rows.format(f'"{toy_table.architectures[0]}"')
    (tmp_path / "bad.csv").write_text("architecture,additive,other\n" + filled, encoding="utf-8")
    assert_refused(fit_toy(data=tmp_path / "bad.csv"), "bad.csv")


def test_one_row_cannot_be_split(fit_toy: Run, toy_files: dict[str, Path]) -> None:
    lines = toy_files["--data"].read_text(encoding="utf-8").splitlines(keepends=True)
    toy_files["--data"].write_text("".join(lines[:2]), encoding="utf-8")
    assert_refused(fit_toy(), "cannot split 1 rows")


@pytest.mark.parametrize("place", ["toy.csv", "toy.csv/made"])
def test_a_place_that_is_no_folder_is_refused_before_training(
    fit_toy: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: str
) -> None:
    monkeypatch.setattr(training, "train_network", no_training)
    assert_refused(fit_toy(out=tmp_path / place), "toy.csv", "not a folder")


@pytest.mark.parametrize("fails_at", ["weights_bytes", "replace_bytes", "replace_text"])
def test_when_saving_fails_an_older_predictor_stays_whole(
    fit_toy: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, toy_table: ab.data.Table, fails_at: str
) -> None:
    def full(*_: Any) -> None:
        raise OSError("[Errno 28] No space left on device")

    assert fit_toy(out=tmp_path / "old")[0] == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "old").iterdir()}
    monkeypatch.setattr(saved, fails_at, full)
    for folder in ("old", "new"):
        code, out, err = fit_toy(out=tmp_path / folder, seed=1)
        assert code == 1 and out == "" and err.splitlines()[-1].startswith("autobuild: [Errno 28] ")
    assert {name: (tmp_path / "old" / name).read_bytes() for name in before} == before
    assert ab.load(tmp_path / "old").predict(toy_table.architectures[:3]).shape == (3,)
    with pytest.raises((OSError, ValueError)):
        ab.load(tmp_path / "new")


@pytest.mark.parametrize("name", ["a b", "öß", "-x", "a\nb", "caf\udce9", "\x1b[2J"])
def test_unusual_names_of_folders_and_files(
    fit_toy: Run, run: Run, toy_files: dict[str, Path], tmp_path: Path, name: str
) -> None:
    data = toy_files["--data"].rename(tmp_path / f"{name}.csv")
    assert fit_toy(out=tmp_path / name, data=data)[0] == 0
    code, out, _ = run("evaluate", "--data", data, "--space", toy_files["--space"], "--predictor", tmp_path / name)
    assert code == 0 and out.count("\n") == 8
    assert_refused(run("evaluate", "--data", tmp_path / name / "no.csv", "--predictor", tmp_path / name), "no.csv")
    assert_refused(fit_toy(data=data, out=data), ".csv")


@pytest.mark.parametrize("path", ["nowhere", "toy.csv", "a\0b", "x" * 5000])
def test_evaluate_names_a_folder_that_holds_no_predictor(
    run: Run, toy_files: dict[str, Path], tmp_path: Path, path: str
) -> None:
    assert_refused(run("evaluate", *sum(toy_files.items(), ()), "--predictor", tmp_path / path))


def test_evaluate_refuses_a_damaged_predictor(
    fit_toy: Run, run: Run, toy_files: dict[str, Path], tmp_path: Path
) -> None:
    fit_toy()
    (weights,) = (tmp_path / "made").glob("weights.safetensors")
    weights.write_bytes(weights.read_bytes()[:-10])
    given = ["evaluate", *sum(toy_files.items(), ()), "--predictor", tmp_path / "made"]
    assert_refused(run(*given), str(weights))
    (tmp_path / "made" / "config.json").write_text("[]")
    assert_refused(run(*given), "config.json")


def test_a_space_too_deep_for_the_hops_names_the_option_of_the_command(run: Run, tmp_path: Path) -> None:
    space = ab.SequenceSpace("cell", [ab.Unit(6, 6)], {"op": ["none", "skip", "c1"]})
    nets = list(dict.fromkeys(space.sample(np.random.default_rng(0), 60)))
    (tmp_path / "s.json").write_text(json.dumps(space.to_json()))
    (tmp_path / "t.csv").write_text("\n".join(["architecture,acc", *(f'"{a}",{i}' for i, a in enumerate(nets))]))
    fit = ("fit", "--data", tmp_path / "t.csv", "--space", tmp_path / "s.json", "--target", "acc", "--epochs", 1)
    assert run(*fit, "--out", tmp_path / "p")[0] == 0
    assert_refused(run("build", "--predictor", tmp_path / "p"), "--hops 5", "--score effect")
    assert run(*fit, "--out", tmp_path / "p", "--hops", 5)[0] == 0
    assert run("build", "--predictor", tmp_path / "p")[0] == 0


@pytest.mark.parametrize("target", ["val score", "`val score`", " val score "])
def test_a_label_with_a_space_is_a_target(
    fit_toy: Run, run: Run, toy_files: dict[str, Path], tmp_path: Path, target: str
) -> None:
    frame = pd.read_csv(toy_files["--data"])
    frame.rename(columns={"additive": "val score"}).to_csv(toy_files["--data"], index=False)
    words = [part for pair in toy_files.items() for part in pair]
    for options in ([], ["--drop-missing"]):
        code, out, err = run("fit", *words, "--target", target, "--epochs", 1, "--out", tmp_path / "made", *options)
        assert code == 0 and "head" in out, err
    code, _, err = fit_toy(target="no score")
    assert code == 1 and "`val score`" in err and len(err.splitlines()) == 1


@pytest.fixture(scope="module")
def additive(toy_table: ab.data.Table) -> ab.Predictor:
    return ab.fit(toy_table.space, toy_table.take(range(100)), "additive", epochs=1, width=8, hops=2)


def test_rows_that_a_predictor_was_trained_on_are_counted_whatever_their_file(
    additive: ab.Predictor, toy_table: ab.data.Table
) -> None:
    """The same rows in another order, with another label, or beside others, are another file."""
    records = [(a, {"noisy": float(i)}) for i, a in enumerate(toy_table.architectures)]
    again = ab.data.from_records(toy_table.space, records[::-1])
    assert again.sha256 != toy_table.sha256
    assert count_trained_on(additive, again) == 100
    assert count_trained_on(additive, toy_table.take(range(90, 150))) == 10
    assert count_trained_on(additive, toy_table.take(range(100, 150))) == 0


def test_a_predictor_of_before_is_compared_by_its_file(additive: ab.Predictor, toy_table: ab.data.Table) -> None:
    first, second = toy_table.split(0.9, seed=1)
    older = dataclasses.replace(additive, provenance={"data": first.describe()})
    assert count_trained_on(older, second) == 0
    assert count_trained_on(older, toy_table.split(0.9, seed=2)[1]) == 15
