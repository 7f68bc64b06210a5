"""Runs: unknown parameters are refused, and what is written says where it comes from."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import autobuild_lib as ab
from autobuild_lib import runs
from autobuild_lib.runs import Run

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
    with pytest.raises(ValueError, match="01_some: unknown parameters sed; allowed are profile, seed, out"):
        Run.start("01_some", given | {"sed": 4}, ALLOWED)


def test_a_missing_parameter_is_refused_by_name(given: dict[str, Any]) -> None:
    del given["seed"]
    with pytest.raises(ValueError, match="parameters are missing: seed"):
        Run.start("01_some", given, ALLOWED)


def test_an_unknown_profile_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="profile 'fast'; choose from quick, standard, paper"):
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
    with pytest.raises(TypeError, match="cannot write object"):
        run.finish(bad=object())
    assert not list(run.folder.iterdir())


def test_provenance_shows_profile_seed_checksum_and_version(given: dict[str, Any], toy_table: ab.data.Table) -> None:
    run = Run.start("01_some", given, ALLOWED)
    run.uses(toy_table)
    shown = run.provenance()["value"]
    assert shown["profile"] == "quick" and shown["seed"] == "3"
    assert toy_table.sha256[:12] in shown["data records"] and "autobuild-book" in shown["version"]
    assert run.sources[:12] in shown["sources"] and "cores" in shown["machine"]


def test_provenance_lists_numbers_of_seeds(given: dict[str, Any]) -> None:
    run = Run.start("01_some", given | {"tuned_seeds": 2}, [*ALLOWED, "tuned_seeds"])
    assert run.provenance()["value"]["numbers of seeds"] == "tuned_seeds 2"


def test_a_change_in_a_source_that_notebooks_use_changes_the_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "LIBRARY", tmp_path)
    digests = [runs.library_digest()]
    for name in ("a.py", "part/b.py", "cli/c.py", "book/d.py", "sweeps.py", "a.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
        digests.append(runs.library_digest())
    assert len(set(digests)) == 3 and len(set(digests[2:])) == 1


def test_what_no_notebook_uses_is_the_same_for_the_chain() -> None:
    chain = (runs.LIBRARY.parent / "notebooks" / "notebook.smk").read_text()
    assert f"UNUSED = {runs.NOT_USED!r}".replace("'", '"') in chain
