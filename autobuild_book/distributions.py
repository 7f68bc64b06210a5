"""Builds the two distributions of a release from a clone: `autobuild-lib`, the method alone, and `autobuild-book`.

`make dist` calls `main`; code calls `wheels(root, folder)`, which takes some seconds, needs no network, and returns the
two wheels, the library's first. An install names both: `pip install autobuild_lib-*.whl autobuild_book-*.whl`.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LIBRARY, COMPANION = "autobuild-lib", "autobuild-book"
PACKAGES = {LIBRARY: "autobuild_lib", COMPANION: "autobuild_book"}
SHARED = ("README.md", "LICENSE", "NOTICE")  # files of both
FOLDER = Path("artifacts") / "dist"
_DATE = "315532800"  # 1980-01-01, of every file in a wheel: equal contents make equal bytes
_BUILD = "import sys; from setuptools import build_meta as backend; getattr(backend, sys.argv[1])(sys.argv[2])"


def wheels(root: Path, out: Path) -> list[Path]:
    """Build the wheels of both packages of the clone at `root` into the folder `out`; return them, the library's first.

    Raises `ValueError` where `root` is no clone, and `CalledProcessError` with what setuptools says if it refuses.
    """
    return [_build(root, name, "build_wheel", out) for name in PACKAGES]


def sdists(root: Path, out: Path) -> list[Path]:
    """Build the source distributions of both packages, as `wheels` does."""
    return [_build(root, name, "build_sdist", out) for name in PACKAGES]


def projects(root: Path) -> dict[str, dict[str, Any]]:
    """Return the table `[project]` of each distribution, by its name, as pyproject.toml at `root` has it.

    That file is one project of both packages, for work in a clone. The library has all its dependencies and the extras
    that `[tool.distributions.autobuild-lib]` names; the companion needs the library of the same version.
    """
    path = root / "pyproject.toml"
    if not all((root / package).is_dir() for package in PACKAGES.values()) or not path.is_file():
        raise ValueError(f"{root}: no clone of the repository; releases are built in one")
    pyproject = tomllib.loads(path.read_text(encoding="utf-8"))
    project, library = pyproject["project"], pyproject["tool"]["distributions"][LIBRARY]
    extras = {name: project["optional-dependencies"][name] for name in library["extras"]}
    alone = project | {"name": LIBRARY, "description": library["description"], "optional-dependencies": extras}
    del alone["scripts"]
    needs = [f"{LIBRARY}=={project['version']}", *project["dependencies"]]
    return {LIBRARY: alone, COMPANION: project | {"dependencies": needs}}


def _build(root: Path, name: str, what: str, out: Path) -> Path:
    """Build one file of one distribution in a folder that holds nothing else; return it in `out`."""
    project = projects(root)[name]
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        tree, built = Path(place) / "tree", Path(place) / "built"
        _stage(root, PACKAGES[name], project, tree)
        environment = os.environ | {"SOURCE_DATE_EPOCH": _DATE}
        command = [sys.executable, "-c", _BUILD, what, str(built)]
        subprocess.run(command, cwd=tree, env=environment, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
        (path,) = built.iterdir()
        return Path(shutil.move(path, out / path.name))


def _stage(root: Path, package: str, project: Mapping[str, Any], tree: Path) -> None:
    shutil.copytree(root / package, tree / package, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in SHARED:
        shutil.copy(root / name, tree)
    whole = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    data = {
        "packages": {
            "find": {"include": [f"{package}*"]},
        },
        "package-data": whole["tool"]["setuptools"]["package-data"],
    }
    tables = {"build-system": whole["build-system"], "project": project, "tool": {"setuptools": data}}
    (tree / "pyproject.toml").write_text("".join(_table(*item) for item in tables.items()), encoding="utf-8")


def _table(name: str, content: Mapping[str, Any]) -> str:
    return "".join([f"[{name}]\n", *(f"{_toml(key)} = {_toml(value)}\n" for key, value in content.items()), "\n"])


def _toml(value: Any) -> str:
    """Write a text, a list or a table as TOML writes it: texts and lists as JSON does."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_toml(key)} = {_toml(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)


def main() -> int:
    """Build wheels and sdists of the repository in the current folder: `python -m autobuild_book.distributions`."""
    root = Path.cwd()
    shutil.rmtree(root / FOLDER, ignore_errors=True)
    for path in [*wheels(root, root / FOLDER), *sdists(root, root / FOLDER)]:
        sys.stdout.write(f"{path} ({path.stat().st_size / 1e6:.1f} MB)\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
