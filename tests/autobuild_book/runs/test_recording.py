"""Runs: unknown parameters are refused, and what is written says where it comes from."""

import hashlib
import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import autobuild_lib as ab
from autobuild_book.runs import origins, recording
from autobuild_book.runs.recording import PROFILES, Run

ALLOWED = ["profile", "seed", "out"]


@pytest.fixture
def given(tmp_path: Path) -> dict[str, Any]:
    """What `globals()` holds after a parameters cell in IPython, with imports."""
    internal = {"__name__": "__main__", "_ih": [""], "_": "", "In": [""], "Out": {}, "get_ipython": print, "exit": 1}
    return {**internal, "np": np, "Path": Path, "profile": "quick", "seed": 3, "out": str(tmp_path)}


def test_parameters_are_kept_without_what_ipython_adds(given: dict[str, Any], tmp_path: Path) -> None:
    run = Run.start("01_some", given, ALLOWED)
    assert run.parameters == {"profile": "quick", "seed": 3, "out": str(tmp_path)}
    assert run.folder == tmp_path / "01_some" and run.folder.is_dir()


def test_an_unknown_parameter_is_refused_by_name(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"01_some: .* sed; .* {', '.join(ALLOWED)}"):
        Run.start("01_some", given | {"sed": 4}, ALLOWED)


def test_a_missing_parameter_is_refused_by_name(given: dict[str, Any]) -> None:
    del given["seed"]
    with pytest.raises(ValueError, match="parameters are missing: seed"):
        Run.start("01_some", given, ALLOWED)


def test_an_unknown_profile_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"profile 'fast'.* {', '.join(PROFILES)}"):
        Run.start("01_some", given | {"profile": "fast"}, ALLOWED)


