"""Check the built book in a browser: `python -m tests.browser [FOLDER]`, called by `make check-book`."""

import sys
from pathlib import Path

import yaml

from tests.browser import axe, checks
from tests.browser.book import browser_page, check_book

ROOT = Path(__file__).resolve().parents[2]
EXPLORER, DATA = "book/explorer.html", "_static/explorer-data.js"  # without data there is nothing to point at


def main(folder: Path) -> int:
    """Print what was checked and what is wrong; return 1 when anything is."""
    if not (folder / "index.html").is_file():
        print(f"check-book: no built book in {folder}: run make book first", file=sys.stderr)
        return 2
    contents = yaml.safe_load((ROOT / "book" / "_toc.yml").read_text(encoding="utf-8"))
    chapters = [f"{page['file']}.html" for part in contents["parts"] for page in part["chapters"]]
    drawn = '"equations":{}' not in (folder / DATA).read_text(encoding="utf-8")
    with browser_page() as page:
        report = check_book(page, folder.resolve(), chapters, EXPLORER if drawn else None)
    external = checks.external_links(report.visits)
    listed = ROOT / "artifacts" / "external_links.txt"
    listed.parent.mkdir(exist_ok=True)
    listed.write_text("".join(f"{link}\n" for link in external), encoding="utf-8")
    for finding in report.findings:
        print(finding)
    visits = report.visits.values()
    print(
        f"check-book: {len(visits)} pages, {sum(one.images for one in visits)} images, "
        f"{sum(len(one.links) for one in visits)} links, {report.searched} chapters searched for, "
        f"axe-core {axe.VERSION} in light and dark, {checks.PHONE['width']} px: {len(report.findings)} found wrong; "
        f"{len(external)} external links, not followed, in {listed.relative_to(ROOT)}"
    )
    return 1 if report.findings else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "_build" / "html"))
