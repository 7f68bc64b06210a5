"""Chapters without results cost their own pages only: failed, not run, of another run, odd."""

import json
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from markdown_it import MarkdownIt

from autobuild_book import cli
from autobuild_book.pages import building, cells, contents, executed, markdown, states
from autobuild_book.pages.states import FAILED, NOT_RUN, NOT_RUN_HERE, UNUSABLE, Chapters
from tests.helpers.small_book import (
    METRICS,
    change,
    display,
    fail,
    failed_cells,
    markdown_cell,
    notebook,
    remove,
    source_cells,
    write_small_book,
)

NAMES = sorted(METRICS)
NAME = "01_predictor_srcc"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    write_small_book(tmp_path)
    return tmp_path


def read(root: Path) -> Chapters:
    return states.read_chapters("quick", root).usable(building.READERS)


def page(root: Path, name: str = NAME) -> list[dict[str, Any]]:
    own = json.loads(contents.page(name, read(root), root, "now"))["cells"]
    assert isinstance(own, list)
    return own


def text(root: Path, name: str = NAME) -> str:
    return "\n\n".join(cells.text_of(cell) for cell in page(root, name))


def labels_stay(root: Path, name: str = NAME) -> bool:
    return cells.labels(page(root, name)) == {name, f"{name}-result", f"figure-{name}"}


class TestFailed:
    def test_its_page_shows_what_ran_and_the_error_below_a_banner(self, repository: Path) -> None:
        fail(repository, NAME)
        shown = page(repository)
        assert [cell["cell_type"] for cell in shown] == ["markdown", "code", "markdown", "markdown"]
        title, _, rest, sources = text(repository).split("\n\n", 1)[0], *map(cells.text_of, shown[1:])
        assert title == f"({NAME})=\n# Chapter {NAME}" and "# Result" not in title
        banner = cells.text_of(shown[0])
        assert ":class: danger" in banner and "`` AssertionError: the table is `out` of date ``" in banner
        assert f"artifacts/quick/{NAME}.ipynb" in banner and "make pages PROFILE=quick" in banner
        assert "- Result" in rest and f"failed/{NAME}.txt" in sources and labels_stay(repository)

    def test_its_error_is_shown_whole_and_without_folders(self, repository: Path) -> None:
        fail(repository, NAME)
        raised = page(repository)[1]
        assert raised["outputs"][0]["traceback"] == ["File autobuild_lib/x.py:3: `AssertionError`"]
        assert "tags" not in raised["metadata"], "none that hides an output"
        assert raised["metadata"]["mystnb"] == {"error_lexer": "text"}

    def test_numbers_that_were_not_made_are_not_referred_to(self, repository: Path) -> None:
        ran = failed_cells(repository, NAME)
        early = [markdown_cell("{glue:text}`made:.1f` of {glue:}`late`"), ran[2]]
        early[0]["source"] = [early[0]["source"][0], "\n```{glue:figure} drawn\n---\nalt: early\n---\nSome.\n```\nEnd"]
        early[1]["outputs"] = [display("1", scrapbook={"name": "made"}), *early[1]["outputs"]]
        fail(repository, NAME, notebook([ran[1], *early], exception=True))
        shown = cells.text_of(page(repository)[1])
        assert shown.startswith("{glue:text}`made:.1f` of –\n*This figure") and shown.endswith("\nEnd")

    def test_a_kernel_that_died_shows_the_log(self, repository: Path) -> None:
        fail(repository, NAME, notebook(source_cells(NAME)))
        missing = read(repository).missing[NAME]
        assert missing.state == FAILED and missing.reason == "DeadKernelError: Kernel died" and not missing.cells
        assert "````text\nTraceback" in text(repository) and labels_stay(repository)

    @pytest.mark.parametrize("odd", ["no JSON", "[]", '{"cells": []}', notebook(source_cells("02_ir_operations"))])
    def test_a_notebook_that_cannot_be_read_or_is_another(self, odd: str, repository: Path) -> None:
        fail(repository, NAME, odd)
        assert read(repository).missing[NAME].state == FAILED and labels_stay(repository)

    def test_an_interrupted_one_was_not_run(self, repository: Path) -> None:
        fail(repository, NAME, notebook(source_cells(NAME)), log="Executing notebook with kernel: python3\n")
        missing = read(repository).missing[NAME]
        assert missing.state == NOT_RUN and missing.reason.startswith("interrupted") and labels_stay(repository)


