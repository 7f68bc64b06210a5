"""A table belongs to the runs that list its checksum, wherever the file lies."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from autobuild_book import cli
from autobuild_book.runs import tables
from autobuild_book.runs.recording import Run

ALLOWED = ["profile", "seed", "out"]


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Two runs that differ in a seed: one of their tables depends on it, the other does not."""
    for seed in (1, 2):
        run = Run.start("01_some", {"profile": "quick", "seed": seed, "out": str(tmp_path / f"seed-{seed}")}, ALLOWED)
        run.table("seeds", lambda seed=seed: pd.DataFrame({"seed": [seed]}))  # type: ignore[misc]
        run.table("same", lambda: pd.DataFrame({"x": [1, 2]}))
        run.finish()
    return tmp_path


def states(folder: Path) -> dict[str, str]:
    table = tables.list_tables([folder])
    return {Path(row.table).relative_to(folder).as_posix(): row.state for row in table.itertuples()}


def test_what_runs_wrote_is_listed_with_its_run(runs: Path) -> None:
    listed = tables.list_tables([runs])
    assert list(listed) == tables.COLUMNS and set(listed.state) == {tables.LISTED} and len(listed) == 4
    ids = {seed: json.loads((runs / f"seed-{seed}/01_some/metrics.json").read_text())["run"] for seed in (1, 2)}
    assert ids[1] != ids[2] and list(listed.run) == [ids[1], ids[1], ids[2], ids[2]] and list(listed.rows) == [1, 2] * 2


def test_what_is_not_as_written_is_said(runs: Path) -> None:
    folder = runs / "seed-1" / "01_some"
    (folder / "seeds.csv").write_text("seed\n3\n")
    (folder / "same.csv").unlink()
    (folder / "other.csv").write_text("x\n")
    here = {f"seed-1/01_some/{name}.csv": state for name, state in [
        ("seeds", tables.CHANGED), ("same", tables.MISSING), ("other", tables.UNLISTED)]}  # fmt: skip
    assert here.items() <= states(runs).items()


def test_a_file_belongs_to_every_run_that_wrote_it_wherever_it_is(runs: Path, tmp_path: Path) -> None:
    first, second = (runs / f"seed-{seed}" / "01_some" for seed in (1, 2))
    (copy := tmp_path / "copy.csv").write_bytes((second / "seeds.csv").read_bytes())
    assert tables.runs_of(copy, [runs]) == [second / "metrics.json"] and tables.runs_of(copy, [runs / "seed-1"]) == []
    assert tables.runs_of(first / "same.csv", [runs]) == [first / "metrics.json", second / "metrics.json"]
    copy.write_text("seed\n2 \n")
    assert tables.runs_of(copy, [runs]) == []


@pytest.mark.parametrize("listed", [None, 3, [], {"seeds": 3}, {"seeds": {}}, {"../../x": {"sha256": "0"}}])
def test_records_that_list_nothing_of_use_make_no_table_theirs(runs: Path, listed: Any) -> None:
    path = runs / "seed-1" / "01_some" / "metrics.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"tables": listed}))
    mine = {name: state for name, state in states(runs).items() if name.startswith("seed-1/01")}
    assert tables.LISTED not in mine.values() and len(mine) >= 2


def test_without_a_run_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no run"):
        tables.list_tables([tmp_path])


class TestCommand:
    def test_all_is_as_written(self, runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.main(["runs", str(runs)]) == 0
        assert capsys.readouterr().out.count(tables.LISTED) == 4

    def test_something_is_not(self, runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (runs / "seed-1" / "01_some" / "same.csv").unlink()
        assert cli.main(["runs", str(runs)]) == 1
        assert tables.MISSING in (said := capsys.readouterr()).out and len(said.err.splitlines()) == 1

    @pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"\xff", b"[" * 100_000])
    def test_one_unreadable_record_is_named_and_the_others_are_listed(
        self, runs: Path, content: bytes, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        (broken := runs / "seed-1" / "01_some" / "metrics.json").write_bytes(content)
        assert cli.main(["runs", str(runs)]) == 1
        said = capsys.readouterr()
        assert said.out.count(tables.LISTED) == 2 and "seed-2" in said.out and said.err == ""
        (line,) = caplog.messages
        assert line.startswith(f"{broken}: not the metrics") and "\n" not in line

    def test_a_table_is_known_beside_an_unreadable_record(
        self, runs: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        (runs / "seed-1" / "01_some" / "metrics.json").write_text("{")
        table = runs / "seed-2" / "01_some" / "seeds.csv"
        assert cli.main(["runs", str(runs), "--table", str(table)]) == 1
        assert capsys.readouterr().out.splitlines() == [str(table.with_name("metrics.json"))]
        assert len(caplog.messages) == 1

    def test_nothing_but_an_unreadable_record(self, runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (broken := runs / "seed-1" / "01_some" / "metrics.json").write_text("{")
        assert cli.main(["runs", str(runs / "seed-1")]) == 1
        assert str(broken) in (said := capsys.readouterr()).err and len(said.err.splitlines()) == 1 and not said.out

    def test_which_run_a_table_is_of(self, runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
        table = runs / "seed-2" / "01_some" / "seeds.csv"
        assert cli.main(["runs", str(runs), "--table", str(table)]) == 0
        assert capsys.readouterr().out.splitlines() == [str(table.with_name("metrics.json"))]
        assert cli.main(["runs", str(runs / "seed-1"), "--table", str(table)]) == 1
