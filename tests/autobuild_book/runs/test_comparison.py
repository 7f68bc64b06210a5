"""Comparisons: what differs, which numbers there are, what is refused, and the files and figure of the command."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autobuild_book.figures.comparison import run_comparison
from autobuild_book.runs.comparison import compare, read_metrics

TABLE = [
    {"family": "ofa_mbv3", "preset": "paper", "head": 0.9, "interval": "rows", "seeds": 1},
    {"family": "ofa_mbv3", "preset": "tuned", "head": 0.95, "interval": "seeds", "seeds": 3},
]


Run = Callable[..., tuple[int, str, str]]


def write(
    folder: Path, name: str, parameters: dict[str, Any], metrics: dict[str, Any], notebook: str = "01_some"
) -> Path:
    record = {"notebook": notebook, "parameters": parameters, "data": [], "versions": {}, "seconds": 1.0}
    path = folder / name / notebook / "metrics.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(record | {"metrics": metrics}))
    return path


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Four runs, two targets with two seeds each."""
    for target, seed in [("acc", 1), ("acc", 2), ("latency", 1), ("latency", 2)]:
        parameters = {"seed": seed, "targets": [target], "epochs": 3, "out": f"a/{target}{seed}"}
        metrics = {"verdict": "partly", "srcc": 0.5 + seed / 10, "holds": True, "counts": [1, 2], "table": TABLE}
        write(tmp_path, f"{target}-{seed}", parameters, metrics)
    return tmp_path


def test_parameters_that_differ_and_metrics_that_are_numbers(runs: Path) -> None:
    found = compare([runs])
    assert found.notebook == "01_some" and found.parameters == ("seed", "targets")
    numbers = ("table[paper].head", "table[paper].seeds", "table[tuned].head", "table[tuned].seeds")
    assert found.metrics == ("srcc", *numbers)
    assert list(found.table) == ["run", *found.parameters, *found.metrics]
    assert list(found.table.run) == ["acc-1", "acc-2", "latency-1", "latency-2"]
    assert list(found.table.targets) == ["acc", "acc", "latency", "latency"] and list(found.table.seed) == [1, 2, 1, 2]
    assert list(found.table.srcc) == [0.6, 0.7, 0.6, 0.7] and set(found.table["table[tuned].head"]) == {0.95}


def test_a_file_and_its_folder_are_the_same_run(runs: Path) -> None:
    file = runs / "acc-1" / "01_some" / "metrics.json"
    assert len(compare([file, runs / "acc-1", runs / "acc-2"]).table) == 2


def test_a_metric_that_some_runs_lack_is_empty_there(runs: Path) -> None:
    write(runs, "more", {"seed": 3, "targets": ["acc", "latency"], "epochs": 3, "out": "b"}, {"new": 1})
    table = compare([runs]).table.set_index("run")
    assert table.new.isna().sum() == 4 and np.isnan(table.srcc["more"])
    assert table.targets["more"] == '["acc", "latency"]'


def test_rows_that_texts_do_not_tell_apart_have_numbers(tmp_path: Path) -> None:
    write(tmp_path, "one", {}, {"rows": [{"a": 1.0, "b": "x"}, {"a": 2.0, "b": "x"}], "single": [{"a": 3.0}]})
    table = compare([tmp_path]).table
    assert (table["rows[0].a"][0], table["rows[1].a"][0], table["single.a"][0]) == (1.0, 2.0, 3.0)


def test_a_metric_with_the_name_of_a_parameter(tmp_path: Path) -> None:
    for seed in (1, 2):
        write(tmp_path, f"s{seed}", {"seed": seed}, {"seed": 10 * seed, "run": 1})
    assert list(compare([tmp_path]).table) == ["run", "seed", "seed (metric)", "run (metric)"]


@pytest.mark.parametrize("text", ["", "{}", "[]", "3", '{"metrics": {"a": 1}}', "[" * 100_000, "\udcff", "{1}"])
def test_files_that_are_not_metrics_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "metrics.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ValueError, match=rf"{re.escape(str(path))}: not the metrics"):
        compare([tmp_path])


def test_a_record_with_a_wrong_part_is_refused(runs: Path) -> None:
    path = runs / "acc-1" / "01_some" / "metrics.json"
    record = read_metrics(path)
    for name in record:
        path.write_text(json.dumps(record | {name: None}))
        with pytest.raises(ValueError, match="not the metrics"):
            read_metrics(path)


def test_runs_of_two_notebooks_and_none_at_all(runs: Path) -> None:
    with pytest.raises(ValueError, match=r"there is no metrics\.json"):
        compare([runs / "nothing"])
    write(runs, "other", {}, {}, notebook="02_other")
    with pytest.raises(ValueError, match="several notebooks: 01_some, 02_other"):
        compare([runs])


