"""Notebooks: pairs agree, cells are short and explained, parameters are plain; and what a chain leaves behind."""

import ast
import importlib.util
import json
import os
import re
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import pytest
import yaml

from autobuild_book.runs.recording import PROFILES
from autobuild_book.runs.tables import faults

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "notebooks"
SOURCES = sorted(FOLDER.glob("[0-9]*.py"))
ARTIFACTS = ROOT / "artifacts" / "quick"
MOST_LINES = 15
COMMON = {"profile", "seed", "data", "space", "out"}

sources = pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)


def cells(notebook: Any) -> list[tuple[Any, ...]]:
    """What must agree between a source and its pair: kinds, texts and tags, not the random ids of cells."""
    return [(c.cell_type, c.source, tuple(c.metadata.get("tags", ()))) for c in notebook.cells]


def code(source: Path) -> list[Any]:
    return [cell for cell in jupytext.read(source).cells if cell.cell_type == "code"]


def parameters(source: Path) -> dict[str, Any]:
    """The values in the parameters cell; anything but plain assignments of literals is an error."""
    found = {}
    for statement in ast.parse(code(source)[0].source).body:
        assert isinstance(statement, ast.Assign), ast.unparse(statement)
        (target,) = statement.targets
        found[ast.unparse(target)] = ast.literal_eval(statement.value)
    return found


def test_there_are_notebooks() -> None:
    assert [path.stem for path in SOURCES][:2] == ["00_data", "00_method"]


@sources
class TestSource:
    def test_the_pair_does_not_drift(self, source: Path) -> None:
        pair = source.with_suffix(".ipynb")
        assert pair.is_file(), f"run jupytext --to ipynb {source.relative_to(ROOT)}"
        assert cells(jupytext.read(source)) == cells(nbformat.read(pair, as_version=4)), "run jupytext --sync"

    def test_the_pair_has_no_outputs(self, source: Path) -> None:
        notebook = nbformat.read(source.with_suffix(".ipynb"), as_version=4)
        assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook.cells)

    def test_the_kernel_says_its_language(self, source: Path) -> None:
        kernel = nbformat.read(source.with_suffix(".ipynb"), as_version=4).metadata.kernelspec
        assert (kernel.name, kernel.language) == ("python3", "python")

    def test_cells_are_short(self, source: Path) -> None:
        long = [cell.source for cell in code(source) if len(cell.source.splitlines()) > MOST_LINES]
        assert not long, f"more than {MOST_LINES} lines:\n" + "\n---\n".join(long)

    def test_cells_begin_with_code(self, source: Path) -> None:
        """Pages drop empty lines at the beginning of a cell, and then its names are not found in it."""
        assert not [cell.source for cell in code(source) if not cell.source[:1].strip()]

    def test_no_line_of_prose_begins_with_a_percent_sign(self, source: Path) -> None:
        """MyST takes such a line for a comment, and pages lack it."""
        prose = [cell.source.splitlines() for cell in jupytext.read(source).cells if cell.cell_type == "markdown"]
        assert not [line for lines in prose for line in lines if re.match(r"\s*%", line)]

    def test_prose_stands_before_every_code_cell(self, source: Path) -> None:
        kinds = [cell.cell_type for cell in jupytext.read(source).cells]
        assert kinds[0] == "markdown"
        bare = [n for n in range(1, len(kinds)) if kinds[n - 1 : n + 1] == ["code", "code"]]
        assert not bare, f"cells {bare} (from 0) follow another code cell"

    def test_the_first_code_cell_holds_plain_parameters(self, source: Path) -> None:
        first, second, *_ = code(source)
        assert first.metadata.get("tags") == ["parameters"]
        assert set(parameters(source)) >= COMMON
        assert "Run.start(" in second.source

    def test_the_run_has_the_notebook_s_name(self, source: Path) -> None:
        (call,) = [
            node
            for node in ast.walk(ast.parse(code(source)[1].source))
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Run.start"
        ]
        assert [ast.unparse(argument) for argument in call.args] == [repr(source.stem), "globals()"]

    def test_its_first_cells_run(self, source: Path, tmp_path: Path) -> None:
        first, second, *_ = code(source)
        scope: dict[str, Any] = {"__name__": "__main__", "In": ["", first.source]}
        exec(first.source, scope)  # noqa: S102  # what is imported before `Run.start` could be taken for a parameter
        scope["out"] = str(tmp_path)
        exec(second.source, scope)  # noqa: S102
        assert scope["run"].folder == tmp_path / source.stem

    def test_it_ends_with_what_it_was_built_with(self, source: Path) -> None:
        assert code(source)[-1].source.rstrip().endswith("run.provenance()")

    def test_no_table_lies_beside_those_that_the_run_lists(self, source: Path) -> None:
        texts = [ast.unparse(node) for node in ast.walk(ast.parse("\n".join(cell.source for cell in code(source))))
                 if isinstance(node, ast.BinOp)]  # fmt: skip
        assert not [text for text in texts if re.fullmatch(r"run\.folder / '[^/]*\.csv'", text)]

    def test_checks_take_a_correlation_that_does_not_exist(self, source: Path) -> None:
        checks = [line for cell in code(source) for line in cell.source.splitlines() if line.startswith("assert")]
        assert not [line for line in checks if "srcc.between" in line or "regret >=" in line], "NaN is no fault"

    def test_every_figure_has_alt_text_and_a_label(self, source: Path) -> None:
        for cell in jupytext.read(source).cells:
            if "{glue:figure}" in cell.source:
                options = yaml.safe_load(cell.source.split("---")[1])
                assert len(options["alt"]) > 40 and options["name"].startswith("figure-")


