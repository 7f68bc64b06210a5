"""A copy of the repository with a tiny notebook for sweeps: its run with seed 3 waits, or fails, until it may go on."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[2]
NAME = "99_tiny"
CELLS = [
    'profile = "quick"\nseed = 1\ndata = "bundled"\nspace = ""\nout = "artifacts/quick"\nfactor = 1.0\nfail = False',
    "import time\nfrom pathlib import Path\nfrom autobuild_book.runs.recording import Run",
    f'run = Run.start("{NAME}", globals())',
    'waits = seed == 3 and not Path("open").exists()\nassert not (waits and fail), "closed"',
    'if waits:\n    Path("waiting").touch()\n    time.sleep(600)',
    "run.finish(double=2 * seed * factor)",
]


def copy_repository(folder: Path) -> Path:
    """Copy what sweeps need, and add the notebook."""
    for name in ("autobuild_lib", "autobuild_book", "notebooks"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    cells = [nbformat.v4.new_code_cell(text) for text in CELLS]
    cells[0].metadata["tags"] = ["parameters"]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, folder / "notebooks" / f"{NAME}.ipynb")
    return folder


def start(folder: Path, *arguments: str, environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
    """Start `autobuild` with the library of the copy; both its outputs are one."""
    command = [sys.executable, "-c", "import sys; from autobuild_book.cli import main; sys.exit(main())", *arguments]
    given = {**(environment or os.environ), "PYTHONPATH": str(folder)}
    return subprocess.Popen(command, cwd=folder, env=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def run(folder: Path, *arguments: str, environment: dict[str, str] | None = None) -> tuple[int, str]:
    """Run `autobuild` to its end; return its exit code and what it wrote."""
    process = start(folder, *arguments, environment=environment)
    written = process.communicate(timeout=900)[0]
    return process.returncode, written
