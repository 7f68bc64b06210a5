"""Open every page of a book, and follow what leads from one to another."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from tqdm import tqdm

from tests.browser import checks
from tests.browser.checks import Finding, Visit

BOARD, PLAY = "artifacts/book/12_board.html", "book/play.html"
METHOD = "artifacts/book/00_method.html"
BROWSERS = ["chromium", "chromium-browser", "google-chrome"]
# No page may need the network, and Chromium shall not look for updates on it either.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--allow-file-access-from-files",
]


@dataclass(frozen=True)
class Report:
    """What was opened, and what is wrong with it."""

    visits: dict[str, Visit]
    searched: int
    findings: list[Finding]


@contextmanager
def browser_page() -> Iterator[Page]:
    """A page of a headless Chromium, closed in the end."""
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        raise FileNotFoundError(f"none of {', '.join(BROWSERS)} is on the PATH: tests/browser/install.sh installs one")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        try:
            yield browser.new_page()
        finally:
            browser.close()


def pages(root: Path) -> list[Path]:
    """Return the pages of a book; templates among its static files are none."""
    return sorted(path for path in root.rglob("*.html") if "_static" not in path.relative_to(root).parts)


def check_book(page: Page, root: Path, chapters: list[str], explorer: str | None) -> Report:
    """Check every page below `root`; every chapter has to be found by a word that only it has."""
    visits: dict[str, Visit] = {}
    for path in tqdm(pages(root), desc="opening pages", unit="page"):
        one = checks.visit(page, root, path)
        visits[one.name] = one
    findings = [finding for one in visits.values() for finding in one.findings]
    findings += checks.dead_links(visits, root)
    words = {name: checks.own_word(visits, name) for name in chapters}
    for name, word in words.items():
        findings += checks.search(page, root, word, name) if word else [Finding(name, "search", "no word to find")]
    if explorer is not None:
        findings += checks.explorer(page, root / explorer, root)
    if (board := root / BOARD).is_file():
        findings += checks.board(page, board, root)
    if (play := root / PLAY).is_file():
        findings += checks.play(page, play, root)
    if (method := root / METHOD).is_file():
        findings += [*checks.cards(page, method, root), *checks.paper(page, method, root)]
    return Report(visits, len(words), findings)
