"""A folder with a chain of tiny notebooks that need nothing but Python; files in the folder say which fail or wait."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import yaml

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("00_first", "03_subgraph_ranking", "04_pareto_regions")
CELLS = [
    'profile = "quick"\nseed = 1\ndata = "bundled"\nspace = ""\nout = "artifacts/quick"',
    "import json, os, time\nfrom pathlib import Path",
    'Path("kernels").mkdir(exist_ok=True)\n(Path("kernels") / str(os.getpid())).touch()',
    'while Path("wait-NAME").exists():\n    time.sleep(0.1)',
    'assert not Path("fail-NAME").exists(), "wrong number"',
    'names = ("AUTOBUILD_THREADS", "OMP_NUM_THREADS", "ATEN_CPU_CAPABILITY")\n'
    "record = {name: os.environ.get(name) for name in names}\n"
    'record["parameters"] = {"seed": seed, "data": data, "space": space, "out": out}',
    'folder = Path(out) / "NAME"\nfolder.mkdir(parents=True, exist_ok=True)\n'
    '(folder / "metrics.json").write_text(json.dumps(record))',
]


def make_chain(folder: Path, names: tuple[str, ...] = NAMES) -> Path:
    """Make the folder, with the Snakefile of this repository."""
    notebooks = folder / "notebooks"
    (notebooks / "profiles").mkdir(parents=True)
    shutil.copy(ROOT / "notebooks" / "Snakefile", notebooks)
    common = {"seed": 5, "data": "bundled", "space": ""}
    for profile in ("quick", "standard"):
        (notebooks / "profiles" / f"{profile}.yml").write_text(yaml.safe_dump({"common": common}, sort_keys=False))
    (notebooks / "notebooks.yml").write_text(yaml.safe_dump({name: {"cores": 1, "quick": 3} for name in names}))
    for name in names:
        cells = [nbformat.v4.new_code_cell(text.replace("NAME", name)) for text in CELLS]
        cells[0].metadata["tags"] = ["parameters"]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
        nbformat.write(notebook, notebooks / f"{name}.ipynb")
    return folder


def start(folder: Path, *words: str, **environment: str) -> subprocess.Popen[str]:
    """Start `autobuild`; both its outputs are one."""
    command = [sys.executable, "-c", "import sys; from autobuild_book.cli import main; sys.exit(main())", *words]
    given = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.Popen(command, cwd=folder, env=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def run(folder: Path, *words: str, **environment: str) -> tuple[int, str]:
    """Run `autobuild` to its end; return its exit code and what it wrote."""
    process = start(folder, *words, **environment)
    written = process.communicate(timeout=300)[0]
    return process.returncode, written
