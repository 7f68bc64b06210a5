"""Collects executed notebooks, writes what sums them up, and calls Jupyter Book."""

import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from autobuild_book.pages import (
    api,
    claims,
    contents,
    elsewhere,
    explorer,
    facts,
    gallery,
    landing,
    narrow,
    paper,
    teaching,
    verdicts,
)
from autobuild_book.pages.states import Chapters, Reader, read_chapters
from autobuild_book.play import exporting

INDEX = Path("_build") / "html" / "index.html"
# By profile, what stands on top of every page; {verdicts} is the way to the page of the verdicts.
ANNOUNCEMENTS = {
    "quick": "These pages were built with the quick profile, which trains for minutes only, to see that "
    'everything runs. Do not quote its numbers or its <a href="{verdicts}">verdicts</a>.'
}


# What reads the results of a chapter for other pages: a chapter that one of these cannot read has no results.
READERS: tuple[tuple[str, Reader], ...] = (
    (facts.NOISE, facts.label_quality),
    (facts.BUILT, facts.built_networks),
    (explorer.CHAPTER, explorer.data),
    (claims.TRAINED, landing.figure),
    (landing.BOARD, landing.standing),
    *((claim.notebook, claim.find) for claim in claims.CLAIMS),
    *((claim.notebook, claim.number) for claim in claims.CLAIMS),
)


def build(profile: str, root: Path) -> Chapters:
    """Build the book in the repository at `root` from what a run of a profile left, and return the chapters it has.

    A chapter without results gets a page that says why. Warnings are errors. Raises `CalledProcessError` if building
    fails.
    """
    chapters = collect(profile, root)
    options = ["--toc", "book/_toc.yml", "--all", "-W", "-n", "--keep-going"]
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", ".", *options]
    subprocess.run(command, cwd=root, check=True)  # noqa: S603
    return chapters


def collect(profile: str, root: Path) -> Chapters:
    """Write the pages of all chapters into artifacts/book, and what the other pages say about them."""
    chapters, folder = read_chapters(profile, root).usable(READERS), root / "artifacts" / "book"
    texts = generated(chapters, root, f"{datetime.now(UTC):%Y-%m-%d %H:%M}")
    if profile in ANNOUNCEMENTS:
        texts["announcement.html"] = ANNOUNCEMENTS[profile]
    shutil.rmtree(folder, ignore_errors=True)
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    explorer.copy_plotly(folder / "static")
    for run in chapters.executed.values():
        narrow.write_narrow(run.content["cells"], folder)
    if claims.TRAINED in chapters.executed:
        landing.write_picture(chapters.executed[claims.TRAINED], folder)
    return chapters


def generated(chapters: Chapters, root: Path, built: str) -> dict[str, str]:
    """Return the texts of all files of artifacts/book by their names."""
    files = {f"{name}.ipynb": contents.page(name, chapters, root, built) for name in chapters.notebooks}
    files |= {f"api/{name}.md": text for name, text in api.api_pages().items()}
    files |= gallery.gallery(root / "book" / "gallery")
    files |= {f"static/play-{family}.js": script for family, script in exporting.scripts().items()}
    clouds = explorer.scripts(chapters.executed.get(explorer.CHAPTER))
    files |= {f"static/{name}": script for name, script in clouds.items()}
    return files | {
        "without_results.md": chapters.without_results(),
        "provenance.md": facts.provenance(chapters, built),
        "times.md": facts.times(chapters),
        "landing.md": landing.landing(chapters),
        "verdicts.md": verdicts.verdicts(chapters, elsewhere.read_elsewhere(root)),
        "paper_index.md": paper.paper_index(chapters),
        "label_quality.md": chapters.text(facts.NOISE, facts.label_quality),
        "built_networks.md": chapters.text(facts.BUILT, facts.built_networks),
        "teaching.md": teaching.teaching(root),
        **{f"static/slides/{name}": text for name, text in teaching.slide_files(root).items()},
        "explorer.md": chapters.text(explorer.CHAPTER, lambda run: ""),
    }


def report(chapters: Chapters, root: Path) -> str:
    """Return a line for each chapter without results, and where the book lies."""
    lines = [f"{name} has no results ({chapter.line})" for name, chapter in chapters.missing.items()]
    return "\n".join([*lines, f"The book ({chapters.profile} profile) is at {root / INDEX}"])
