"""The limits that keep the library small, and names that say what things are."""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ROOT / "autobuild_lib"
HOUSES = (LIBRARY, ROOT / "autobuild_book")
MOST_LINES = 8_000  # of the whole library
MOST_LINES_OF_THE_WAY = 4_580  # of the modules that the script below imports, from `ab.fit` to `ab.networks.build`
THE_WAY = """
import autobuild_lib as ab

space = ab.spaces.ofa_mbv3()
table = ab.data.load("ofa_mbv3")
train, test = table.split(0.9, seed=12345)
target = ab.Target("acc * 100 / latency_gpu")
predictor = ab.fit(space, train, target, seed=0, epochs=1, progress=False)
ab.evaluate(predictor, test)
corpus = ab.score_units(predictor)
reduced = corpus.top(k=3)
labels = ab.surrogate.ofa_mbv3().predict(list(reduced)[:3])
ab.networks.build(reduced.best(1)[0])

import json, sys
from types import ModuleType
modules = [module for name, module in sys.modules.items() if name.split(".")[0] == "autobuild_lib"]
print(json.dumps([module.__file__ for module in modules if type(module) is ModuleType]))  # not those that wait for use
"""
PLACEHOLDERS = {"own", "found", "given", "one", "known", "wanted"}
MOST_PLACEHOLDERS = 0.02  # of all names that are bound


def lines(paths: list[Path]) -> int:
    return sum(len(path.read_text(encoding="utf-8").splitlines()) for path in paths)


def test_the_library_is_read_in_an_hour() -> None:
    files = [path for kind in ("*.py", "*.pyi") for path in LIBRARY.rglob(kind)]
    assert len(files) > 30 and lines(files) <= MOST_LINES


def test_the_way_of_the_paper_is_shorter(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", THE_WAY]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    files = [Path(name) for name in json.loads(done.stdout.splitlines()[-1])]
    assert LIBRARY / "predictor.py" in files and lines(files) <= MOST_LINES_OF_THE_WAY


def bound(source: str) -> Iterator[str]:
    """Every name that a source binds, as often as it does."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name) | ast.ExceptHandler(name=str(name)):
                yield name
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.MatchAs(name=str(name)):
                yield name


def test_bound_names_are_noticed() -> None:
    source = "def f(given, *own):\n    for one, x in given:\n        with x as found:\n            known = one\n"
    assert sorted(bound(source)) == ["f", "found", "given", "known", "one", "own", "x"]


@pytest.mark.parametrize("house", HOUSES, ids=lambda house: house.name)
def test_names_say_what_things_are(house: Path) -> None:
    names = [name for path in house.rglob("*.py") for name in bound(path.read_text(encoding="utf-8"))]
    placeholders = [name for name in names if name in PLACEHOLDERS]
    assert len(placeholders) <= MOST_PLACEHOLDERS * len(names), f"{len(placeholders)} of {len(names)}"