class TestNotRun:
    def test_its_page_has_title_label_and_banner(self, repository: Path) -> None:
        remove(repository, NAME)
        assert read(repository).missing[NAME].line == NOT_RUN and labels_stay(repository)
        assert f"{NOT_RUN_HERE}." in text(repository) and "run.start" not in text(repository)

    @pytest.mark.parametrize("gone", [*combinations(NAMES, 1), *combinations(NAMES, 2), tuple(NAMES)], ids="-".join)
    def test_the_other_pages_are_written_whatever_is_missing(self, gone: tuple[str, ...], repository: Path) -> None:
        for name in gone:
            remove(repository, name)
        texts = building.generated(read(repository), repository, "now")
        assert {f"{name}.ipynb" for name in NAMES} <= set(texts)
        assert all(
            (f"/artifacts/book/{name}`: not run" in texts["without_results.md"]) == (name in gone) for name in NAMES
        )
        assert ('"name":"ofa_pn"' in texts["static/explorer-data.js"]) == ("04_pareto_regions" not in gone)
        for name in gone:
            assert f"artifacts/book/{name}.ipynb#" not in texts["verdicts.md"] + texts["paper_index.md"]

    def test_nothing_is_listed_when_all_have_run(self, repository: Path) -> None:
        assert read(repository).without_results() == "" and not read(repository).missing


class TestOfAnotherRun:
    @pytest.mark.parametrize(
        ("edit", "message"),
        [
            (lambda r: r["parameters"].update(profile="standard"), "profile is 'standard', there 'quick'"),
            (lambda r: r["parameters"].update(seed=4), "parameter seed is 4, there 3"),
            (lambda r: r.update(sources="0" * 64), "other sources"),
            (lambda r: r.update(notebook="02_ir_operations"), "it is of 02_ir_operations"),
            (lambda r: r.pop("sources"), "'sources' is"),
            (lambda r: r["metrics"].pop("verdict"), "has no metric 'verdict'"),
        ],
        ids=["profile", "seed", "sources", "notebook", "older", "metric"],
    )
    def test_metrics(self, edit: Callable[[dict[str, Any]], None], message: str, repository: Path) -> None:
        change(repository, NAME, edit)
        found = read(repository)
        assert list(found.missing) == [NAME] and found.missing[NAME].state == UNUSABLE
        assert message in found.missing[NAME].reason and labels_stay(repository)

    @pytest.mark.parametrize("name", [f"{NAME}/metrics.json", "04_pareto_regions/explorer.csv"])
    def test_a_missing_file(self, name: str, repository: Path) -> None:
        (repository / "artifacts" / "quick" / name).unlink()
        (missing,) = read(repository).missing.values()
        assert missing.reason == f"artifacts/quick/{name} is missing"

    def test_a_notebook_that_has_changed_its_labels_since(self, repository: Path) -> None:
        source = notebook([*source_cells(NAME), markdown_cell("(new)=\n## New")])
        (repository / "notebooks" / f"{NAME}.ipynb").write_text(source)
        assert "labels" in read(repository).missing[NAME].reason and "(new)=\n" in text(repository)


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
)
DEEP = "[" * 5000 + "]" * 5000
ODD_RECORDS = ["", "[]", "null", '"text"', "{", '{"notebook": 1}', '{"a": NaN}', DEEP, "9" * 5000, "\ud800"]


