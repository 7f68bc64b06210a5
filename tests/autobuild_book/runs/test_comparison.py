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
from autobuild_book.runs.comparison import ORIGINS, compare
from autobuild_book.runs.metrics import read_metrics

TABLE = [
    {"family": "ofa_mbv3", "preset": "paper", "head": 0.9, "interval": "rows", "seeds": 1},
    {"family": "ofa_mbv3", "preset": "tuned", "head": 0.95, "interval": "seeds", "seeds": 3},
]


Run = Callable[..., tuple[int, str, str]]


def write(
    folder: Path, name: str, parameters: dict[str, Any], metrics: dict[str, Any], notebook: str = "01_some", **more: Any
) -> Path:
    record = {"notebook": notebook, "parameters": parameters, "data": [], "versions": {}, "seconds": 1.0, **more}
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
    assert list(found.table) == ["run", *found.parameters, *ORIGINS, *found.metrics]
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
    assert list(compare([tmp_path]).table) == ["run", "seed", *ORIGINS, "seed (metric)", "run (metric)"]


def test_a_parameter_with_the_name_of_a_column(tmp_path: Path) -> None:
    for number in (1, 2):
        write(tmp_path, str(number), {"seed": number, "commit": number, "n": -number}, {"srcc": number})
    found = compare(tmp_path)
    assert found.parameters == ("seed", "commit (parameter)", "n (parameter)") and found.table.commit[0] == "unknown"
    assert found.summary().n.tolist() == [1, 1] and found.summary()["n (parameter)"].tolist() == [-1, -2]


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


def test_a_record_that_cannot_be_read_is_left_out_of_its_folder(runs: Path, caplog: pytest.LogCaptureFixture) -> None:
    number, broken = len(compare(runs).table), runs / "acc-1" / "01_some" / "metrics.json"
    broken.write_text("{")
    found = compare(runs)
    assert len(found.table) == number - 1 and "acc-1" not in set(found.table.run)
    assert [record.levelname for record in caplog.records] == ["WARNING"] and str(broken) in caplog.text
    with pytest.raises(ValueError, match="not the metrics"):
        compare(broken)


def test_runs_of_two_notebooks_and_none_at_all(runs: Path) -> None:
    with pytest.raises(ValueError, match=r"there is no metrics\.json"):
        compare([runs / "nothing"])
    write(runs, "other", {}, {}, notebook="02_other")
    with pytest.raises(ValueError, match="several notebooks: 01_some, 02_other"):
        compare([runs])


@pytest.mark.parametrize("as_given", [str, Path, lambda path: [path], lambda path: (str(path),)])
def test_one_call_takes_a_text_a_path_or_several(runs: Path, as_given: Callable[[Path], Any]) -> None:
    assert compare(as_given(runs)).table.equals(compare([runs]).table)


# -------------------------------------------------------------------- what was planned, and where runs come from


def test_how_many_of_the_planned_runs_there_are(runs: Path) -> None:
    assert compare(runs).planned is None
    names = ["acc-1", "acc-2", *(f"more-{number}" for number in range(10))]
    plan = {"notebook": "01_some", "profile": "quick", "runs": {name: {} for name in names}}
    (runs / "sweep.json").write_text(json.dumps(plan))
    assert compare(runs).planned == (2, 12) and re.findall(r"\d+", compare(runs).title) == ["2", "12", "01", "2"]
    for name in ("latency-1", "latency-2"):
        (runs / name / "01_some" / "metrics.json").unlink()
    assert re.findall(r"\d+", compare(runs).title) == ["2", "12", "01"]
    assert compare(runs / "acc-1").planned is None


@pytest.mark.parametrize("plan", ["", "[]", "{}", '{"notebook": "01_some", "profile": "quick", "runs": [1]}'])
def test_a_plan_that_is_none_is_refused(runs: Path, plan: str) -> None:
    (runs / "sweep.json").write_text(plan)
    with pytest.raises(ValueError, match=r"sweep\.json: not"):
        compare(runs)


