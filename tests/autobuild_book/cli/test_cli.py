"""The command line: help, wrong usage, interrupts, and errors in one line."""

import argparse
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

import autobuild_lib as ab
from autobuild_book import cli
from autobuild_book.chapters.your_space import mlps
from autobuild_book.pages import building, states
from autobuild_lib import training
from tests.helpers.commands import Run, assert_refused, assert_wrong_usage

HEAVY = {"matplotlib.pyplot", "seaborn", "autobuild_book.pages", "autobuild_book.chapters"}


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
    assert code == 130 and err.count("\n") == 1 and err.endswith(f" {tmp_path / 'rows.csv'}\n")


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
        (MemoryError(), "memory"),
        (MemoryError("Unable to allocate 8 TiB"), "(Unable to allocate 8 TiB)"),
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
    assert code == 1 and err.startswith("autobuild: ") and err.endswith(f"{text}\n") and err.count("\n") == 1


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
    assert code == 1 and err.startswith("autobuild: ") and err.count("\n") == 1 and f" {tmp_path}: " in err
    assert list(tmp_path.iterdir()) == []


def test_book(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert_refused(run("book", "--profile", "quick"), "no notebooks in", "clone")
    missing = {"08_peers": states.Missing("08_peers", states.NOT_RUN, "")}
    monkeypatch.setattr(building, "build", lambda profile, root: states.Chapters(profile, {}, {}, missing))
    code, out, err = run("book")
    assert (code, err) == (0, "") and out.splitlines()[0].startswith("08_peers")
    assert out.splitlines()[1].endswith(str(tmp_path / "_build" / "html" / "index.html"))