# -------------------------------------------------------------------- the figure and the command


HOSTILE = "<script>alert(1)</script>&\x1b]0;title\x07\x1b[31m$\\frac$"


def test_names_and_values_reach_page_terminal_and_picture_as_text(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in (1, 2):
        parameters = {"seed": number, "target": HOSTILE + str(number), HOSTILE: number}
        write(tmp_path / "runs", f"{number}<b>\x1b[2J", parameters, {HOSTILE: number, "a$b": 1, "x$y$": 2.0}, "<i>$x^$")
    code, out, _ = run("compare", tmp_path / "runs", "--out", tmp_path / "out")
    page, drawn, table = ((tmp_path / "out" / f"comparison.{kind}").read_text() for kind in ("html", "svg", "csv"))
    assert code == 0 and not any("\x1b" in text or "\x07" in text for text in (out, page, drawn, table))
    assert not any(mark in page for mark in ("<script", "<b>", "<i>")) and "&lt;script&gt;" in page
    assert drawn.rstrip().endswith("</svg>")


def test_runs_without_metrics_are_named(run: Run, runs: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    begun = runs / "begun" / "01_some.ipynb"
    begun.parent.mkdir()
    begun.write_text("{}")
    assert len(compare([runs]).table) == 4
    assert "1 runs have no metrics" in caplog.text and "begun" in caplog.text
    with pytest.raises(ValueError, match=r"begun: there is no metrics\.json"):
        compare([runs / "begun"])
    with pytest.raises(ValueError, match=r"nowhere: .*no such folder"):
        compare([runs / "nowhere"])


def test_a_message_of_a_megabyte_is_shortened(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path, "a", {}, {"x": 1})
    path.write_text(path.read_text().replace("01_some", "b" * 10**6))
    write(tmp_path, "c", {}, {"x": 1})
    code, _, err = run("compare", path, tmp_path / "c")
    assert code == 1 and len(err) < 3000 and len(err.splitlines()) == 1


def test_the_figure_has_a_row_for_each_group_and_the_mean_of_its_runs(runs: Path) -> None:
    found = compare([runs])
    figure = run_comparison(found.table, found.parameters, ["srcc", "table[paper].head"])
    first, second = figure.axes
    assert [label.get_text() for label in first.get_yticklabels()] == ["targets acc", "targets latency"]
    points = {tuple(line.get_xdata()) for line in first.get_lines() if line.get_marker() == "o"}
    assert points == {(0.6, 0.7)} and first.get_title(loc="left") == "srcc"
    means = [float(bar.lines[0].get_xdata()[0]) for bar in first.containers]
    assert means == pytest.approx([0.65, 0.65]) and second.get_title(loc="left") == "table[paper].head"


def test_a_figure_of_one_run_and_of_runs_without_a_number() -> None:
    table = pd.DataFrame({"run": ["a", "b"], "seed": [1, 2], "m": [0.5, np.nan]})
    (axes,) = run_comparison(table, ["seed"], ["m"]).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["all runs"]


def test_the_command_writes_a_table_a_page_and_pictures(run: Run, runs: Path, tmp_path: Path) -> None:
    write(runs, "<b>", {"seed": 3, "targets": ["a & b"], "epochs": 3, "out": ""}, {"srcc": 0.1})
    code, out, err = run("compare", runs, "--metric", "srcc", "--out", tmp_path / "made")
    assert (code, err) == (0, "") and "5 runs of 01_some, 1 metrics" in out
    table = pd.read_csv(tmp_path / "made" / "comparison.csv")
    assert list(table) == ["run", "seed", "targets", "srcc"] and len(table) == 5
    page = (tmp_path / "made" / "comparison.html").read_text()
    assert "&lt;b&gt;" in page and "a &amp; b" in page and "<b>" not in page
    assert (tmp_path / "made" / "comparison.png").read_bytes()[:4] == b"\x89PNG"
    assert "<svg" in (tmp_path / "made" / "comparison.svg").read_text()


def test_the_command_refuses_an_unknown_metric_in_one_line(run: Run, runs: Path) -> None:
    code, _, err = run("compare", runs, "--metric", "acc*")
    assert (
        code == 1 and err.startswith("autobuild: ") and all(name in err for name in ("acc*", "srcc, table[paper].head"))
    )


def test_a_metric_that_does_not_exist_in_a_run_is_empty_there(tmp_path: Path) -> None:
    for seed, value in enumerate([0.5, None]):
        write(tmp_path, f"run-{seed}", {"seed": seed}, {"srcc": value, "other": None})
    found = compare([tmp_path])
    assert found.metrics == ("srcc",) and found.table.srcc.tolist()[0] == 0.5 and np.isnan(found.table.srcc[1])
    assert run_comparison(found.table, ["seed"], ["srcc"])._repr_png_()
