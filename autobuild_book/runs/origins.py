"""Where a result comes from: the commit, the notebook's own code, and the machine."""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import torch

from autobuild_book.houses import COMPANION, LIBRARY
from autobuild_lib.storage import read_json

NOTEBOOKS = COMPANION.parent / "notebooks"  # in a clone
INJECTED = "# Parameters\n"  # papermill's cell starts so
LAST = ".finish("  # in the cell after which nothing counts any more
CPU = Path("/proc/cpuinfo")
SHORT = 12  # digits of a commit that are shown


class Revision(NamedTuple):
    """The commit that both houses lie in, and whether files of them have changed since; None where that is unknown."""

    commit: str | None
    dirty: bool | None

    def __str__(self) -> str:
        if self.commit is None:
            return "unknown (no git, or not in a clone)"
        return self.commit[:SHORT] + (", with changes" if self.dirty else "")


def revision() -> Revision:
    """Return the revision of the code that runs."""
    with suppress(OSError, subprocess.SubprocessError, ValueError):  # no work tree, or no commit in it
        folder, commit = _output("git", "rev-parse", "--show-prefix", "HEAD").split()
        if folder == f"{LIBRARY.name}/":  # not an environment that lies in a work tree of something else
            status = ("git", "--no-optional-locks", "status", "--porcelain", "--", ".", f"../{COMPANION.name}")
            return Revision(commit, bool(_output(*status)))
    return Revision(None, None)


def _output(name: str, *arguments: str) -> str:
    """Return what a program writes; an `OSError` where it is not installed."""
    if (program := shutil.which(name)) is None:
        raise FileNotFoundError(name)
    command = [program, *arguments]
    return subprocess.run(command, cwd=LIBRARY, capture_output=True, text=True, check=True, timeout=60).stdout  # noqa: S603


# -------------------------------------------------------------------- notebook


def cells_that_ran(names: Mapping[str, Any]) -> Sequence[str]:
    """Return the sources of the cells that ran in a kernel, given its `globals()`; the list grows as more do."""
    shell = names.get("get_ipython")
    history = getattr(shell() if callable(shell) else None, "history_manager", None)
    cells: Sequence[str] = getattr(history, "input_hist_raw", names.get("In", ()))
    return cells


def notebook_sha256(cells: Iterable[str]) -> str | None:
    """Return the sha256 of a notebook's code; None where there is none.

    What counts is each code cell once, up to the one that finishes the run; papermill's cell of parameters does not.
    """
    counted = []
    for cell in dict.fromkeys(cell.strip() for cell in cells if cell.strip() and not cell.startswith(INJECTED)):
        counted.append(cell)
        if LAST in cell:
            break
    return hashlib.sha256("\0".join(counted).encode()).hexdigest() if counted else None


def file_sha256(notebook: Path) -> str | None:
    """Return `notebook_sha256` of an .ipynb file, executed or not; None where there is no such file."""
    if not notebook.is_file():
        return None
    cells = read_json(notebook, "a notebook", nan_as_null=True)["cells"]
    return notebook_sha256("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


# -------------------------------------------------------------------- machine


def machine() -> str:
    """Describe the machine in a line: its system, its processor's model, and how many cores it has."""
    return f"{platform.system()} {platform.machine()}, {processor()}, {os.cpu_count()} cores"


def processor() -> str:
    """Return the model of the processor, as far as the system tells."""
    ask: Mapping[str, Callable[[], str]] = {"linux": _on_linux, "darwin": _on_macos, "win32": _on_windows}
    model = ""
    with suppress(Exception):  # whatever a system says here, no run ends because of it
        model = ask[sys.platform]()
    return " ".join((model or platform.processor() or platform.machine() or "unknown processor").split())


def _on_linux() -> str:
    text = CPU.read_text(encoding="utf-8", errors="replace")
    if not (model := re.search(r"^model name\s*:(.*)$", text, re.MULTILINE)):  # as on ARM
        model = re.search(r"^Model name:(.*)$", _output("lscpu"), re.MULTILINE)
    return model[1] if model else ""


def _on_macos() -> str:
    return _output("sysctl", "-n", "machdep.cpu.brand_string")


def _on_windows() -> str:
    import winreg  # noqa: PLC0415  # is nowhere else

    place = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"
    with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, place) as key:  # type: ignore[attr-defined,unused-ignore]
        return str(winreg.QueryValueEx(key, "ProcessorNameString")[0])  # type: ignore[attr-defined,unused-ignore]


def threads() -> int:
    """Return how many threads PyTorch takes here, where the library does not take one."""
    return torch.get_num_threads()
