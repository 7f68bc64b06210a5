"""The command line: what each command does, what it refuses in one line, and what it calls wrong usage."""

import argparse
import hashlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import autobuild_lib as ab
from autobuild_book import cli
from autobuild_book.chapters.own import mlps
from autobuild_book.cli import tables
from autobuild_book.measured import distillation
from autobuild_book.pages import building, states
from autobuild_lib import saved, surrogate, training
from autobuild_lib.data import files
from autobuild_lib.released import caches as released
from autobuild_lib.surrogate import bundled

Run = Callable[..., tuple[int, str, str]]
HEAVY = {"matplotlib.pyplot", "seaborn", "autobuild_book.pages", "autobuild_book.chapters"}


@pytest.fixture
def toy_files(toy: ab.SequenceSpace, toy_table: ab.data.Table, tmp_path: Path) -> dict[str, Path]:
    """A CSV of the toy table, and its space as JSON."""
    frame = pd.DataFrame({"architecture": list(map(str, toy_table.architectures))}).join(toy_table.labels)
    frame.to_csv(tmp_path / "toy.csv", index=False)
    (tmp_path / "toy.json").write_text(json.dumps(toy.to_json()), encoding="utf-8")
    return {"--data": tmp_path / "toy.csv", "--space": tmp_path / "toy.json"}


@pytest.fixture
def fit_toy(run: Run, toy_files: dict[str, Path], tmp_path: Path) -> Run:
    """Run `autobuild fit` on the toy table for one epoch, with some options replaced, or left out where None."""

    def command(**changes: object) -> tuple[int, str, str]:
        options = {**toy_files, "--target": "additive", "--epochs": 1, "--out": tmp_path / "made"}
        options |= {"--" + name.replace("_", "-"): value for name, value in changes.items()}
        given = [(name, value) for name, value in options.items() if value is not None]
        return run("fit", *(part for pair in given for part in pair))

    return command


def assert_refused(result: tuple[int, str, str], *parts: str) -> None:
    """Exit code 1, nothing on stdout, and one line on stderr that holds all `parts`."""
    code, out, err = result
    assert code == 1 and out == ""
    assert err.startswith("autobuild: ") and err.count("\n") == 1 and err.endswith("\n"), err
    assert "Traceback" not in err and err[:-1].isprintable()
    for part in parts:
        assert part in err, err


def assert_wrong_usage(result: tuple[int, str, str], *parts: str) -> None:
    code, out, err = result
    assert code == 2 and out == "" and "usage: autobuild" in err
    for part in parts:
        assert part in err, err


def no_training(*_: Any, **__: Any) -> Any:
    raise AssertionError("refused too late: training has begun")


# -------------------------------------------------------------------- help and usage


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for child in action.choices.values():
                yield from parsers(child)


def test_every_command_and_option_has_a_help_text() -> None:
    undocumented = []
    for parser in parsers(cli._parser(cli.COMMANDS)):
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                documented = {choice.dest for choice in action._choices_actions if choice.help}
                undocumented += [f"{parser.prog} {name}" for name in set(action.choices) - documented]
            elif not action.help:
                undocumented.append(f"{parser.prog} {action.option_strings or action.dest}")
    assert undocumented == []


def test_the_help_of_every_command_can_be_written(run: Run) -> None:
    commands = [parser.prog.split()[1:] for parser in parsers(cli._parser(cli.COMMANDS))]
    assert ["data", "fetch"] in commands and ["surrogate", "distill"] in commands and ["book"] in commands
    for command in commands:
        code, out, _ = run(*command, "--help")
        assert code == 0 and out.startswith(f"usage: {' '.join(['autobuild', *command])}")