@pytest.mark.parametrize("profile", PROFILES)
class TestProfile:
    def sections(self, profile: str) -> dict[str, dict[str, Any]]:
        loaded = yaml.safe_load((FOLDER / "profiles" / f"{profile}.yml").read_text())
        assert isinstance(loaded, dict)
        return loaded

    def test_parameters_are_known_and_of_the_right_type(self, profile: str) -> None:
        sections = self.sections(profile)
        common = sections.pop("common")
        for source in SOURCES:
            defaults = parameters(source)
            given = {**common, **sections.pop(source.stem, {})}
            assert not set(given) - set(defaults), source.stem
            wrong = {k: v for k, v in given.items() if type(v) is not type(defaults[k])}
            assert not wrong, f"{source.stem}: {wrong}"
        assert not sections, "sections without a notebook"


def test_papermill_runs_a_pair_and_an_unknown_parameter_is_refused(tmp_path: Path) -> None:
    """Only the first cells of a notebook are kept: enough to see its parameters accepted or refused."""
    papermill = pytest.importorskip("papermill")
    notebook = nbformat.read(FOLDER / "00_data.ipynb", as_version=4)
    last = next(n for n, cell in enumerate(notebook.cells) if "Run.start" in cell.source)
    notebook.cells = notebook.cells[: last + 1]
    short, executed = tmp_path / "short.ipynb", tmp_path / "executed.ipynb"
    nbformat.write(notebook, short)

    def run(**given: Any) -> None:
        given = {"profile": "quick", "out": str(tmp_path), **given}
        papermill.execute_notebook(short, executed, given, kernel_name="python3", progress_bar=False, cwd=ROOT)

    with pytest.raises(papermill.PapermillExecutionError, match="sed; allowed are profile, seed"):
        run(sed=3)


def artifacts() -> Path:
    """The folder of a quick chain; without it a test skips, or fails when AUTOBUILD_REQUIRE_ARTIFACTS is set."""
    if not any(ARTIFACTS.glob("*.ipynb")):
        reason = "no artifacts of the quick profile: run make chain PROFILE=quick"
        (pytest.fail if os.environ.get("AUTOBUILD_REQUIRE_ARTIFACTS") else pytest.skip)(reason)
    return ARTIFACTS


@sources
class TestArtifacts:
    def test_every_cell_ran(self, source: Path) -> None:
        notebook = nbformat.read(artifacts() / f"{source.stem}.ipynb", as_version=4)
        ran = [cell for cell in notebook.cells if cell.cell_type == "code"]
        assert len(ran) >= len(code(source)) and all(cell.execution_count for cell in ran)
        assert not [o for cell in ran for o in cell.outputs if o.output_type == "error"]

    def test_metrics_say_where_numbers_come_from(self, source: Path) -> None:
        record = json.loads((artifacts() / source.stem / "metrics.json").read_text())
        assert record["notebook"] == source.stem and record["metrics"]
        assert record["parameters"]["profile"] == "quick" and set(record["parameters"]) == set(parameters(source))
        assert record["seconds"] > 0 and {"python", "torch", "autobuild-book"} <= set(record["versions"])
        assert record["data"] and all(len(table["sha256"]) == 64 for table in record["data"])

    def test_every_table_is_as_its_run_wrote_it(self, source: Path) -> None:
        record = artifacts() / source.stem / "metrics.json"
        assert not faults(record, json.loads(record.read_text()))

    def test_nothing_failed(self, source: Path) -> None:
        assert not (artifacts() / "failed" / f"{source.stem}.ipynb").exists()


def test_the_book_extra_is_installed() -> None:
    assert all(importlib.util.find_spec(name) for name in ("papermill", "jupytext", "snakemake", "jupyter_book"))
