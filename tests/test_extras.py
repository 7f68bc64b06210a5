"""With the core dependencies alone the core commands work, and what needs more says which extra brings it."""

import json
import os
import subprocess
import sys
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pandas as pd
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import autobuild_lib as ab
from autobuild_book.labs import handout
from autobuild_lib.extras import extra, missing
from tests.test_packaging import ROOT, requirements


def with_what_they_bring(names: set[str]) -> set[str]:
    """Names of the given packages and of all that they bring, in this environment."""
    reached, queue = set[str](), [*names]
    while queue:
        name = queue.pop()
        if name in reached:
            continue
        reached.add(name)
        lines = distribution(name).requires or []
        needed = [need for need in map(Requirement, lines) if not need.marker or need.marker.evaluate({"extra": ""})]
        queue += [canonicalize_name(need.name) for need in needed]
    return reached


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment variables with which `python -S` sees the core dependencies of this environment and nothing else."""
    site = tmp_path_factory.mktemp("site")
    for name in with_what_they_bring(set(requirements())):
        files = distribution(name).files or []
        for entry in {file.parts[0] for file in files} - {"..", "__pycache__"}:
            (site / entry).exists() or (site / entry).symlink_to(distribution(name).locate_file(entry))
    return {"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}{os.pathsep}{site}", "OMP_NUM_THREADS": "1"}


def run(core: dict[str, str], folder: Path, code: str) -> object:
    """Run code whose last line of output is JSON, with the core dependencies alone."""
    command = [sys.executable, "-S", "-W", "error", "-c", code]
    done = subprocess.run(command, cwd=folder, env=core, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


IMPORT_ALL = """
import importlib, itertools, json, pkgutil
import autobuild_book, autobuild_lib
for name in autobuild_lib.__all__:
    getattr(autobuild_lib, name)
found = {}
for module in itertools.chain.from_iterable(
    pkgutil.walk_packages(house.__path__, f"{house.__name__}.", onerror=lambda name: None)
    for house in (autobuild_book, autobuild_lib)
):
    try:
        importlib.import_module(module.name)
        found[module.name] = ""
    except ModuleNotFoundError as error:
        found[module.name] = str(error)
print(json.dumps(found))
"""


COMPLETE = [
    *("autobuild_book.cli", "autobuild_book.cli.predictors", "autobuild_book.cli.modules", "autobuild_book.cli.tables"),
    "autobuild_book.cli.graphs",
    "autobuild_book.cli.archives",
    *(f"autobuild_book.labs.{name}" for name in ("embeddings", "importances", "modules", "regions")),
]


def told(name: str) -> list[str]:
    """What may be said about the modules that an extra brings."""
    brought = with_what_they_bring({*requirements(name)} - {*requirements()})
    owners = packages_distributions().items()
    modules = [module for module, names in owners if brought & {canonicalize_name(name) for name in names}]
    return [f"{module} is not installed: pip install 'autobuild-book[{name}]'" for module in modules]


def test_what_cannot_be_imported_says_which_extra_to_install(core: dict[str, str], tmp_path: Path) -> None:
    messages = run(core, tmp_path, IMPORT_ALL)
    assert isinstance(messages, dict)
    extras = ("book", "crate", "imagenet", "onnx", "sd")
    allowed = {text for name in extras for text in told(name)} | {missing("mlflow", "mlflow")}  # which is not here
    assert {text for text in messages.values() if text} <= allowed
    assert not {name: messages[name] for name in COMPLETE if messages[name]}
    assert messages["autobuild_book.figures"] and messages["autobuild_book.chapters"]


COMMANDS = [
    "fit --data toy.csv --space toy.json --target additive --epochs 1 --out compare",  # a folder called like a command
    "evaluate --predictor compare --data toy.csv --space toy.json",
    "score --predictor compare --out modules.csv",
    "build --predictor compare --k 2 --out reduced.json",
    "search --reduced reduced.json --evaluator own:labels --maximise good --minimise bad --start 4 --rounds 1 "
    "--mutations 4 --out found.csv",
    "graph network.onnx",
    "compare runs",
]
RUN_COMMANDS = """
import contextlib, io, json
from autobuild_book.cli import main
results = []
for command in {commands!r}:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as errors:
        results.append([main(command.split()), errors.getvalue()])
print(json.dumps(results))
"""
OWN = """
import pandas as pd
def labels(architectures):
    return pd.DataFrame({"good": [len(str(a)) for a in architectures], "bad": [hash(a) % 7 for a in architectures]})
"""


def test_core_commands_need_no_extra(
    core: dict[str, str], tmp_path: Path, toy: ab.SequenceSpace, toy_table: ab.data.Table
) -> None:
    frame = pd.DataFrame({"architecture": list(map(str, toy_table.architectures))}).join(toy_table.labels)
    frame.to_csv(tmp_path / "toy.csv", index=False)
    (tmp_path / "toy.json").write_text(json.dumps(toy.to_json()), encoding="utf-8")
    (tmp_path / "own.py").write_text(OWN)
    results = run(core, tmp_path, RUN_COMMANDS.format(commands=COMMANDS))
    assert isinstance(results, list)
    *done, graph, compare = results
    assert [code for code, _ in done] == [0] * 5, done
    assert (tmp_path / "found.csv").exists()
    code, written = graph
    assert code == 1 and written.count("\n") == 1 and "onnx" in written and "'autobuild-book[onnx]'" in written
    code, written = compare
    assert code == 1 and written.count("\n") == 1 and "matplotlib" in written and "'autobuild-book[book]'" in written


@pytest.mark.slow
@pytest.mark.parametrize("path", handout.sources(ROOT), ids=lambda path: path.stem)
def test_students_need_no_extra(core: dict[str, str], tmp_path: Path, path: Path) -> None:
    notebook = handout.solution_version(handout.read_source(path))
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    assert run(core, tmp_path, "\n".join([*code, "print(4)"])) == 4


def test_other_errors_pass_through() -> None:
    with pytest.raises(ImportError, match="cannot import name 'nothing'") as raised, extra("book"):
        from json import nothing  # type: ignore[attr-defined]  # noqa: F401
    assert not isinstance(raised.value, ModuleNotFoundError)