def test_mean_interval_and_n_of_runs_that_differ_in_their_seed_alone(tmp_path: Path) -> None:
    for seed, value in enumerate([0.1, 0.2, 0.6]):
        write(tmp_path, f"a{seed}", {"seed": seed, "data": "a"}, {"srcc": value, "rare": seed or None})
    write(tmp_path, "b", {"seed": 0, "data": "b"}, {"srcc": 0.5})
    table = compare(tmp_path).summary()
    assert list(table) == ["data", "metric", "mean", "low", "high", "n"]
    assert table.data.tolist() == ["a", "a", "b", "b"] and table.metric.tolist() == ["srcc", "rare"] * 2
    assert table.n.tolist() == [3, 2, 1, 0] and table["mean"][:3].tolist() == pytest.approx([0.3, 1.5, 0.5])
    half = 4.302652729911275 * np.sqrt(0.07) / np.sqrt(3)  # t of 2 degrees of freedom; the variance is .14 / 2
    assert (table.low[0], table.high[0]) == pytest.approx((0.3 - half, 0.3 + half))
    assert table[["low", "high"]][2:].isna().all(axis=None) and np.isnan(table["mean"][3])


def test_the_interval_of_a_rank_correlation_is_cut_where_it_ends(tmp_path: Path) -> None:
    for seed, value in enumerate([0.7, 0.9]):
        write(tmp_path, f"a{seed}", {"seed": seed}, {"srcc": value, "gain": value})
    table = compare(tmp_path).summary().set_index("metric")
    assert table.high["srcc"] == 1.0 and table.low["srcc"] == table.low["gain"] < 0 and table.high["gain"] > 2


def test_runs_say_where_they_come_from(tmp_path: Path) -> None:
    record = {"commit": "a" * 40, "dirty": True, "sources": "b" * 64, "notebook_sha256": "c", "machine": "a machine"}
    record["versions"] = {"python": "3.11.7", "torch": "2.13.0"}
    write(tmp_path, "new", {"seed": 1}, {}, data=[{"source": "ofa_pn", "sha256": "d" * 64}], **record)
    write(tmp_path, "old", {"seed": 2}, {})
    table = compare(tmp_path).table.set_index("run")
    assert table.commit["new"].startswith("a" * 12) and "changes" in table.commit["new"]
    assert table.versions["new"] == "python 3.11.7, torch 2.13.0"
    assert table.data_sha256["new"] == f"ofa_pn {'d' * 12}" and table.machine["new"] == "a machine"
    assert table.loc["old", [*ORIGINS]].tolist() == ["unknown"] * 5


@pytest.mark.parametrize("name", ["sources", "notebook_sha256"])
def test_runs_of_different_code_are_warned_of(tmp_path: Path, name: str) -> None:
    same = {"sources": "a", "notebook_sha256": "b"}
    for number in range(3):
        write(tmp_path, str(number), {"seed": number}, {}, **same)
    assert compare(tmp_path).warnings == () and compare(tmp_path).table.code.nunique() == 1
    write(tmp_path, "other", {"seed": 3}, {}, **same | {name: "c"})
    (warning,) = compare(tmp_path).warnings
    assert re.findall(r"\b\d\b", warning) == ["3", "1"]
    assert set(compare(tmp_path).table.code) <= set(re.findall(r"\w+", warning))


def test_runs_of_different_data_are_warned_of(tmp_path: Path) -> None:
    for number, tables in enumerate([[("x", "1")], [("y", "2")], [("x", "1"), ("y", "2")]]):
        data = [{"source": source, "sha256": sha256} for source, sha256 in tables]
        write(tmp_path, str(number), {"seed": number}, {}, data=data)
    assert compare(tmp_path).warnings == (), "other sources are other parameters"
    write(tmp_path, "other", {"seed": 3}, {}, data=[{"source": "y", "sha256": "3"}])
    (warning,) = compare(tmp_path).warnings
    assert "y" in warning.split() and "x" not in warning.split()


