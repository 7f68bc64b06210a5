"""The chapters of a book: those that ran, and those that have no results on this machine, with the reason."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from autobuild_book.pages import markdown
from autobuild_book.pages.cells import Cell, cells_that_ran, error_of, labels, without_folders
from autobuild_book.pages.executed import ANY_NOTEBOOK, Executed, StaleError, read_executed, read_notebook, shorter

FAILED, NOT_RUN, UNUSABLE = "failed", "not run", "not usable"
NOT_RUN_HERE = "not run on this machine"
# What odd contents raise in the functions that read them.
ODD = (ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError)
TAIL = 20  # lines of a log on a page

Reader: TypeAlias = Callable[[Executed], object]


@dataclass(frozen=True)
class Missing:
    """A chapter without results.

    state: failed, not run or not usable. reason: a line. cells: what ran before the error. log: the end of what
    papermill printed, where no cell shows the error. files: what is left of the run.
    """

    name: str
    state: str
    reason: str
    cells: Sequence[Cell] = ()
    log: str = ""
    files: Sequence[Path] = ()

    @property
    def line(self) -> str:
        """The state and its reason."""
        return f"{self.state}: {self.reason}" if self.reason else self.state


@dataclass(frozen=True)
class Chapters:
    """All chapters of a profile: the notebooks of the repository by name, those that ran, and those without results."""

    profile: str
    notebooks: Mapping[str, Mapping[str, Any]]
    executed: Mapping[str, Executed]
    missing: Mapping[str, Missing]

    def usable(self, readers: Sequence[tuple[str, Reader]]) -> "Chapters":
        """Move chapters to the missing ones whose results a reader (and the chapter that it reads) cannot make out."""
        odd = {}
        for name, read in readers:
            try:
                if name in self.executed:
                    read(self.executed[name])
            except ODD as error:
                kind = "" if isinstance(error, StaleError) else f"odd metrics or tables, {type(error).__name__}: "
                odd[name] = Missing(name, UNUSABLE, shorter(f"{kind}{error}"))
        kept = {name: run for name, run in self.executed.items() if name not in odd}
        return replace(self, executed=kept, missing={**self.missing, **odd})

    def text(self, name: str, write: Callable[[Executed], str]) -> str:
        """Return what is written about a chapter that ran, or a note that it did not."""
        if name in self.executed:
            return write(self.executed[name])
        return markdown.admonition(NOT_RUN_HERE.capitalize(), f"These numbers come from {link(name)}.", "warning")

    def without_results(self) -> str:
        """Return a box that lists the chapters without results; nothing when there are none."""
        lines = [f"{link(name)}: {chapter.state}{_because(chapter)}" for name, chapter in sorted(self.missing.items())]
        if not lines:
            return ""
        text = f"{len(lines)} of {len(self.notebooks)} chapters have no results here:\n\n{markdown.bullets(lines)}"
        return markdown.admonition(NOT_RUN_HERE.capitalize(), text, "warning")


def link(name: str) -> str:
    """Write a link to the page of a chapter, under its title."""
    return f"{{doc}}`/artifacts/book/{name}`"


def _because(chapter: Missing) -> str:
    return f" ({markdown.code(chapter.reason)})" if chapter.reason else ""


def read_chapters(profile: str, root: Path) -> Chapters:
    """Read what a run of a profile left of each notebook in the repository at `root`.

    Raises `FileNotFoundError` where there are no notebooks, and `StaleError` if one of the repository itself cannot be
    read.
    """
    paths = sorted((root / "notebooks").glob("[0-9]*.ipynb"))
    if not paths:
        raise FileNotFoundError(f"no notebooks in {root / 'notebooks'}: the book is built in a clone of its repository")
    notebooks = {path.stem: read_notebook(path, ANY_NOTEBOOK) for path in paths}
    executed: dict[str, Executed] = {}
    missing: dict[str, Missing] = {}
    for name, notebook in notebooks.items():
        try:
            executed[name] = _read(name, notebook, profile, root)
        except StaleError as error:
            missing[name] = _missing(name, notebook, root / "artifacts" / profile, root, str(error))
    return Chapters(profile, notebooks, executed, missing)


def _read(name: str, notebook: Mapping[str, Any], profile: str, root: Path) -> Executed:
    folder = root / "artifacts" / profile
    if (folder / "failed" / f"{name}.txt").is_file():  # what is finished beside it is of an earlier run
        raise StaleError("its last run did not finish")
    run = read_executed(folder / f"{name}.ipynb", profile)
    if labels(run.content["cells"]) != labels(notebook["cells"]):
        raise StaleError(f"it has other labels than notebooks/{name}.ipynb has now")
    return run


def _missing(name: str, notebook: Mapping[str, Any], folder: Path, root: Path, stale: str) -> Missing:
    """Say why a notebook has no results, and return the cells that ran."""
    paths = [folder / "failed" / f"{name}{end}" for end in (".ipynb", ".txt")]
    files = [path for path in paths if path.is_file()]
    if not files:
        ran = (folder / f"{name}.ipynb").is_file()
        return Missing(name, UNUSABLE if ran else NOT_RUN, stale if ran else "")
    cells = _ran(paths[0], notebook)
    log = without_folders(paths[1].read_text(encoding="utf-8", errors="replace"), root) if paths[1] in files else ""
    lines = [line for line in log.splitlines() if line.strip()]
    raised = error_of(cells[-1]) if cells else ""
    if not raised and "Traceback (most recent call last)" not in log:
        return Missing(name, NOT_RUN, "interrupted, or still running", cells, "", files)
    reason = shorter(without_folders(raised or lines[-1], root))
    return Missing(name, FAILED, reason, cells, "" if raised else "\n".join(lines[-TAIL:]), files)


def _ran(path: Path, notebook: Mapping[str, Any]) -> list[Cell]:
    """Return the cells that ran; none of a notebook that cannot be read or is not one of this repository."""
    try:
        cells = cells_that_ran(read_notebook(path, ANY_NOTEBOOK)["cells"])
    except StaleError:
        return []
    return cells if labels(cells) <= labels(notebook["cells"]) else []