class TestOddFiles:
    """Each costs one page, and its reason is one line."""

    def odd(self, root: Path) -> str:
        found = read(root)
        assert list(found.missing) == [NAME] and found.missing[NAME].state == UNUSABLE
        assert "\n" not in found.missing[NAME].reason and len(found.missing[NAME].reason) < 300
        building.generated(found, root, "now")
        return found.missing[NAME].reason

    @pytest.mark.parametrize("content", ODD_RECORDS)
    def test_metrics(self, content: str, repository: Path) -> None:
        path = repository / "artifacts" / "quick" / NAME / "metrics.json"
        path.write_text(content, errors="surrogatepass")
        assert "metrics.json" in self.odd(repository)

    @pytest.mark.parametrize("content", ODD_RECORDS)
    def test_notebooks(self, content: str, repository: Path) -> None:
        path = repository / "artifacts" / "quick" / f"{NAME}.ipynb"
        path.write_text(content, errors="surrogatepass")
        assert f"{NAME}.ipynb" in self.odd(repository)

    @pytest.mark.parametrize(
        "edit",
        [
            lambda n: n.pop("cells"), lambda n: n.update(cells=[]), lambda n: n.update(cells=[1]),
            lambda n: n.update(cells={}), lambda n: n["cells"][1].pop("outputs"),
            lambda n: n["cells"][1].update(outputs=3),
            lambda n: n["cells"][0].update(source=5), lambda n: n["metadata"].pop("papermill"),
            lambda n: n["metadata"].update(papermill=[]), lambda n: n["metadata"]["papermill"].pop("parameters"),
            lambda n: n["metadata"]["papermill"].pop("end_time"),
            lambda n: n["metadata"]["papermill"].update(end_time=3),
            lambda n: n.pop("metadata"), lambda n: n.update(nbformat=3), lambda n: n["cells"][0].pop("metadata"),
            lambda n: n["cells"][1].update(outputs=[{"output_type": "error"}]),
        ],
    )  # fmt: skip
    def test_parts_of_notebooks(self, edit: Callable[[dict[str, Any]], None], repository: Path) -> None:
        path = repository / "artifacts" / "quick" / f"{NAME}.ipynb"
        content = json.loads(path.read_text())
        edit(content)
        path.write_text(json.dumps(content))
        self.odd(repository)

    @pytest.mark.parametrize(
        "edit",
        [
            lambda r: r.update(data=[3]), lambda r: r.update(data={}), lambda r: r.update(data=[{"source": "x"}]),
            lambda r: r["data"][0].update(rows="many"), lambda r: r.update(versions=[]),
            lambda r: r.update(machine="a\nb"),
            lambda r: r.update(seconds=10**400), lambda r: r.update(seconds="long"), lambda r: r.update(metrics=[]),
            lambda r: r.update(parameters=None), lambda r: r["metrics"].update(checks=3),
            lambda r: r["metrics"].update(checks=[1]), lambda r: r["metrics"].update(differences=[{"what": "x"}]),
        ],
    )  # fmt: skip
    def test_parts_of_metrics(self, edit: Callable[[dict[str, Any]], None], repository: Path) -> None:
        change(repository, NAME, edit)
        self.odd(repository)

    def test_a_number_that_is_not_known_is_read_as_such(self, tmp_path: Path) -> None:
        path = tmp_path / "metrics.json"
        path.write_text('{"a": NaN, "b": -Infinity, "c": null}')
        assert executed.read_json(path, {"type": "object"}) == {"a": None, "b": None, "c": None}

    @settings(max_examples=50, deadline=None)
    @given(value=ANY_JSON)
    def test_any_json_is_refused_in_one_line(self, value: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
        path = tmp_path_factory.getbasetemp() / "metrics.json"
        path.write_text(json.dumps(value))
        for schema in (executed.RECORD, executed.NOTEBOOK):
            with pytest.raises(executed.StaleError, match=r"^metrics.json[^\n]*$"):
                executed.read_json(path, schema)


ROW = {"what": "SRCC", "here": 0.5, "committed": 0.6, "difference": -0.1, "spread": 0.01}


class TestDifferences:
    @pytest.mark.parametrize(("spreads", "far"), [([-10.0, 2.0], 1), ([5.0, None], 0), ([6, 7.5, 1], 2), ([], 0)])
    def test_a_banner_counts_what_differs_a_lot(self, spreads: list[float | None], far: int, repository: Path) -> None:
        rows = [ROW | {"spreads": value} for value in spreads]
        change(repository, NAME, lambda r: r["metrics"].update(differences=rows))
        title = cells.text_of(page(repository)[0])
        assert (f"{far} of {len(spreads)} numbers" in title) == bool(far)
        assert "admonition" not in title or far


@pytest.mark.parametrize("line", ["plain", "`a`", "``", "a`", "x ``` y"])
def test_a_line_of_code_holds_anything(line: str) -> None:
    (inline,) = [token for token in MarkdownIt().parse(markdown.code(line)) if token.type == "inline"]
    assert [child.content for child in inline.children or []] == [line]


def test_the_command_says_where_the_book_lies_and_what_is_missing(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    remove(repository, "00_data")
    fail(repository, NAME)
    monkeypatch.chdir(repository)
    monkeypatch.setattr(building.subprocess, "run", lambda *args, **options: None)
    assert cli.main(["book", "--profile", "quick"]) == 0
    missing = states.read_chapters("quick", repository).missing
    first, second, last = capsys.readouterr().out.splitlines()
    assert first.startswith("00_data ") and first.endswith(f"({missing['00_data'].line})")
    assert second.startswith(f"{NAME} ") and second.endswith(f"({missing[NAME].line})")
    assert last.endswith(str(repository / "_build" / "html" / "index.html"))