def test_help_imports_no_command(tmp_path: Path) -> None:
    code = f"""
import sys
from autobuild_book import cli
before = set(sys.modules)
try:
    cli.main(["--help"])
except SystemExit:
    new = {{name for name in set(sys.modules) - before if name.startswith("autobuild_")}}
    assert not new and not {HEAVY!r} & set(sys.modules), new
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and all(name in done.stdout for name in cli.COMMANDS), done.stderr


def test_entry_point_and_version(run: Run) -> None:
    (entry,) = entry_points(group="console_scripts", name="autobuild")
    assert entry.load() is cli.main
    assert run("--version") == (0, f"autobuild {ab.__version__}\n", "")


@pytest.mark.parametrize(
    ("command", "parts"),
    [
        ("", ["required: command"]),
        ("data", ["required: action"]),
        ("train", ["'train'", "data", "fit", "evaluate", "surrogate", "book"]),
        ("data fetch everything", ["'everything'", "released", "checkpoints", "ofa_mbv3", "ofa_pn_pan_seg"]),
        ("data build --seed x", ["'x'", "whole numbers from 0 to"]),
        ("fit --data ofa_pn --target acc", ["required: --out"]),
        ("fit --data d --target acc --out o --preset fast", ["'fast'", "paper", "tuned"]),
        ("fit --data d --target acc --out o --epochs 0", ["--epochs: epochs is '0'", "whole numbers from 1 on"]),
        ("fit --data d --target acc --out o --epochs 1.5", ["--epochs: epochs is '1.5'", "whole numbers"]),
        ("fit --data d --target acc --out o --seed -1", ["--seed: '-1'", "from 0 to 4294967295"]),
        ("fit --data d --target acc --out o --seed 99999999999999999999999", ["--seed", "from 0 to 4294967295"]),
        ("fit --data d --target acc --out o --split-seed -1", ["--split-seed: '-1'"]),
        ("fit --data d --target acc --out o --learning-rate 0", ["--learning-rate: ", "'0'", "above 0"]),
        ("fit --data d --target acc --out o --hops 1e3", ["--hops: ", "'1e3'", "from 1 to 255"]),
        ("fit --data d --target acc --out o --residual no", ["--residual: ", "'no'", "true and false"]),
        ("fit --data d --target acc --out o --schedule cosine", ["--schedule: ", "'cosine'", "one_cycle"]),
        ("fit --data d --target acc --out o --depth 3", ["unrecognized arguments: --depth"]),
        ("evaluate --data d", ["required: --predictor"]),
        ("surrogate check", ["required: --checkpoints"]),
        ("surrogate check --checkpoints c --family resnet", ["'resnet'", "ofa_mbv3", "ofa_pn"]),
        ("surrogate distill --checkpoints c --size 1", ["--size: '1'", "whole numbers from 2 to"]),
        ("book --profile fast", ["'fast'", "quick", "standard", "paper"]),
    ],
)
def test_wrong_usage_says_what_is_allowed(run: Run, command: str, parts: list[str]) -> None:
    assert_wrong_usage(run(*command.split()), *parts)


def test_an_interrupt_has_its_own_exit_code(fit_toy: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def interrupted(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "fit", interrupted)
    code, out, err = fit_toy()
    assert (code, out, err) == (130, "", "autobuild: interrupted\n")
    assert not (tmp_path / "made").exists()


def test_an_interrupt_says_where_finished_rows_are(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def interrupted(*given: Any, **_: Any) -> Any:
        given[2].write_text("rows")
        raise KeyboardInterrupt

    monkeypatch.setattr(mlps, "measure", interrupted)
    code, _, err = run("task", "mlps", "measure", "--sample", 1, "--out", tmp_path / "rows.csv")
    assert (code, err) == (130, f"autobuild: interrupted; what was finished is kept in {tmp_path / 'rows.csv'}\n")


def test_an_interrupt_while_the_command_is_imported(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: str) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.importlib, "import_module", interrupted)
    assert run("fit", "--data", "ofa_pn") == (130, "", "autobuild: interrupted\n")


def test_a_process_that_died_is_said_in_one_line(fit_toy: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def died(*_: Any, **__: Any) -> Any:
        raise BrokenProcessPool("a process died")

    monkeypatch.setattr(training, "fit", died)
    assert_refused(fit_toy(), "a process died")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (MemoryError(), "there is not enough memory"),
        (MemoryError("Unable to allocate 8 TiB"), "there is not enough memory (Unable to allocate 8 TiB)"),
        (RuntimeError("mat1 and mat2\ncannot be multiplied"), "RuntimeError: mat1 and mat2 cannot be multiplied"),
        (RecursionError("too deep"), "RecursionError: too deep"),
    ],
)
def test_errors_of_libraries_are_said_in_one_line(
    fit_toy: Run, monkeypatch: pytest.MonkeyPatch, error: Exception, text: str
) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr(training, "fit", fails)
    code, _, err = fit_toy()
    assert (code, err) == (1, f"autobuild: {text}\n")


@pytest.mark.parametrize(
    "command",
    [
        "score --predictor p",
        "build --predictor p",
        "search --space ofa_mbv3",
        "surrogate check --checkpoints p",
        "surrogate distill --checkpoints p",
        "task mlps measure --sample 1",
        "task diffusion measure --sample 1",
        "task diffusion features",
        "task panoptic measure --sample 1",
        "task panoptic search",
        "task proxies measure --space ofa_pn --sample 1",
        "peers measure",
    ],
)
def test_a_folder_is_no_file_to_write(run: Run, tmp_path: Path, command: str) -> None:
    code, _, err = run(*command.split(), "--out", tmp_path)
    assert (code, err) == (1, f"autobuild: cannot write {tmp_path}: it is a folder\n")
    assert list(tmp_path.iterdir()) == []


# -------------------------------------------------------------------- fit and evaluate


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
        ({"target": "speed"}, ["no label 'speed'", "available labels: additive, other"]),
        ({"target": "__import__('os').getcwd()"}, ["is not a character of an equation", "allowed: label names"]),
        ({"target": "log(additive - 1000)"}, ["is not finite"]),
        ({"target": "0 * additive"}, ["has the same value (0.0) for all 135"]),
        ({"target": ""}, ["is empty"]),
        ({"space": None}, ["toy.csv", "needs its search space", "--space"]),
        ({"space": "ofa_mbv3"}, ["toy.csv, row 2", "expected resolution|unit 0"]),
        ({"space": "resnet"}, ["'resnet'", "ofa_mbv3", "ofa_pn", "JSON file"]),
        ({"data": "cifar"}, ["'cifar'", "ofa_mbv3, ofa_pn", "released:ofa_pn_pan_seg", ".csv or .pkl"]),
        ({"data": ""}, ["no such data: ''"]),
        ({"data": "."}, ["no such data: '.'"]),
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
        assert code == 1 and out == "" and err.splitlines()[-1] == "autobuild: [Errno 28] No space left on device"
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
    assert_refused(run(*given), "config.json", "not the configuration of a predictor")


# -------------------------------------------------------------------- data


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
    assert (code, err) == (0, "") and len(lines) == len(ab.data.manifest()) + len(released.RELEASED)
    assert "surrogate" in lines["ofa_mbv3"] and "3,000 rows" in lines["ofa_mbv3"] and "latency_npu" in lines["ofa_mbv3"]
    assert lines["released:ofa_pn"].endswith("here") and "not here" not in lines["released:ofa_pn"]
    assert lines["released:ofa_mbv3"].endswith("not here: autobuild data fetch ofa_mbv3")


def test_data_list_with_a_home_that_nobody_has(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOBUILD_DATA", "~nobody_of_this_name/data")
    code, _, err = run("data", "list")
    assert code == 1 and "AUTOBUILD_DATA" in err and err.count("\n") == 1


def test_data_verify(run: Run, copied: Path) -> None:
    code, out, err = run("data", "verify")
    assert (code, err) == (0, "") and out.count("\n") == len(ab.data.manifest()) + len(surrogate.SPACES)
    assert "ofa_pn.csv" in out and "surrogate of ofa_mbv3" in out


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
    assert code == 1 and err.count("\n") == 1 and "surrogate_ofa_mbv3.json: not the model card of a surrogate" in err


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
            stated = surrogate.published()[family][label]["mae"]
            assert noise.abs().mean() == pytest.approx(stated, rel=0.06)
            assert noise.std() == pytest.approx(stated * np.sqrt(np.pi / 2), rel=0.06)
            assert abs(noise.mean()) < 4 * noise.std() / np.sqrt(3000)
            assert abs(np.corrcoef(noise, table.noise_free[label])[0, 1]) < 0.075


# -------------------------------------------------------------------- downloads


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], str]]:
    """Serve a folder on the loopback address; return its address."""
    servers = []

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    def start(folder: Path) -> str:
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def caches(tmp_path: Path, serve: Callable[[Path], str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of small caches, served in place of the authors' data set."""
    folder = tmp_path / "served"
    folder.mkdir()
    for name, cache in released.RELEASED.items():
        (folder / cache.file_name).write_bytes(name.encode() * 1000)
    url = serve(folder)
    served = {name: replace(c, url=f"{url}/{c.file_name}") for name, c in released.RELEASED.items()}
    monkeypatch.setattr(released, "RELEASED", served)
    return folder


