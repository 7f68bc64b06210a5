"""Pages that sum up: verdicts, index of the paper, reference, facts, explorer; and the check of what they rest on."""

import importlib
import inspect
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

import autobuild_lib as ab
from autobuild_book.figures import pictures, style
from autobuild_book.pages import api, building, claims, explorer, markdown, paper, states
from tests.autobuild_book.pages.conftest import SMALL
from tests.helpers.small_book import TABLE, change, write_small_book

ROOT = Path(__file__).resolve().parents[3]
NOTEBOOKS = ROOT / "notebooks"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository in which the chapters with claims have run."""
    write_small_book(tmp_path)
    return tmp_path


def collected(root: Path, profile: str = "quick") -> Path:
    building.collect(profile, root)
    return root / "artifacts" / "book"


class TestCollect:
    def test_every_notebook_gets_its_sources(self, repository: Path) -> None:
        own = repository / "artifacts" / "quick" / "01_predictor_srcc"
        (own / "ranks.csv").write_bytes(b"x" * 2_340_000)
        folder = collected(repository)
        cells = json.loads((folder / "01_predictor_srcc.ipynb").read_text())["cells"]
        assert [cell["cell_type"] for cell in cells] == ["markdown", "code", "markdown", "code", "markdown"]
        text = cells[-1]["source"]
        assert re.search("1.5 min .* 2026-01-02 03:04 UTC", text)
        assert "{download}`01_predictor_srcc.py </notebooks/01_predictor_srcc.py>`" in text
        assert "{download}`ranks.csv </artifacts/quick/01_predictor_srcc/ranks.csv>` (2.3 MB)" in text

    def test_nothing_from_before_is_left(self, repository: Path) -> None:
        collected(repository)
        folder = repository / "artifacts" / "quick"
        shutil.rmtree(folder / "02_ir_operations")
        (folder / "02_ir_operations.ipynb").unlink()
        (repository / "notebooks" / "02_ir_operations.ipynb").unlink()
        assert not (collected(repository) / "02_ir_operations.ipynb").exists()

    def test_provenance_lists_each_fact_once(self, repository: Path) -> None:
        change(repository, "00_data", lambda r: r.update(data=[TABLE | {"rows": 3000}]))
        lines = (collected(repository) / "provenance.md").read_text().splitlines()
        assert lines[:4] == ["| built with | value |", "| --- | --- |", "| profile | quick |", "| seed | 3 |"]
        assert lines[4] == "| data ofa_mbv3 | surrogate, 3,000 rows, sha256 abababababab |"
        names = [line.split(" | ")[0].removeprefix("| ") for line in lines[5:]]
        assert names == ["version", "machine", "sources", "commit", "pages"]

    @pytest.mark.parametrize(("profile", "announced"), [("quick", True), ("standard", False), ("paper", False)])
    def test_only_the_quick_profile_is_announced(self, profile: str, announced: bool, repository: Path) -> None:
        (repository / "artifacts" / "quick").rename(repository / "artifacts" / profile)
        for path in (repository / "artifacts" / profile).glob("**/*.*"):
            if path.is_file():
                path.write_text(path.read_text().replace('"profile": "quick"', f'"profile": "{profile}"'))
        (repository / "artifacts" / "book").mkdir()
        (repository / "artifacts" / "book" / "announcement.html").write_text("of an older book")
        file = collected(repository, profile) / "announcement.html"
        assert file.is_file() == announced
        if announced:
            text = file.read_text().format(verdicts="verdicts.html")
            assert "the quick profile" in text and '<a href="verdicts.html">' in text

    def test_times_add_up(self, repository: Path) -> None:
        text = (collected(repository) / "times.md").read_text()
        assert "| [00_data](/artifacts/book/00_data.ipynb) | 1.5 min | 2026-01-02 03:04 |" in text
        assert "| 10.5 min |  |" in text and "Machine: Linux, 2 cores." in text

    def test_limitations_quote_metrics(self, repository: Path) -> None:
        folder = collected(repository)
        assert "| f | acc | 0.001 | 0.980 |" in (folder / "label_quality.md").read_text()
        text = (folder / "built_networks.md").read_text()
        assert "| f | gpu | +0.10 ± 0.20 | -0.10 ± 0.20 | 100% | 50% |" in text
        assert "5 of 6 clusters" in text and "would be *not supported*" in text


class TestExplorer:
    def clouds(self, root: Path) -> dict[str, Any]:
        loaded = json.loads(explorer.data(states.read_chapters("quick", root).executed[explorer.CHAPTER]))
        assert isinstance(loaded, dict)
        return loaded

    def test_points_clusters_and_frontier(self, repository: Path) -> None:
        cloud = self.clouds(repository)["ofa_pn"]
        assert cloud["architectures"] == ["e3_k3,e3_k5|e6_k7"] and cloud["scores"] == {}
        values = {label: shown["values"] for label, shown in cloud["labels"].items()}
        assert values == {"acc": [75.123], "latency_gpu": [6.5432]} and (cloud["x"], cloud["y"]) == (
            "latency_gpu",
            "acc",
        )
        assert cloud["frontiers"] == {"gpu": {"latency": [6.5], "acc": [75.0]}}
        cluster = {"latency": [6.5], "acc": [75.0], "architectures": ["e3_k3,e3_k5|e6_k7"]}
        assert cloud["clusters"] == {"gpu fast norm": cluster}, "of the first seed only"

    def test_each_cloud_is_a_script_that_the_first_one_lists(self, repository: Path) -> None:
        scripts = explorer.scripts(states.read_chapters("quick", repository).executed[explorer.CHAPTER])
        index = json.loads(scripts["explorer-data.js"].removeprefix("window.explorerData = ").removesuffix(";\n"))
        assert index["equations"] == {"fast": "acc / {latency}"}
        assert [one["name"] for one in index["clouds"]] == ["ofa_pn", *SMALL]
        assert len({one["group"] for one in index["clouds"]}) == 3, "kinds of data are kept apart"
        assert {one["file"] for one in index["clouds"]} | {"explorer-data.js"} == set(scripts)
        assert all(
            scripts[one["file"]].startswith(f"explorerReceive({json.dumps(one['name'])}") for one in index["clouds"]
        )

    def test_trained_tables_are_there_without_the_chapter(self) -> None:
        assert len(explorer.scripts(None)) == 1 + len(SMALL)

    def test_other_spaces_keep_their_texts(self) -> None:
        assert explorer.without_resolution("mb3,16|mb6,32") == "mb3,16|mb6,32"
        assert explorer.without_resolution("resolution224") == "resolution224"

    def test_a_family_without_a_surrogate_is_not_said_to_have_one(self, repository: Path) -> None:
        path = repository / "artifacts" / "quick" / "04_pareto_regions" / "explorer.csv"
        pd.read_csv(path).assign(family="mine").to_csv(path, index=False)
        cloud = self.clouds(repository)["mine"]
        assert "surrogate" not in cloud["rests"] + cloud["labels"]["acc"]["title"]

    def test_its_colours_are_those_of_the_book(self) -> None:
        script = (ROOT / "book" / "static" / "explorer.js").read_text()
        (listed,) = re.findall(r"const colours = (\[.*?\]);", script)
        assert tuple(json.loads(listed)) == style.PALETTE

    def test_plotly_is_a_file_of_the_book(self, repository: Path) -> None:
        script = collected(repository) / "static" / "plotly.min.js"
        assert script.stat().st_size > 1_000_000
        page = (ROOT / "book" / "explorer.md").read_text()
        assert "plotly.min.js" not in page and "https://cdn" not in page, "loaded when the reader asks"


class TestIndexOfThePaper:
    @pytest.mark.parametrize("entry", paper.ENTRIES, ids=lambda entry: entry.item)
    def test_section_cell_figure_and_functions_exist(self, entry: paper.Entry) -> None:
        source = NOTEBOOKS / f"{entry.notebook}.py"
        assert entry.cell in paper.cells_below(source, entry.section)
        assert not entry.figure or f"# name: {entry.figure}\n" in source.read_text()
        assert entry.functions and all(callable(paper.named(name)) for name in entry.functions)

    def test_it_has_all_figures_and_claims(self) -> None:
        items = " ".join(entry.item for entry in paper.FIGURES)
        assert all(f"Figure {n}" in items for n in range(1, 6))
        texts = " ".join(entry.text for entry in paper.EXPERIMENTS)
        assert all(f"Claim C{n}." in texts for n in range(1, 8))

    def test_functions_are_in_the_reference(self) -> None:
        reference = "\n".join(api.api_pages().values())
        for entry in paper.ENTRIES:
            for name in entry.functions:
                kind = "autoclass" if inspect.isclass(paper.named(name)) else "autofunction"
                assert f".. {kind}:: {name}\n" in reference, name

    def test_cells_below_a_heading(self, tmp_path: Path) -> None:
        source = tmp_path / "some.py"
        source.write_text("# ---\n# %% [markdown]\n# ## One\n# %%\na()\n# %% [markdown]\n# prose\n\n# %%\nb()\n"
                          "# %% [markdown]\n# ## Two\n# %%\nc()\n")  # fmt: skip
        assert paper.cells_below(source, "One").split() == ["a()", "b()"]
        assert paper.cells_below(source, "Two").split() == ["c()"] and not paper.cells_below(source, "Three")


class TestReference:
    def test_every_public_name_is_on_the_first_page(self) -> None:
        front = api.api_pages()["front"]
        members = {name: getattr(ab, name) for name in ab.__all__}
        shown = [name for name, member in members.items() if not inspect.ismodule(member)]
        assert shown and all(re.search(rf":: autobuild_lib\.{name}$", front, re.MULTILINE) for name in shown)

    def test_every_subpackage_has_its_public_names_somewhere(self) -> None:
        reference = "\n".join(api.api_pages().values())
        for name in ("data", "graphs", "losses", "networks", "search", "spaces", "surrogate"):
            members = api.public(importlib.import_module(f"autobuild_lib.{name}"))
            assert members and all(re.search(rf"[.]{own}\n", reference) for own in members), name

    def test_nothing_is_documented_twice(self) -> None:
        names = re.findall(r"auto(?:class|function):: (\S+)", "\n".join(api.api_pages().values()))
        objects = [paper.named(name) for name in names]
        assert len({id(found) for found in objects}) == len(objects)

    def test_methods_of_our_own_bases_belong_to_a_class(self) -> None:
        assert {"predict", "norms", "save"} <= set(api.documented(ab.Predictor))
        assert api.documented(style.Picture) == [], "nothing of Matplotlib's"

    def test_public_means_listed_or_defined_here(self) -> None:
        texts = {"table", "list_table", "bullets", "admonition", "code"}
        assert set(api.public(markdown)) == texts | {"number", "file_size", "duration"}
        assert "picture" in api.public(pictures) and "WIDTH" not in api.public(pictures)
        assert "picture" not in api.public(style)  # which hands it on

    def test_the_contents_list_every_page(self) -> None:
        toc = yaml.safe_load((ROOT / "book" / "_toc.yml").read_text())
        states = [chapter for part in toc["parts"] for chapter in part["chapters"]]
        (reference,) = [chapter for chapter in states if chapter["file"] == "book/api"]
        listed = [section["file"] for section in reference["sections"]]
        assert listed == [f"artifacts/book/api/{page.name}" for page in api.PAGES]

    def test_every_module_of_a_chapter_stands_once(self) -> None:
        named = re.findall(r"automodule:: (autobuild_book\.chapters\.\S+)", "\n".join(api.api_pages().values()))
        chapters = ROOT / "autobuild_book" / "chapters"
        paths = [path.relative_to(ROOT).with_suffix("") for path in chapters.rglob("*.py") if path.parent != chapters]
        names = [".".join(path.parts).removesuffix(".__init__") for path in paths]
        packages = {name.rpartition(".")[0] for name in names}
        assert sorted(set(named) - packages) == sorted(set(names) - packages) and len(set(named)) == len(named)


class TestMarkdown:
    def test_tables(self) -> None:
        assert markdown.table(("a", "b"), [("1|2", "3")]) == "| a | b |\n| --- | --- |\n| 1\\|2 | 3 |\n"
        text = markdown.list_table(("a", "b"), [("1", "- x\n- y")], "kind")
        assert text.endswith("* - a\n  - b\n* - 1\n  - - x\n    - y\n````\n") and ":class: kind" in text

    @pytest.mark.parametrize(("number", "text"), [(20, "0.1 kB"), (5_230, "5.2 kB"), (2_340_000, "2.3 MB")])
    def test_sizes(self, number: int, text: str) -> None:
        assert markdown.file_size(number) == text

    def test_numbers(self) -> None:
        assert markdown.number(0.5, "+.1f", 100) == "+50.0" and markdown.number(None, ".3f") == "–"

    @pytest.mark.parametrize(("seconds", "text"), [(3.14, "3.1 s"), (59.9, "59.9 s"), (90.0, "1.5 min")])
    def test_durations(self, seconds: float, text: str) -> None:
        assert markdown.duration(seconds) == text

    def test_anchors(self) -> None:
        assert claims.slug("Result: clusters of 243 networks") == "result-clusters-of-243-networks"
        assert claims.slug("Hop 0: the feature-embedding MLP") == "hop-0-the-feature-embedding-mlp"
