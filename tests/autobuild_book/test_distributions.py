"""A release: two distributions of disjoint files that install without the repository, and one version everywhere."""

import ast
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

import autobuild_lib as ab
from autobuild_book import distributions
from autobuild_book.labs import handout
from tests.test_sizes import THE_WAY

ROOT = Path(__file__).resolve().parents[2]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
MODULES = {"lazy_loader": "lazy-loader", "nas_bench_graph": "nas-bench-graph"}  # those not called as their distribution


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return distributions.wheels(ROOT, tmp_path_factory.mktemp("dist"))


def files(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def metadata(wheel: Path) -> dict[str, list[str]]:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        message = Parser().parsestr(archive.read(name).decode())
    return {key: message.get_all(key, []) for key in message}


class TestOneVersion:
    def test_library_project_and_citation(self) -> None:
        assert ab.__version__ == VERSION
        assert str(yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"]) == VERSION
        assert f"version = {{{VERSION}}}" in (ROOT / "book" / "cite.md").read_text()

    def test_the_changelog_begins_with_it_and_is_dated_as_the_citation(self) -> None:
        heading = re.search(r"^## (\S+) \((.+)\)$", (ROOT / "book" / "changelog.md").read_text(), re.MULTILINE)
        assert heading and heading[1] == VERSION
        released = yaml.safe_load((ROOT / "CITATION.cff").read_text()).get("date-released")
        assert heading[2] == ("not yet released" if released is None else str(released))


class TestWheels:
    def test_each_holds_its_package_whole_and_nothing_else(self, wheels: list[Path]) -> None:
        for wheel, package in zip(wheels, distributions.PACKAGES.values(), strict=True):
            assert wheel.name == f"{package}-{VERSION}-py3-none-any.whl"
            tracked = subprocess.run(["git", "ls-files", package], cwd=ROOT, capture_output=True, text=True, check=True)
            shipped = {name for name in tracked.stdout.splitlines() if (ROOT / name).is_file()}
            assert files(wheel) >= shipped and all(name.startswith(f"{package}/") for name in files(wheel))

    def test_the_companion_needs_the_library_of_its_version(self, wheels: list[Path]) -> None:
        library, companion = map(metadata, wheels)
        assert (library["Name"], companion["Name"]) == (["autobuild-lib"], ["autobuild-book"])
        assert f"autobuild-lib=={VERSION}" in companion["Requires-Dist"]
        assert not [line for line in library["Requires-Dist"] if Requirement(line).name.startswith("autobuild")]
        assert {"benchmarks", "onnx"} == set(library["Provides-Extra"]) < set(companion["Provides-Extra"])
        assert library["License-File"] == companion["License-File"] == ["LICENSE", "NOTICE"]

    def test_the_library_imports_only_what_it_brings(self, wheels: list[Path]) -> None:
        brings = {Requirement(line).name for line in metadata(wheels[0])["Requires-Dist"]}
        trees = [ast.parse(path.read_text()) for path in (ROOT / "autobuild_lib").rglob("*.py")]
        nodes = [node for tree in trees for node in ast.walk(tree)]
        names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        names |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}
        others = {name.split(".")[0] for name in names} - sys.stdlib_module_names - {"autobuild_lib"}
        assert len(others) >= 9 and {MODULES.get(name, name) for name in others} <= brings

    def test_the_same_tree_makes_the_same_bytes(self, wheels: list[Path], tmp_path: Path) -> None:
        assert distributions.wheels(ROOT, tmp_path)[1].read_bytes() == wheels[1].read_bytes()

    def test_a_folder_that_is_no_clone_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="no clone"):
            distributions.wheels(tmp_path, tmp_path / "out")
        assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_source_distribution_builds_the_same_wheel(wheels: list[Path], tmp_path: Path) -> None:
    for sdist, wheel in zip(distributions.sdists(ROOT, tmp_path / "sdists"), wheels, strict=True):
        with tarfile.open(sdist) as archive:
            archive.extractall(tmp_path, filter="data")
        code = "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"
        command = [sys.executable, "-c", code, str(tmp_path)]
        subprocess.run(command, cwd=tmp_path / sdist.name.removesuffix(".tar.gz"), capture_output=True, check=True)
        assert files(tmp_path / wheel.name) == files(wheel)


@pytest.fixture(scope="module")
def installed(wheels: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with both wheels, and with what they need from this one, which needs no network."""
    folder = tmp_path_factory.mktemp("elsewhere") / "environment"
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    options = ["--no-index", "--no-deps", "--ignore-installed", "--no-compile"]
    subprocess.run(
        [sys.executable, "-m", "pip", "-q", "--python", str(python), "install", *options, *wheels], check=True
    )
    (site,) = (folder / "lib").glob("python*/site-packages")
    (site / "needs.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return python


def run(python: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command of an environment in a folder without a repository."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment["OMP_NUM_THREADS"] = "1"
    command, place = [str(python.parent / words[0]), *words[1:]], python.parents[1]
    return subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, timeout=300)


class TestInstalledElsewhere:
    def test_both_packages_are_those_of_the_wheels(self, installed: Path) -> None:
        code = "import autobuild_book, autobuild_lib; print(autobuild_book.__file__); print(autobuild_lib.__file__)"
        places = run(installed, "python", "-c", code).stdout.splitlines()
        assert len(places) == 2 and all(Path(place).is_relative_to(installed.parents[1]) for place in places)

    def test_the_commands_answer(self, installed: Path) -> None:
        done = run(installed, "autobuild", "--version")
        assert (done.returncode, done.stdout) == (0, f"autobuild {VERSION}\n")
        done = run(installed, "autobuild", "--help")
        assert done.returncode == 0 and "autobuild fit" in done.stdout

    @pytest.mark.slow
    def test_the_way_of_the_paper(self, installed: Path) -> None:
        done = run(installed, "python", "-c", THE_WAY)
        assert done.returncode == 0 and str(ROOT) not in done.stdout, done.stderr

    @pytest.mark.slow
    def test_a_lab_is_solved(self, installed: Path) -> None:
        source = handout.solution_version(handout.read_source(handout.sources(ROOT)[0]))
        code = [cell.source for cell in source.cells if cell.cell_type == "code"]
        script = installed.parents[1] / "lab.py"
        script.write_text("\n".join([*code, "print('done')"]))
        done = run(installed, "python", str(script))
        assert done.returncode == 0 and done.stdout.endswith("done\n"), done.stderr
