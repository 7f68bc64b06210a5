"""The commands: they measure what is missing, name what is unknown, and export what can be read back."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from autobuild_book.chapters.board import exporting, measuring, tables
from autobuild_book.chapters.board.tables import TABLES, BoardTable
from autobuild_book.crates import describing
from autobuild_lib.data import benchmarks
from autobuild_lib.data.files import manifest

Command = Callable[..., tuple[int, str, str]]
CHEAP = ("--models", "additive ridge", "nearest neighbours", "--sizes", 20, 40)


class TestMeasure:
    def test_what_is_here_is_measured_and_what_is_not_named(
        self, run: Command, trained: BoardTable, tmp_path: Path
    ) -> None:
        out = tmp_path / "rows.csv"
        code, text, _ = run("board", "measure", *CHEAP, "--seeds", 1, "--out", out)
        assert code == 0 and "help-ofa: no file" in text and len(measuring.read_rows(out)) == 8
        before = out.read_text()
        code, text, _ = run("board", "measure", *CHEAP, "--seeds", 2, "--out", out)
        assert code == 0 and out.read_text().startswith(before) and len(measuring.read_rows(out)) == 16

    def test_a_damaged_table_is_left_out(
        self, run: Command, trained: BoardTable, datasets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AUTOBUILD_DATA", str(tmp_path))
        shutil.copytree(datasets / "help-ofa", tmp_path / "help-ofa", copy_function=shutil.copyfile)
        assert tables.why_missing("help-ofa") == ""
        path = tmp_path / "help-ofa" / "ofa_archs.pt"
        path.write_bytes(path.read_bytes()[:300])
        code, text, _ = run("board", "measure", *CHEAP, "--seeds", 1, "--out", tmp_path / "rows.csv")
        (line,) = [line for line in text.splitlines() if line.startswith("left out: ")]
        assert code == 0 and str(path) in line and line.endswith("run `autobuild data fetch help-ofa`")
        assert set(measuring.read_rows(tmp_path / "rows.csv").table) == {"toy"}
        assert tables.why_missing("help-ofa") == line.removeprefix("left out: ")

    @pytest.mark.parametrize("arguments", [("--tables", "cora"), ("--models", "oracle"), ("--tables", "help-ofa")])
    def test_unknown_names_are_one_line(
        self, run: Command, trained: BoardTable, tmp_path: Path, arguments: tuple[str, str]
    ) -> None:
        code, _, err = run("board", "measure", *arguments, "--out", tmp_path / "rows.csv")
        assert code == 1 and err.count("\n") == 1 and arguments[1] in err and not list(tmp_path.iterdir())

    @pytest.mark.parametrize("arguments", [("--sizes", "few"), ("--seeds", 0), ("--processes", "two")])
    def test_numbers_are_numbers(self, run: Command, tmp_path: Path, arguments: tuple[object, ...]) -> None:
        assert run("board", "measure", *arguments, "--out", tmp_path / "rows.csv")[0] == 2

    def test_show(self, run: Command, trained: BoardTable, tmp_path: Path) -> None:
        out = tmp_path / "rows.csv"
        run("board", "measure", *CHEAP, "--seeds", 1, "--out", out)
        code, text, _ = run("board", "show", "--rows", out, "--models", "additive ridge", "--sizes", 20)
        assert code == 0 and text.count("additive ridge") == 2 and "nearest" not in text
        code, _, err = run("board", "show", "--rows", out, "--models", "oracle")
        assert code == 1 and "oracle" in err and err.count("\n") == 1


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """A row on every trained table."""
    made = [
        measuring.BoardRow(table.name, target, "additive ridge", 50, 0, 0.5, 0.3, 0.1, 7, 0.01, 0.5, 0.1, "a processor")
        for table in TABLES for target in table.targets
    ]  # fmt: skip
    (tmp_path / "measured.csv").write_text(measuring.ROWS.write(made))
    return tmp_path / "measured.csv"


class TestExport:
    def test_what_was_written_is_read_back(self, run: Command, rows: Path, tmp_path: Path) -> None:
        code, text, _ = run("board", "export", tmp_path / "crate", "--rows", rows)
        assert code == 0 and text.startswith("15 rows")
        assert measuring.read_rows(tmp_path / "crate" / "rows.csv").equals(measuring.read_rows(rows))
        assert exporting.check(tmp_path / "crate") == 15

    def test_provenance(self, rows: Path, tmp_path: Path) -> None:
        exporting.export(tmp_path / "crate", rows)
        graph = json.loads((tmp_path / "crate" / "ro-crate-metadata.json").read_text())["@graph"]
        described = {entity["@id"]: entity for entity in graph}
        action = described["#measurement"]
        used = {described[reference["@id"]]["sha256"] for reference in action["object"]}
        files = [benchmarks()[n].files for n in ("nas-bench-graph", "accel-nasbench", "help-ofa")]
        assert {file["sha256"] for file in files[0].values()} <= used
        assert {manifest()[name].sha256 for name in ("panoptic", "diffusion_unets")} <= used
        assert all("license" in described[reference["@id"]] for reference in action["object"])
        assert {reference["@id"] for reference in action["result"]} == {"rows.csv", "means.csv"}
        assert all(text in action["description"] for text in ("a processor", "additive ridge", "seeds: 0"))
        assert described["#software"]["identifier"] and described["./"]["license"]["@id"] == describing.LICENCE
        assert "2403.13293" in described["./"]["citation"]["@id"]

    @pytest.mark.parametrize("spoil", ["change", "remove"])
    def test_a_spoiled_export_is_noticed(self, rows: Path, tmp_path: Path, spoil: str) -> None:
        exporting.export(folder := tmp_path / "crate", rows)
        means = folder / "means.csv"
        means.write_text("nothing") if spoil == "change" else means.unlink()
        with pytest.raises((ValueError, OSError), match=r"means\.csv"):
            exporting.check(folder)

    def test_a_folder_in_use_is_refused(self, run: Command, rows: Path, tmp_path: Path) -> None:
        code, _, err = run("board", "export", tmp_path, "--rows", rows)
        assert code == 1 and err.count("\n") == 1 and [*tmp_path.iterdir()] == [rows]
