"""Make the files that hold the whole book beside its pages: `python -m autobuild_book.onefile epub pdf`."""

import sys
from collections.abc import Sequence
from pathlib import Path

from autobuild_book.onefile import epub, pdf
from autobuild_book.onefile.articles import INDEX, PAGES, read_articles, read_facts
from autobuild_book.onefile.cleaning import clean
from autobuild_lib.storage import replace_bytes, replace_text

NAME = "autobuild-book"
KINDS = ("epub", "pdf")
OFFER = '<div id="whole-book">'  # in the page that the book opens with; empty there


def make(kind: str, root: Path) -> Path:
    """Make one file from the built pages of the repository at `root`, and return its path."""
    articles, facts = read_articles(root), read_facts(root)
    clean(articles, facts["address"])
    out = root / PAGES / f"{NAME}.{kind}"
    if kind == "epub":
        replace_bytes(out, epub.write_epub(articles, root, facts))
    else:
        replace_text(page := root / "_build" / f"{NAME}.html", pdf.one_page(articles, root, facts))
        pdf.print_pdf(page, out)
        page.unlink()
    return out


def offer(root: Path) -> None:
    """Let the page that the book opens with lead to the files that are there."""
    page = root / PAGES / f"{INDEX}.html"
    paths = [root / PAGES / f"{NAME}.{kind}" for kind in KINDS]
    links = [
        f'<a href="../{path.name}">{path.suffix[1:].upper()}</a> ({path.stat().st_size / 1e6:.0f} MB)'
        for path in paths if path.is_file()
    ]  # fmt: skip
    before, _, after = page.read_text(encoding="utf-8").partition(OFFER)
    if after:
        line = f"<p>The whole book in one file: {', '.join(links)}</p>" if links else ""
        replace_text(page, f"{before}{OFFER}{line}</div>{after.partition('</div>')[2]}")


def main(kinds: Sequence[str]) -> int:
    """Make the files of the given kinds in the repository that is the current folder; return an exit code."""
    try:
        if unknown := sorted(set(kinds) - set(KINDS)) or not kinds:
            raise ValueError(f"{unknown if kinds else 'nothing'}: give any of {', '.join(KINDS)}")
        for kind in kinds:
            path = make(kind, Path.cwd())
            sys.stdout.write(f"{path} ({path.stat().st_size / 1e6:.1f} MB)\n")
        offer(Path.cwd())
    except (OSError, ValueError) as error:
        sys.stderr.write(f"autobuild_book.onefile: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
