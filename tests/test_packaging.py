"""Pins agree with each other, modules import only what stands above them, and importing does nothing else."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
HOUSES = ("autobuild_lib", "autobuild_book")
LIBRARY_FOLDER = ROOT / "autobuild_lib"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PINNED = ("benchmarks", "book", "cluster", "imagenet", "onnx", "sd", "test")  # extras
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]


def requirements(*extras: str) -> dict[str, Requirement]:
    """Direct dependencies by name, those of the given extras included."""
    lines = [*PROJECT["dependencies"]]
    for extra in extras:
        lines += PROJECT["optional-dependencies"][extra]
    return {canonicalize_name(Requirement(line).name): Requirement(line) for line in lines}


def pins(lines: list[str]) -> dict[str, str]:
    """Exact versions by name; anything but name==version is an error."""
    found: dict[str, str] = {}
    for line in lines:
        match = re.fullmatch(r"([A-Za-z0-9._-]+)==([A-Za-z0-9.]+)", line)  # no ranges, paths, builds or markers
        assert match, f"not an exact pin: {line!r}"
        name = canonicalize_name(match[1])
        assert name not in found, f"pinned twice: {line!r}"
        found[name] = match[2]
    return found


def constraint_lines() -> list[str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


CONSTRAINTS = pins(constraint_lines())


class TestPins:
    @pytest.mark.parametrize("line", ["numpy>=2", "numpy", "torch==2.13.0+cpu", "-e .", "x @ file:///x", "numpy==2.*"])
    def test_what_is_not_an_exact_pin_is_noticed(self, line: str) -> None:
        with pytest.raises(AssertionError, match="not an exact pin"):
            pins([line])

    def test_one_pin_for_each_name(self) -> None:
        with pytest.raises(AssertionError, match="pinned twice"):
            pins(["scikit-learn==1.0", "scikit_learn==1.0"])

    def test_every_direct_dependency_is_pinned_within_its_bounds(self) -> None:
        for name, requirement in requirements(*PINNED).items():
            assert name in CONSTRAINTS, f"{name} has no pin in constraints.txt: run make constraints"
            assert requirement.specifier.contains(CONSTRAINTS[name]), f"{name}: {requirement}"

    def test_the_library_replaces_no_package_that_is_recent_enough(self) -> None:
        kinds = {clause.operator for requirement in requirements().values() for clause in requirement.specifier}
        assert kinds == {">="}

    def test_environment_has_the_same_versions(self) -> None:
        (packages,) = (entry["pip"] for entry in ENVIRONMENT if isinstance(entry, dict))
        options = [line for line in packages if line.startswith("-")]
        assert {"--constraint constraints.txt", "-e ."} <= set(options)
        pinned = pins([line for line in packages if line not in options])
        assert pinned == {name: CONSTRAINTS[name] for name in requirements("benchmarks", "book")}

    def test_every_python_of_the_classifiers_is_taken_and_tested(self) -> None:
        prefix = "Programming Language :: Python :: "
        versions = [text.removeprefix(prefix) for text in PROJECT["classifiers"] if text.startswith(prefix)]
        workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "book.yml").read_text())["jobs"]
        assert versions == ["3.11", *workflow["test"]["strategy"]["matrix"]["python"]]
        assert all(SpecifierSet(PROJECT["requires-python"]).contains(f"{version}.0") for version in versions)

    def test_environment_has_a_python_that_the_project_takes(self) -> None:
        (python,) = (entry for entry in ENVIRONMENT if str(entry).startswith("python="))
        assert SpecifierSet(PROJECT["requires-python"]).contains(python.removeprefix("python=") + ".0")

    def test_readme_lists_every_direct_dependency(self) -> None:
        readme = ROOT / "README.md"
        text = readme.read_text() if readme.exists() else ""
        section = re.search(r"^## Dependencies$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
        if not section:
            pytest.skip("README.md has no section Dependencies")
        rows = {canonicalize_name(name) for name in re.findall(r"[\w.-]+", section[1])}
        assert not requirements(*PINNED).keys() - rows


# Of each house its parts in order: a module imports only what stands before its part, or in it.
LIBRARY = [
    "extras", "progress", "values", "storage", "store", "weights", "torch_settings", "statistics", "processes",
    "spaces", "targets", "networks", "graphs", "data.table", "released", "data", "losses", "engine",
    "predictor", "saved", "training", "ir_training", "evaluation", "surrogate", "loading",
    "units", "search",
]  # fmt: skip
COMPANION = [
    "houses", "extras", "lines", "locks", "parallel", "bundled", "benchmark_files", "hops", "layer_mutation", "unions",
    "dominance", "tracing", "intervals", "downloads", "zips", "figures", "runs", "crates", "chain", "measured",
    "imagenet", "arguments", "distributions", "chapters.shared", "chapters", "labs", "play", "pages", "onefile",
    "archives", "cli",
]  # fmt: skip


def modules() -> list[Path]:
    return sorted(path for house in HOUSES for path in (ROOT / house).rglob("*.py"))


def imports(source: str, module: str, is_package: bool) -> Iterator[str]:
    """Absolute names of what a module imports, wherever in the module it does so."""
    package = module if is_package else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = resolve_name("." * node.level + (node.module or ""), package) if node.level else node.module or ""
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def place(module: str) -> tuple[int, int]:
    """Where a module stands: its house, and its part in the order of the house; -1 for what is not in the order."""
    house, _, rest = module.partition(".")
    order = LIBRARY if house == "autobuild_lib" else COMPANION
    parts = [part for part in order if f"{rest}.".startswith(f"{part}.")]
    return HOUSES.index(house), order.index(max(parts, key=len)) if parts else -1


def chapter(module: str) -> str:
    """The chapter that a module belongs to, or ""; what chapters share is none."""
    names = module.split(".")
    return names[2] if names[1:2] == ["chapters"] and names[2:3] not in ([], ["shared"]) else ""


def wrong_imports(source: str, module: str, is_package: bool = False) -> list[str]:
    """Imports of our own modules that do not stand above the one given."""
    if place(module)[1] < 0:
        return [f"{module} is not in the order"]
    names = [name for name in imports(source, module, is_package) if name.split(".")[0] in HOUSES]
    names = [name for name in names if name not in ALLOWED]
    wrong = [name for name in names if place(name)[1] < 0 or place(name) > place(module)]
    wrong += [name for name in names if chapter(module) and chapter(name) not in ("", chapter(module))]
    return [f"{module} imports {name}" for name in wrong]


ALLOWED = {"autobuild_lib.__version__"}


class TestDirectionOfImports:
    @pytest.mark.parametrize(
        "source",
        [
            "import autobuild_lib",
            "import autobuild_lib as ab",
            "import autobuild_lib.training",
            "from autobuild_lib import training",
            "from autobuild_lib.training import fit",
            "from .training import fit",
            "from . import data, training",
            "from autobuild_book import houses",
            "def f():\n    from .units import UnitCorpus",
        ],
    )
    def test_a_wrong_direction_is_noticed(self, source: str) -> None:
        assert wrong_imports(source, "autobuild_lib.losses")

    def test_right_directions_pass(self) -> None:
        assert not wrong_imports("import numpy\nfrom .spaces import Unit\nfrom . import data", "autobuild_lib.losses")
        assert not wrong_imports("from .files import load\nfrom ..spaces import Unit", "autobuild_lib.data", True)
        assert not wrong_imports("from . import limits\nfrom ..spaces import Unit", "autobuild_lib.released.unpickle")
        assert wrong_imports("from ..losses import soft_rank", "autobuild_lib.released.unpickle")
        assert wrong_imports("", "autobuild_lib.misc") == ["autobuild_lib.misc is not in the order"]

    def test_a_chapter_imports_what_chapters_share_and_no_other_chapter(self) -> None:
        module = "autobuild_book.chapters.ranking.experiment"
        assert not wrong_imports("from autobuild_book.chapters.shared.panels import Panel", module)
        assert not wrong_imports("from autobuild_book.chapters.ranking.figures import srcc_by_hop", module)
        assert not wrong_imports("from autobuild_lib.training import fit", module)
        assert wrong_imports("from autobuild_book.chapters.peers.contests import named", module)
        assert wrong_imports("from autobuild_book.pages import claims", module)
        shared = "autobuild_book.chapters.shared.panels"
        assert wrong_imports("from autobuild_book.chapters.ranking import figures", shared)

    def test_every_module_imports_only_modules_above_it(self) -> None:
        wrong = []
        for path in modules():
            parts = path.relative_to(ROOT).with_suffix("").parts
            is_package = parts[-1] == "__init__"
            name = ".".join(parts[:-1] if is_package else parts)
            if name not in HOUSES:
                wrong += wrong_imports(path.read_text(), name, is_package)
        assert not wrong, "\n".join(wrong)


UNSAFE_MODULES = {"pickle", "cPickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
UNSAFE_CALLS = {"eval", "exec", "compile", "__import__"}


def unsafe(source: str) -> list[str]:
    """What would run or unpickle something: lines and reasons."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            origin = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            found += [f"{node.lineno}: import of {name}" for name in origin if name.split(".")[0] in UNSAFE_MODULES]
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            if name.removeprefix("builtins.") in UNSAFE_CALLS or name in ("pd.read_pickle", "pandas.read_pickle"):
                found.append(f"{node.lineno}: {name}")
            if name == "torch.load" and keywords.get("weights_only") != "True":
                found.append(f"{node.lineno}: torch.load without weights_only=True")
            wrong = {"weights_only": "False", "allow_pickle": "True", "shell": "True"}
            if name.endswith(("load_state_dict", "load_model")):
                wrong["strict"] = "False"
            found += [f"{node.lineno}: {key}={value}" for key, value in wrong.items() if keywords.get(key) == value]
    return found


