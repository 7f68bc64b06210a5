"""Binder and Colab buttons: none without an address, and with one they open notebooks that a clone has."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGE = """(page)=
# A page

Open {launch}`labs/student/lab1_embeddings.ipynb`.
"""
NOTEBOOK = (
    '{"cells": [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# Executed"}], "nbformat": 4, '
    '"nbformat_minor": 5, "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}}}'
)


def extension() -> ModuleType:
    specification = importlib.util.spec_from_file_location("launch", ROOT / "book" / "extensions" / "launch.py")
    assert specification and specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_addresses() -> None:
    addresses = extension().addresses("https://github.com/owner/name/", "main", "labs/student/lab1_embeddings.ipynb")
    assert addresses == {
        "Binder": "https://mybinder.org/v2/gh/owner/name/main?urlpath=lab/tree/labs/student/lab1_embeddings.ipynb",
        "Colab": "https://colab.research.google.com/github/owner/name/blob/main/labs/student/lab1_embeddings.ipynb",
    }


@pytest.mark.parametrize(("address", "kept"), [("", False), ("https://github.com/owner/name", True)])
def test_without_an_address_there_are_no_launch_buttons(address: str, kept: bool) -> None:
    options = {"repository_url": address, "launch_buttons": {}}
    extension().hide_without_address(SimpleNamespace(config=SimpleNamespace(html_theme_options=options)))
    assert ("launch_buttons" in options) == kept


def test_executed_notebooks_open_as_committed_and_downloads_stay() -> None:
    download = {"label": "download-buttons", "buttons": [{"url": "_sources/artifacts/book/01_some.ipynb"}]}
    launch = {"label": "launch-buttons", "buttons": [{"url": "https://x/main/artifacts/book/01_some.ipynb"}]}
    extension().point_to_clone(None, "", "", {"header_buttons": [download, launch, {"type": "javascript"}]}, None)
    assert launch["buttons"] == [{"url": "https://x/main/notebooks/01_some.ipynb"}]
    assert download["buttons"] == [{"url": "_sources/artifacts/book/01_some.ipynb"}]


def links(folder: Path, address: str) -> list[str]:
    """Build two pages with the book's theme and launch settings; return where their links lead."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    (folder / "artifacts" / "book").mkdir(parents=True)
    (folder / "index.md").write_text(PAGE + "\n```{toctree}\nartifacts/book/01_some\n```\n")
    (folder / "artifacts" / "book" / "01_some.ipynb").write_text(NOTEBOOK)
    options = {"repository_url": address, "repository_branch": "main", "launch_buttons": config["launch_buttons"]}
    lines = [
        f"import sys; sys.path.insert(0, {str(ROOT / 'book' / 'extensions')!r})",
        "extensions, html_theme, nb_execution_mode = ['myst_nb', 'launch'], 'sphinx_book_theme', 'off'",
        f"html_theme_options = {options!r}",
    ]
    (folder / "conf.py").write_text("\n".join(lines) + "\n")
    command = [sys.executable, "-m", "sphinx", "-W", "-q", "-b", "html", str(folder), str(folder / "out")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return re.findall('href="([^"]*)"', "".join(path.read_text() for path in sorted((folder / "out").rglob("*.html"))))


@pytest.mark.slow
def test_buttons_appear_with_an_address_and_open_what_a_clone_has(tmp_path: Path) -> None:
    services = re.compile("//(mybinder|colab)[.]")
    assert not any(map(services.search, links(tmp_path / "without", "")))
    launches = set(filter(services.search, links(tmp_path / "with", "https://github.com/owner/name")))
    notebooks = {link.rpartition("main")[2] for link in launches}
    assert len(launches) == 4 and all("artifacts" not in link for link in launches)
    assert notebooks == {
        "?urlpath=lab/tree/notebooks/01_some.ipynb",
        "/notebooks/01_some.ipynb",
        "?urlpath=lab/tree/labs/student/lab1_embeddings.ipynb",
        "/labs/student/lab1_embeddings.ipynb",
    }


class TestWorkflow:
    text = (ROOT / ".github" / "workflows" / "book.yml").read_text()

    def test_every_action_is_pinned_to_a_commit(self) -> None:
        used = re.findall(r"uses: (\S+)(.*)", self.text)
        assert len(used) == 8
        for action, comment in used:
            assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", action) and re.search(r"# v\d+\.\d+\.\d+$", comment)

    def test_it_runs_what_the_makefile_has(self) -> None:
        targets = set(re.findall(r"make ([a-z-]+)", self.text))
        phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
        used = {"install", "chain", "test", "book", "test-book", "labs", "epub"}
        assert phony and used == targets <= set(phony[1].split())

    def test_only_the_publishing_job_may_write(self) -> None:
        workflow = yaml.safe_load(self.text)
        assert workflow["permissions"] == {"contents": "read"} and "permissions" not in workflow["jobs"]["build"]
        assert workflow["jobs"]["publish"]["permissions"] == {"pages": "write", "id-token": "write"}
