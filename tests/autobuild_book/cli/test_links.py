"""The way from a CSV to a search by commands, for a space with links."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import autobuild_lib as ab

Run = Callable[..., tuple[int, str, str]]
CELL = [[], [], [0], [], [0], [1, 2]]
CHOICE = {"cell": CELL, "row": [[], [0], [1], [2], [3], [4]], "wide": [[]] * 6}
EVALUATOR = """
import pandas as pd


def count(architectures):
    return pd.DataFrame({"good": [str(a).count("c") for a in architectures], "cost": [str(a).count("a") for a in architectures]})
"""  # noqa: E501


@pytest.mark.parametrize("links", [CELL, CHOICE], ids=["fixed", "named"])
def test_every_command_takes_it(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: list[list[int]] | dict[str, list[list[int]]]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "my_counts.py").write_text(EVALUATOR, encoding="utf-8")
    space = ab.SequenceSpace("cells", [ab.Unit(1, 1)] * 6, {"op": ["a", "b", "c"]}, links=links)
    Path("space.json").write_text(json.dumps(space.to_json()), encoding="utf-8")
    drawn = {space.canonical(a): str(a) for a in space.sample(120, 0)}
    pd.DataFrame({"architecture": drawn.values(), "good": [t.count("c") for t in drawn.values()]}).to_csv("t.csv")
    source = ["--data", "t.csv", "--space", "space.json"]
    assert run("fit", *source, "--target", "good", "--epochs", 1, "--width", 4, "--out", "p")[0] == 0
    assert run("evaluate", "--data", "t.csv", "--predictor", "p")[0] == 0
    for score in ("norm", "effect"):
        code, out, _ = run("score", "--predictor", "p", "--score", score, "--hosts", 2, "--out", "s.csv")
        assert code == 0 and "18 modules" in out and len(pd.read_csv("s.csv")) == 18
    code, out, _ = run("build", "--predictor", "p", "--k", 2, "--out", "r.json")
    assert code == 0 and "64 networks" in out
    goals = ["--evaluator", "my_counts:count", "--maximise", "good", "--minimise", "cost"]
    for where in (["--reduced", "r.json"], ["--space", "space.json"]):
        sizes = ["--start", 5, "--rounds", 1, "--mutations", 5]
        assert run("search", *where, *goals, *sizes, "--log", f"{where[1]}l", "--out", "e.csv")[0] == 0
        evaluated = list(map(space.parse, pd.read_csv("e.csv").architecture))
        assert len({space.canonical(a) for a in evaluated}) == len(evaluated) >= 7  # `wide`, two contents: no more


def test_wrong_links_of_a_file_are_one_line(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "space.json"
    record = ab.SequenceSpace("cells", [ab.Unit(1, 1)] * 2, {"op": ["a"]}, links=[[], []]).to_json()
    path.write_text(json.dumps({**record, "links": [[1], [0]]}), encoding="utf-8")
    code, _, err = run("search", "--space", path, "--evaluator", "json:loads")
    assert code == 1 and "space.json: space 'cells': links" in err and "cycle" in err and err.count("\n") == 1