class TestSafety:
    @pytest.mark.parametrize(
        "source",
        [
            "eval('1')",
            "exec('x = 1')",
            "builtins.eval('1')",
            "compile('1', '', 'eval')",
            "import pickle",
            "from pickle import load",
            "import numpy, joblib",
            "pd.read_pickle('x')",
            "torch.load('x')",
            "torch.load('x', weights_only=False)",
            "model.load_state_dict(weights, strict=False)",
            "np.load('x', allow_pickle=True)",
            "subprocess.run('ls', shell=True)",
        ],
    )
    def test_unsafe_code_is_noticed(self, source: str) -> None:
        assert unsafe(source)

    def test_safe_code_passes(self) -> None:
        assert not unsafe("model.eval()\nre.compile('x')\ntorch.compile(f)\nnp.load('x')\nzip(a, b, strict=False)")
        assert not unsafe("torch.load('x', weights_only=True)\nmodel.load_state_dict(weights)")

    def test_only_the_restricted_unpickler_may_unpickle(self) -> None:
        checked = [path for path in modules() if path.name != "unpickle.py"]
        assert checked
        found = [f"{path.relative_to(ROOT)}:{line}" for path in checked for line in unsafe(path.read_text())]
        assert not found, "\n".join(found)


def test_importing_the_library_does_nothing_else(tmp_path: Path) -> None:
    code = """
import os, random, sys, threading
import numpy as np, torch
def state():
    return (random.getstate(), str(np.random.get_state()), torch.get_rng_state().tolist(), torch.get_num_threads(),
            torch.get_default_dtype(), threading.active_count(), os.getcwd(), sorted(os.environ))
before = state()
import autobuild_lib
assert state() == before, "random state, threads or environment changed"
assert not {"matplotlib.pyplot", "pymoo"} & set(sys.modules), "something heavy was imported"
"""
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir(), work.mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "MPL", "PYTEST"))}
    environment |= {"HOME": str(home), "TMPDIR": str(home), "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", code]
    files = {path: path.stat().st_mtime_ns for path in LIBRARY_FOLDER.rglob("*")}
    done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [*home.rglob("*"), *work.rglob("*")] == []
    assert {path: path.stat().st_mtime_ns for path in LIBRARY_FOLDER.rglob("*") if path in files} == files


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
class TestMakefile:
    def make(self, *arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
        ours = ("MAKE", "MFLAGS", "PYTHON", "PROFILE", "WHEELS")  # a make that runs these tests must not show through
        environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        command = ["make", *arguments]
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)

    def test_make_alone_lists_every_target(self) -> None:
        phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert phony
        shown = self.make().stdout
        assert all(f"make {target} " in shown for target in phony[1].split())

    @pytest.mark.parametrize("profile", ["", "fast", "quick paper", "%"])
    def test_an_unknown_profile_is_one_line(self, profile: str) -> None:
        done = self.make("-n", "book", f"PROFILE={profile}")
        assert (
            done.returncode and f'PROFILE is "{profile}"' in done.stderr and "quick, standard or paper" in done.stderr
        )
        assert done.stderr.count("\n") == 1 and not done.stdout

    def test_a_folder_without_wheels_is_one_line(self, tmp_path: Path) -> None:
        done = self.make("-n", "book", f"WHEELS={tmp_path}")
        assert done.returncode and "a folder without wheels" in done.stderr and done.stderr.count("\n") == 1

    @pytest.mark.parametrize(("version", "shown"), [("3, 10", "Python 3.10"), ("3, 15", "Python 3.15")])
    def test_a_wrong_python_is_one_line(self, tmp_path: Path, version: str, shown: str) -> None:
        for name in ("Makefile", "pyproject.toml", "constraints.txt"):
            shutil.copy(ROOT / name, tmp_path)
        python = tmp_path / "other-python"
        python.write_text(
            f'#!/bin/sh\n[ "$1" = -V ] && echo {shown} && exit\n'
            f'exec "{sys.executable}" -c "import sys; sys.version_info = ({version}); $2"\n'
        )
        python.chmod(0o755)
        for wrong, found in [(str(python), shown), (str(tmp_path / "none"), "")]:
            done = self.make("install", f"PYTHON={wrong}", folder=tmp_path)
            assert done.returncode and "needs Python 3.11 to 3.14" in done.stderr and found in done.stderr
            assert done.stderr.count("\n") == 1 and not (tmp_path / ".venv").exists()

    def test_the_newest_python_that_can_be_used_is_taken(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        scripts = {
            "python3.14": "echo 'pyenv: python3.14: command not found' >&2; exit 127",
            "python3.13": f'exec "{sys.executable}" -c "import sys; sys.modules[\'ensurepip\'] = None; $2"',
            "python3.12": f'exec "{sys.executable}" -c "$2"',
            "python3.11": f'exec "{sys.executable}" -c "$2"',
        }
        for name, script in scripts.items():
            (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
            (tmp_path / name).chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
        assert "PYTHON=python3.12," in self.make("help").stdout
        (tmp_path / "python3.14").write_text(f"#!/bin/sh\n{scripts['python3.12']}\n")
        assert "PYTHON=python3.14," in self.make("help").stdout
        assert "PYTHON=python3.11," in self.make("help", "PYTHON=python3.11").stdout


def test_help_and_a_wrong_command_need_no_torch() -> None:
    for words, code in ((["--help"], 0), (["nonsense"], 2), (["--version"], 0)):
        program = (
            "import sys\nfrom autobuild_book.cli import main\ntry:\n    main(sys.argv[1:])\n"
            "except SystemExit as error:\n    assert 'torch' not in sys.modules\n    raise"
        )
        done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True)
        assert done.returncode == code, done.stderr