def test_nothing_is_written_for_refused_parameters(given: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unknown"):
        Run.start("01_some", given | {"sed": 4}, ALLOWED)
    assert not list(tmp_path.iterdir())


def test_a_table_is_written_and_returned(given: dict[str, Any]) -> None:
    run, frame = Run.start("01_some", given, ALLOWED), pd.DataFrame({"a": [1, 2], "b": [0.5, 0.25]})
    assert run.table("name", lambda: frame).equals(frame)
    assert (run.folder / "name.csv").read_text() == "a,b\n1,0.5\n2,0.25\n"


def test_metrics_hold_parameters_data_versions_and_time(given: dict[str, Any], toy_table: ab.data.Table) -> None:
    run = Run.start("01_some", given, ALLOWED)
    assert run.uses(toy_table) is toy_table
    run.finish(srcc=np.float64(0.5), counts=np.arange(3), nested={"a": [np.int64(1)]})
    record = json.loads((run.folder / "metrics.json").read_text())
    assert record["metrics"] == {"srcc": 0.5, "counts": [0, 1, 2], "nested": {"a": [1]}}
    assert record["parameters"]["seed"] == 3 and record["seconds"] >= 0
    assert record["data"] == [toy_table.describe()]
    assert {"python", "torch", "autobuild-book"} <= set(record["versions"])


def test_a_metric_that_json_cannot_hold_leaves_no_file(given: dict[str, Any]) -> None:
    run = Run.start("01_some", given, ALLOWED)
    with pytest.raises(TypeError, match="object is not JSON serializable"):
        run.finish(bad=object())
    assert not list(run.folder.iterdir())


def test_provenance_shows_profile_seed_checksum_and_version(given: dict[str, Any], toy_table: ab.data.Table) -> None:
    run = Run.start("01_some", given, ALLOWED)
    run.uses(toy_table)
    shown = run.provenance()["value"]
    assert shown["profile"] == "quick" and shown["seed"] == "3"
    assert toy_table.sha256[:12] in shown["data records"] and "autobuild-book" in shown["version"]
    assert run.sources[:12] in shown["sources"] and "cores" in shown["machine"]


def test_provenance_lists_every_parameter_in_full(given: dict[str, Any]) -> None:
    more = {"tuned_seeds": 2, "targets": ["acc", "acc * 100 / latency_gpu"], "sizes": [50, 100, 200, 400, 800]}
    shown = Run.start("01_some", given | more, [*ALLOWED, *more]).provenance()["value"]
    names = list(shown.index)
    first = names.index("parameters")
    last = next(place for place in range(first + 1, len(names)) if names[place])
    lines = shown.iloc[first:last]
    assert " ".join(lines) == ", ".join(f"{name} {value!r}" for name, value in more.items())
    assert shown.str.len().max() <= 50, "what pandas shows of a cell"


def test_metrics_say_where_and_when_they_were_made(given: dict[str, Any]) -> None:
    run = Run.start("01_some", given | {"tuned_seeds": 2, "epochs": 3}, [*ALLOWED, "tuned_seeds", "epochs"])
    run.table("name", lambda: pd.DataFrame({"a": [1, 2]}))
    record = json.loads(json.dumps(run.finish()))
    assert datetime.fromisoformat(record["date"]).utcoffset() == timedelta(0)
    assert record["seeds"] == {"seed": 3, "tuned_seeds": 2}
    assert origins.processor() in record["machine"] and record["threads"] == torch.get_num_threads()
    assert record["times"] == {"total": record["seconds"], "tables": {"name": pytest.approx(0, abs=1)}}
    checksum = hashlib.sha256((run.folder / "name.csv").read_bytes()).hexdigest()
    assert record["tables"] == {"name": {"sha256": checksum, "rows": 2}}


def test_the_commit_is_recorded_and_shown(given: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(origins, "revision", lambda: origins.Revision("0123456789ab" + 28 * "c", dirty=True))
    run = Run("01_some", Path(given["out"]), {"profile": "quick", "seed": 3}, revision=origins.revision())
    record = run.finish()
    assert record["commit"] == "0123456789ab" + 28 * "c" and record["dirty"] is True
    assert run.provenance()["value"]["commit"] == "0123456789ab, with changes"


class TestIdentity:
    """The id of a run follows from notebook, code, parameters and data, and from nothing else."""

    def record(self, given: dict[str, Any], table: ab.data.Table | None = None, **changes: Any) -> dict[str, Any]:
        run = Run.start("01_some", given | changes, ALLOWED)
        if table is not None:
            run.uses(table)
        return run.finish(number=len(changes))

    def test_it_is_the_same_elsewhere_and_later(self, given: dict[str, Any], tmp_path: Path) -> None:
        ids = {self.record(given, out=str(tmp_path / name))["run"] for name in ("a", "b", "b")}
        assert len(ids) == 1 and re.fullmatch("[0-9a-f]{16}", ids.pop())

    def test_it_changes_with_each_of_its_parts(
        self, given: dict[str, Any], tmp_path: Path, toy_table: ab.data.Table, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ids = [self.record(given, out=str(tmp_path / "0"))["run"]]
        ids.append(self.record(given, out=str(tmp_path / "1"), seed=4)["run"])
        ids.append(self.record(given, toy_table, out=str(tmp_path / "2"))["run"])
        ids.append(self.record(given, out=str(tmp_path / "3"), In=["", "run.finish()"])["run"])
        monkeypatch.setattr(recording, "digest", lambda text: "other")
        ids.append(self.record(given, out=str(tmp_path / "4"))["run"])
        assert len(set(ids)) == len(ids)


class TestKinds:
    """What the parameters cell assigns says of which kind a parameter is."""

    CELL = (
        'profile = "standard"  # or another\nseed = 1\nout = "o"\nrate = 0.5\nproof = True\nspace = ""\nnone = None\n'
        'targets = ["acc"]\n'
        'sizes = [50, 400]\nshares = [0.5]\nempty = []\nequations = {}\nregions = {"fast": "acc / 2"}'
    )

    def start(self, given: dict[str, Any], **changes: Any) -> Run:
        own = {**given, **recording.read_literals(self.CELL), "profile": "quick", "out": given["out"], **changes}
        cells = ["", "%matplotlib inline", "import numpy", self.CELL, 'sizes = "[50]"']
        return Run.start("01_some", own | {"In": cells})

    @pytest.mark.parametrize(
        "changes",
        [
            {}, {"seed": 3}, {"rate": 1}, {"rate": 1e-3}, {"proof": False}, {"space": "toy.json"}, {"none": "x"},
            {"none": 3}, {"sizes": []}, {"sizes": [1]}, {"sizes": (1, 2)}, {"shares": [1, 0.5]},
            {"targets": ["a", "b"]}, {"targets": "acc * 100 / latency_gpu"}, {"empty": ["x"]},
            {"empty": [3]}, {"empty": "x"}, {"equations": {"x": "acc"}}, {"regions": {"x": "acc"}},
            {"space": Path("toy.json")}, {"seed": np.int64(3)},
        ],
        ids=str,
    )  # fmt: skip
    def test_values_of_the_kind_pass(self, given: dict[str, Any], changes: dict[str, Any]) -> None:
        run = self.start(given, **changes)
        assert all(run.parameters[name] == value for name, value in changes.items())

    @pytest.mark.parametrize(
        ("name", "value", "parts"),
        [
            ("sizes", "[50]", ["sizes is '[50]' (str)", "list of int", "-y 'sizes: [50]'"]),
            ("sizes", 50, ["sizes is 50 (int)", "list of int", "-y 'sizes: [50, 400]'"]),
            ("sizes", ["50"], ["sizes is ['50'] (list)", "list of int", "-y 'sizes: [50, 400]'"]),
            ("sizes", [50.5], ["list of int"]),
            ("targets", '["a", "b"]', ['-y \'targets: ["a", "b"]\'']),
            ("targets", "['a', 'b']", ["""-y 'targets: ["acc"]'"""]),
            ("targets", [1], ["list of str"]),
            ("seed", "three", ["seed is 'three' (str)", "has int", "-y 'seed: 1'"]),
            ("seed", 1.5, ["(float)", "has int"]),
            ("seed", True, ["(bool)", "has int"]),
            ("seed", None, ["(NoneType)", "has int"]),
            ("rate", "fast", ["has float"]),
            ("rate", True, ["has float"]),
            ("proof", 1, ["proof is 1 (int)", "has bool", "-y 'proof: true'"]),
            ("space", 3, ["has str"]),
            ("regions", "acc", ["regions is 'acc' (str)", "has dict"]),
            ("regions", {"fast": 3}, ['-y \'regions: {"fast": "acc / 2"}\'']),
            ("equations", ["acc"], ["has dict"]),
        ],
    )
    def test_others_are_one_line_that_says_how_to_give_them(
        self, given: dict[str, Any], tmp_path: Path, name: str, value: Any, parts: list[str]
    ) -> None:
        with pytest.raises(ValueError, match=".*".join(map(re.escape, parts))) as error:
            self.start(given, **{name: value})
        assert str(error.value).startswith(f"01_some: {name} is ") and "\n" not in str(error.value)
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize("cells", [[""], [], ["x = ", "f(1)", "seed = 1", "seed = n"]], ids=str)
    def test_nothing_is_refused_where_the_cell_is_not_known(self, given: dict[str, Any], cells: list[str]) -> None:
        assert Run.start("01_some", given | {"seed": "three", "In": cells}, ALLOWED).parameters["seed"] == "three"


def test_a_metric_that_does_not_exist_is_null(given: dict[str, Any]) -> None:
    run = Run.start("01_some", given, ALLOWED)
    record = run.finish(srcc=float("nan"), gains=[{"low": np.nan, "gain": 0.5}])
    assert np.isnan(record["metrics"]["srcc"]), "for the text of the page"
    written = (run.folder / "metrics.json").read_text()
    assert json.loads(written, parse_constant=pytest.fail)["metrics"] == {
        "srcc": None, "gains": [{"low": None, "gain": 0.5}],
    }  # fmt: skip
