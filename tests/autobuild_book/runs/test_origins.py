"""The commit, a notebook's code, and the machine are told on every system, and nothing that is missing ends a run."""

import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import nbformat
import pytest

from autobuild_book.runs import origins

X86 = "processor\t: 0\nmodel\t\t: 85\nmodel name\t: Intel(R)  Xeon(R) CPU @ 2.00GHz\n\nmodel name\t: second\n"
ARM = "processor\t: 0\nBogoMIPS\t: 50.00\nCPU implementer\t: 0x41\n"


class TestRevision:
    @pytest.fixture
    def library(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A library in a work tree with one commit."""
        folder = tmp_path / "autobuild_lib"
        folder.mkdir()
        (folder / "a.py").touch()
        (tmp_path / "autobuild_book").mkdir()
        for command in ("init -q", "add .", "-c user.name=a -c user.email=b commit -q -m c"):
            subprocess.run(["git", *command.split()], cwd=tmp_path, check=True)
        monkeypatch.setattr(origins, "LIBRARY", folder)
        return folder

    def test_it_is_that_of_the_work_tree_and_says_when_files_changed(self, library: Path) -> None:
        commit, dirty = origins.revision()
        assert commit and re.fullmatch(r"[0-9a-f]{40}", commit) and dirty is False
        (library.parent / "other.txt").touch()
        assert origins.revision() == (commit, False) and str(origins.revision()) == commit[:12]
        (library / "a.py").write_text("changed")
        assert origins.revision() == (commit, True) and str(origins.revision()) == f"{commit[:12]}, with changes"

    def test_a_work_tree_of_something_else_is_not_ours(self, library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        installed = library / "site-packages" / "autobuild_lib"
        installed.mkdir(parents=True)
        monkeypatch.setattr(origins, "LIBRARY", installed)
        assert origins.revision() == (None, None)

    def test_no_work_tree_and_no_git(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(origins, "LIBRARY", tmp_path)
        monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
        assert origins.revision() == (None, None)
        monkeypatch.setenv("PATH", "")
        assert origins.revision() == (None, None) and str(origins.revision()).startswith("unknown")


class TestNotebook:
    CELLS = ("seed = 1", "run = Run.start()", "x = 2\nrun.finish(x=x)", "run.provenance()")

    def digest(self, *cells: str) -> str | None:
        return origins.notebook_sha256(cells)

    def test_code_counts_up_to_the_end_of_the_run(self) -> None:
        whole = self.digest(*self.CELLS)
        assert whole and whole == self.digest(*self.CELLS[:3]) == self.digest(*self.CELLS, "more")
        for place in range(3):
            assert self.digest(*self.CELLS[:place], self.CELLS[place] + " ", *self.CELLS[place + 1 :]) == whole
            assert self.digest(*self.CELLS[:place], self.CELLS[place] + "#", *self.CELLS[place + 1 :]) != whole
            assert self.digest(*self.CELLS[:place], *self.CELLS[place + 1 :]) != whole

    def test_cells_of_papermill_repeated_and_empty_ones_do_not_count(self) -> None:
        first, *rest = self.CELLS
        assert self.digest("", first, "# Parameters\nseed = 7\n", " ", first, *rest) == self.digest(*self.CELLS)

    def test_where_no_cell_ran_there_is_none(self) -> None:
        assert self.digest() is None and self.digest("", "  ") is None

    def test_a_file_has_the_digest_of_its_cells_whatever_its_texts_and_outputs(self, tmp_path: Path) -> None:
        cells: list[Any] = [nbformat.v4.new_code_cell(text) for text in self.CELLS]
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Title"), *cells])
        cells[0].outputs = [nbformat.v4.new_output("stream", text="1")]
        nbformat.write(notebook, path := tmp_path / "a.ipynb")
        assert origins.file_sha256(path) == self.digest(*self.CELLS)
        lines = {"cell_type": "code", "source": ["seed", " = 1"]}
        path.write_text(json.dumps({"cells": [lines]}))
        assert origins.file_sha256(path) == self.digest(self.CELLS[0])
        assert origins.file_sha256(tmp_path / "b.ipynb") is None

    def test_cells_are_those_that_the_kernel_was_given(self) -> None:
        history = SimpleNamespace(input_hist_raw=["", "%matplotlib inline"])
        shell = SimpleNamespace(history_manager=history)
        names = {"get_ipython": lambda: shell, "In": ["", "get_ipython().run_line_magic('matplotlib', 'inline')"]}
        cells = origins.cells_that_ran(names)
        history.input_hist_raw.append("x = 1")
        assert list(cells) == ["", "%matplotlib inline", "x = 1"]
        assert origins.cells_that_ran({"In": ["a"]}) == ["a"] and origins.cells_that_ran({}) == ()


class TestProcessor:
    def on(self, monkeypatch: pytest.MonkeyPatch, system: str, answers: dict[str, str]) -> None:
        """Pretend to be on a system where programs answer so, and others are not there."""

        def output(name: str, *arguments: str) -> str:
            if name not in answers:
                raise FileNotFoundError(name)
            return answers[name]

        monkeypatch.setattr(origins.sys, "platform", system)
        monkeypatch.setattr(origins, "_output", output)
        monkeypatch.setattr(origins.platform, "processor", lambda: "arm")

    @pytest.mark.parametrize(
        ("text", "answers", "model"),
        [
            (X86, {"lscpu": "Model name:  other"}, "Intel(R) Xeon(R) CPU @ 2.00GHz"),
            (ARM, {"lscpu": "Architecture: aarch64\nModel name:      Neoverse-N1\n"}, "Neoverse-N1"),
            (ARM, {"lscpu": "Architecture: aarch64\n"}, "arm"),
            (ARM, {}, "arm"),
            (None, {}, "arm"),
        ],
    )
    def test_linux(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, answers: dict[str, str], model: str
    ) -> None:
        if text is not None:
            (tmp_path / "cpuinfo").write_text(text)
        monkeypatch.setattr(origins, "CPU", tmp_path / "cpuinfo")
        self.on(monkeypatch, "linux", answers)
        assert origins.processor() == model

    @pytest.mark.parametrize(("answers", "model"), [({"sysctl": "Apple M2\n"}, "Apple M2"), ({}, "arm")])
    def test_macos(self, monkeypatch: pytest.MonkeyPatch, answers: dict[str, str], model: str) -> None:
        self.on(monkeypatch, "darwin", answers)
        assert origins.processor() == model

    def test_windows(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.on(monkeypatch, "win32", {})
        monkeypatch.setitem(sys.modules, "winreg", None)
        assert origins.processor() == "arm"
        registry: Any = ModuleType("winreg")
        registry.HKEY_LOCAL_MACHINE = 0
        registry.OpenKey = lambda root, place: open(sys.executable, "rb")  # noqa: SIM115
        registry.QueryValueEx = lambda key, name: (f"{name} of a model ", 1)
        monkeypatch.setitem(sys.modules, "winreg", registry)
        assert origins.processor() == "ProcessorNameString of a model"

    def test_a_system_that_tells_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.on(monkeypatch, "other", {})
        monkeypatch.setattr(origins.platform, "processor", lambda: "")
        monkeypatch.setattr(origins.platform, "machine", lambda: "")
        assert origins.processor() and "\n" not in origins.machine()