def test_runs_of_different_versions_are_warned_of(run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    versions = {"python": "3.11.7", "torch": "2.13.0", "numpy": "2.3.0"}
    for number in range(3):
        write(tmp_path / "runs", str(number), {"seed": number}, {"srcc": 0.5}, versions=versions)
    write(tmp_path / "runs", "old", {"seed": 3}, {"srcc": 0.5}, versions={"python": "3.11.7"})
    assert compare(tmp_path).warnings == (), "what was not recorded is not another version"
    other = versions | {"torch": "2.6.0", "numpy": "2.1.0\x1b"}
    write(tmp_path / "runs", "other", {"seed": 4}, {"srcc": 0.5}, versions=other)
    about_torch, about_numpy = compare(tmp_path).warnings
    assert re.findall(r"(\d+) runs of ([\d.]+)", about_torch) == [("3", "2.13.0"), ("1", "2.6.0")]
    assert "torch" in about_torch.split() and "numpy" in about_numpy.split() and about_numpy.isprintable()
    code, out, _ = run("compare", tmp_path / "runs", "--out", tmp_path / "made")
    page = (tmp_path / "made" / "comparison.html").read_text()
    assert code == 0 and all("torch 2.6.0" in text and "torch 2.13.0" in text for text in (out, page))
    assert about_torch in page and about_torch in caplog.text


def test_the_command_shows_what_was_planned_and_warns(
    run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(2):
        write(tmp_path / "runs", str(number), {"seed": number}, {"srcc": 0.5}, sources=str(number), machine="a machine")
    plan = {"notebook": "01_some", "profile": "quick", "runs": {name: {} for name in "01234567890a"}}
    (tmp_path / "runs" / "sweep.json").write_text(json.dumps(plan))
    code, out, _ = run("compare", tmp_path / "runs", "--out", tmp_path / "made")
    page = (tmp_path / "made" / "comparison.html").read_text()
    assert code == 0 and len(caplog.records) == 1 and caplog.records[0].levelname == "WARNING"
    assert all("2 of 11 planned" in text and "a machine" in text for text in (out, page))
    assert "different code" in page and "different code" in caplog.text


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


@pytest.mark.parametrize(
    ("metric", "values", "within"),
    [
        ("srcc_head", [0.99, 0.2], True),  # its interval goes far beyond 1
        ("table[paper].hop 4", [-0.99, -0.2], True),
        ("gain", [0.99, 0.2], False),
        ("head", [99.0, 20.0], False),  # no correlation, then
    ],
)
def test_the_axis_of_a_rank_correlation_ends_where_it_can_be(metric: str, values: list[float], within: bool) -> None:
    table = pd.DataFrame({"run": ["a", "b"], "seed": [1, 2], metric: values})
    (axes,) = run_comparison(table, ["seed"], [metric]).axes
    low, high = axes.get_xlim()
    assert bool(low >= -1.02 and high <= 1.02) is within and low < min(values) and high > max(values)


def test_a_figure_of_one_run_and_of_runs_without_a_number() -> None:
    table = pd.DataFrame({"run": ["a", "b"], "seed": [1, 2], "m": [0.5, np.nan]})
    (axes,) = run_comparison(table, ["seed"], ["m"]).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["all runs"]


def test_the_command_writes_a_table_a_page_and_pictures(run: Run, runs: Path, tmp_path: Path) -> None:
    write(runs, "<b>", {"seed": 3, "targets": ["a & b"], "epochs": 3, "out": ""}, {"srcc": 0.1})
    code, out, err = run("compare", runs, "--metric", "srcc", "--out", tmp_path / "made")
    assert (code, err) == (0, "") and "5 runs of 01_some, 1 metrics" in out
    table = pd.read_csv(tmp_path / "made" / "comparison.csv")
    assert list(table) == ["run", "seed", "targets", *ORIGINS, "srcc"] and len(table) == 5
    assert pd.read_csv(tmp_path / "made" / "summary.csv").n.tolist() == [1, 2, 2]
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
