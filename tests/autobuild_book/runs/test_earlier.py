"""A folder that holds another run is refused before anything in it changes, unless the environment says otherwise."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest

import autobuild_lib as ab
from autobuild_book.runs import origins, recording
from autobuild_book.runs.earlier import OVERWRITE, AnotherRunError
from autobuild_book.runs.recording import Run

ALLOWED = ["profile", "seed", "out"]
CELLS = ["run = Run.start()", "run.finish()"]


@pytest.fixture(autouse=True)
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The notebook of these runs, in a clone."""
    monkeypatch.setattr(origins, "NOTEBOOKS", tmp_path / "notebooks")
    monkeypatch.delenv(OVERWRITE, raising=False)
    (tmp_path / "notebooks").mkdir()
    path = tmp_path / "notebooks" / "01_some.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in CELLS]), path)
    return path


def start(folder: Path, **changes: Any) -> Run:
    names = {"profile": "quick", "seed": 3, "out": str(folder / "out"), "In": ["", *CELLS], **changes}
    return Run.start(str(names.pop("name", "01_some")), names, ALLOWED)


def run(folder: Path, **changes: Any) -> None:
    begun = start(folder, **changes)
    begun.table("numbers", lambda: pd.DataFrame({"seed": [begun.parameters["seed"]]}))
    begun.finish()


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "out" / "01_some").iterdir()}


def refuses(folder: Path, *parts: str, **changes: Any) -> None:
    before = contents(folder)
    with pytest.raises(AnotherRunError) as error:
        run(folder, **changes)
    message = str(error.value)
    assert "\n" not in message and OVERWRITE in message and all(part in message for part in parts)
    assert contents(folder) == before


def test_the_same_run_may_go_again(tmp_path: Path) -> None:
    run(tmp_path)
    table = contents(tmp_path)["numbers.csv"]
    run(tmp_path, out=str(tmp_path / "notebooks" / ".." / "out"))
    assert contents(tmp_path)["numbers.csv"] == table


def test_other_parameters_are_refused(tmp_path: Path) -> None:
    run(tmp_path)
    refuses(tmp_path, "seed was 3 and is 4", seed=4)
    refuses(tmp_path, "profile was 'quick'", profile="paper")


def test_other_code_is_refused(tmp_path: Path, notebook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tmp_path)
    written = notebook.read_text()
    notebook.write_text(written.replace("run.finish()", "run.finish(x=1)"))
    refuses(tmp_path, "notebook")
    notebook.write_text(written)
    monkeypatch.setattr(recording, "digest", lambda text: "other")
    refuses(tmp_path, "sources")


def test_what_an_older_record_does_not_say_is_not_compared(tmp_path: Path, notebook: Path) -> None:
    run(tmp_path)
    path = tmp_path / "out" / "01_some" / "metrics.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps({key: value for key, value in record.items() if key != "notebook_sha256"}))
    notebook.unlink()
    run(tmp_path)
    assert json.loads(path.read_text())["notebook_sha256"] == record["notebook_sha256"]


def test_a_data_file_that_has_changed_is_refused(tmp_path: Path, toy_table: ab.data.Table) -> None:
    def begin() -> Run:
        names = {"profile": "quick", "seed": 3, "data": "records", "out": str(tmp_path / "out")}
        return Run.start("01_some", names, [*ALLOWED, "data"])

    changed = dataclasses.replace(toy_table, sha256="0" * 64)
    begun = begin()
    begun.uses(toy_table)
    begun.finish()
    again = begin()
    assert again.uses(toy_table) is toy_table
    with pytest.raises(AnotherRunError, match="rows of records"):
        again.uses(changed)
    measured = dataclasses.replace(changed, source="measured here")
    assert again.uses(measured) is measured


@pytest.mark.parametrize("value", ["", "0"])
def test_the_environment_must_say_yes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    run(tmp_path)
    monkeypatch.setenv(OVERWRITE, value)
    refuses(tmp_path, seed=4)


def test_what_is_to_be_overwritten_goes_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tmp_path)
    monkeypatch.setenv(OVERWRITE, "1")
    begun = start(tmp_path, seed=4)
    assert set(contents(tmp_path)) == {"numbers.csv"}, "a killed run leaves no metrics of another"
    begun.finish()
    assert json.loads(contents(tmp_path)["metrics.json"])["parameters"]["seed"] == 4


@pytest.mark.parametrize("text", ["", "[]", "{", '{"notebook": "01_some"}', "\x00"])
def test_a_file_that_is_no_record_is_left_alone(tmp_path: Path, text: str) -> None:
    run(tmp_path)
    (tmp_path / "out" / "01_some" / "metrics.json").write_text(text)
    before = contents(tmp_path)
    with pytest.raises(ValueError, match=r"metrics\.json"):
        run(tmp_path)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("data", [[3], [{}], [None, {"source": []}]])
def test_odd_data_of_a_record_are_no_tables(tmp_path: Path, toy_table: ab.data.Table, data: list[Any]) -> None:
    run(tmp_path)
    path = tmp_path / "out" / "01_some" / "metrics.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"data": data}))
    begun = start(tmp_path)
    begun.parameters["data"] = toy_table.source
    assert begun.uses(toy_table) is toy_table