def test_fetch_all_caches_or_one(run: Run, caches: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, _ = run("data", "fetch", "released", "--folder", tmp_path / "all")
    assert code == 0 and out.splitlines() == [str(tmp_path / "all" / c.file_name) for c in released.RELEASED.values()]
    assert all((tmp_path / "all" / path.name).read_bytes() == path.read_bytes() for path in caches.iterdir())
    monkeypatch.setenv("AUTOBUILD_DATA", str(tmp_path / "one"))
    code, out, _ = run("data", "fetch", "ofa_pn")
    assert code == 0 and out == f"{tmp_path / 'one' / 'ofa_pn_custom_cache.pkl'}\n"
    listed = [line.split() for line in run("data", "list")[1].splitlines()]
    assert ["released:ofa_pn", "released", "here"] in listed


def test_fetch_refuses_what_is_not_there_or_has_changed(run: Run, caches: Path, tmp_path: Path) -> None:
    name = released.RELEASED["ofa_pn"].file_name
    fetch = ["data", "fetch", "ofa_pn", "--folder", tmp_path / "here"]
    content = (caches / name).read_bytes()
    (caches / name).unlink()
    assert_refused(run(*fetch), "404", name, f"put the file at {tmp_path / 'here' / name}")
    assert not (tmp_path / "here" / name).exists()

    (caches / name).write_bytes(content)
    assert run(*fetch)[0] == 0
    (tmp_path / "here" / name).unlink()
    (caches / name).write_bytes(content[::-1])
    code, out, err = run(*fetch)
    assert code == 1 and out == "" and "sha256" in err.splitlines()[-1] and "Traceback" not in err
    assert not list((tmp_path / "here").glob("*.pkl*"))


def test_fetch_into_a_file_is_refused(run: Run, caches: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert_refused(run("data", "fetch", "ofa_pn", "--folder", tmp_path / "file"), str(tmp_path / "file"))


def test_fetch_checkpoints_only_as_published(
    run: Run, reference: Path, serve: Callable[[Path], str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    served = tmp_path / "served"
    served.mkdir()
    for path in (reference / "l1_predictors").glob("*.pt"):
        (served / path.name).symlink_to(path)
    monkeypatch.setattr(tables, "CHECKPOINTS", serve(served))
    code, out, _ = run("data", "fetch", "checkpoints", "--folder", tmp_path / "here")
    assert code == 0 and len(out.splitlines()) == 8 and all(Path(line).is_file() for line in out.splitlines())
    damaged = Path(out.splitlines()[-1])
    (served / damaged.name).unlink()
    (served / damaged.name).write_bytes(damaged.read_bytes()[::-1])
    damaged.unlink()
    code, out, err = run("data", "fetch", "checkpoints", "--folder", tmp_path / "here")
    assert code == 1 and damaged.name in err.splitlines()[-1] and not damaged.exists()


# -------------------------------------------------------------------- surrogates and book


def test_distill_and_check_one_family(
    run: Run, reference: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(distillation, "TRAINING", replace(distillation.TRAINING, epochs=2))
    given = ["--checkpoints", reference / "l1_predictors", "--family", "ofa_pn", "--folder", tmp_path / "made"]
    given += ["--size", 60]
    code, out, _ = run("surrogate", "distill", *given)
    assert code == 0
    assert sorted(p.name for p in (tmp_path / "made").iterdir()) == [
        "surrogate_ofa_pn.json", "surrogate_ofa_pn.safetensors",
    ]  # fmt: skip
    rows = [line.split() for line in out.splitlines()[1:]]
    assert [(row[1], row[2], row[3]) for row in rows] == [
        ("ofa_pn", sample, label) for sample in ("uniform", "extreme") for label in surrogate.LABELS
    ]
    assert run("surrogate", "check", *given)[:2] == (0, out), "a check is repeatable"
    (tmp_path / "made" / "surrogate_ofa_pn.safetensors").write_bytes(b"")
    assert_refused(run("surrogate", "check", *given), "surrogate_ofa_pn.safetensors", "sha256")


def test_check_of_the_bundled_surrogates_prints_their_fidelity(run: Run, reference: Path) -> None:
    folder = reference / "l1_predictors"
    code, out, err = run("surrogate", "check", "--checkpoints", folder, "--size", 100)
    rows = [line.split()[1:] for line in out.splitlines()[1:]]
    tables = [distillation.fidelity(surrogate.load_bundled(name), name, folder, 100) for name in surrogate.SPACES]
    expected = pd.concat(tables)
    assert (code, err) == (0, "")
    assert [row[:3] for row in rows] == expected[["family", "sample", "label"]].to_numpy().tolist()
    np.testing.assert_allclose(np.array([row[3:] for row in rows], float), expected.iloc[:, 3:], atol=5.1e-5)
    assert expected.ratio.max() < 1, "nearer to the checkpoints than they are to measurements"


def test_surrogates_need_the_published_checkpoints(run: Run, reference: Path, tmp_path: Path) -> None:
    given = ["surrogate", "distill", "--folder", tmp_path / "made", "--family", "ofa_pn", "--checkpoints"]
    assert_refused(run(*given, tmp_path / "nowhere"), "no such checkpoint", "autobuild data fetch checkpoints")
    for path in (reference / "l1_predictors").glob("*ofa_pn*"):
        (tmp_path / path.name).write_bytes(path.read_bytes() + b"x")
    assert_refused(run(*given, tmp_path), "sha256", "ofa_pn_custom_acc")
    assert not (tmp_path / "made").exists()


def test_book(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert_refused(run("book", "--profile", "quick"), "no notebooks in", "clone")
    missing = {"08_peers": states.Missing("08_peers", states.NOT_RUN, "")}
    monkeypatch.setattr(building, "build", lambda profile, root: states.Chapters(profile, {}, {}, missing))
    code, out, err = run("book")
    assert (code, err) == (0, "") and out.splitlines()[0].startswith("08_peers")
    assert out.splitlines()[1].endswith(str(tmp_path / "_build" / "html" / "index.html"))


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
