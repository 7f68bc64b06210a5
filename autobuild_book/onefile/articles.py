"""The pages of the built book in the order of its contents, each as what stands between navigation and footer."""

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autobuild_lib import __version__
from autobuild_lib.extras import extra

with extra("book"):
    import yaml
    from bs4 import BeautifulSoup, Tag

PAGES = Path("_build") / "html"
INDEX = "book/index"
FRONT = "The book"  # the part of the page that the book opens with
ANNOUNCEMENT = ".bd-header-announcement"


@dataclass(frozen=True)
class Article:
    """A page: its name as in the contents, the part of the book that it is in, how deep below it, and what it says."""

    name: str
    part: str
    depth: int
    content: Tag

    @property
    def title(self) -> str:
        """Its heading."""
        heading = self.content.find("h1")
        return " ".join(heading.get_text().removesuffix("#").split()) if heading else self.name

    def target(self, address: str) -> tuple[str, str]:
        """Return to which page a link of this page leads, and where on it; ("", address) for one that leads out."""
        path, _, fragment = address.partition("#")
        if "://" in address or address.startswith("mailto:"):
            return "", address
        if not path:
            return self.name, fragment
        name = posixpath.normpath(posixpath.join(posixpath.dirname(self.name), path))
        return name.removesuffix(".html"), fragment

    def file(self, address: str) -> str:
        """Return where a file lies that this page shows, from the folder of the pages."""
        return posixpath.normpath(posixpath.join(posixpath.dirname(self.name), address.partition("#")[0]))


def read_articles(root: Path) -> list[Article]:
    """Read the built pages of the repository at `root`.

    Raises `FileNotFoundError` where there are none; pages of the contents that were not built are left out.
    """
    if not (root / PAGES / "index.html").is_file():
        raise FileNotFoundError(f"{root / PAGES}: no pages; `make pages` builds them")
    contents = yaml.safe_load((root / "book" / "_toc.yml").read_text(encoding="utf-8"))
    places = [(contents["root"], FRONT, 0)]
    places += [place for part in contents["parts"] for place in _places(part["chapters"], part["caption"], 0)]
    paths = {name: root / PAGES / f"{name}.html" for name, _, _ in places}
    return [Article(name, part, depth, _content(paths[name])) for name, part, depth in places if paths[name].is_file()]


def read_facts(root: Path) -> dict[str, str]:
    """Return title and author of the book; about: its version and what its pages announce; address: of its
    pages on the web, "" without one."""
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    page = BeautifulSoup((root / PAGES / f"{INDEX}.html").read_text(encoding="utf-8"), "html.parser")
    announced = [" ".join(tag.get_text().split()) for tag in page.select(ANNOUNCEMENT)]
    about = ". ".join([f"Version {__version__}", *announced[:1]])
    address = str(config.get("html", {}).get("baseurl") or "")
    return {"title": config["title"], "author": config["author"], "about": about, "address": address}


def _places(entries: list[Mapping[str, Any]], part: str, depth: int) -> Iterator[tuple[str, str, int]]:
    for entry in entries:
        if "file" in entry:
            yield entry["file"], part, depth
            yield from _places(entry.get("sections", []), part, depth + 1)


def _content(path: Path) -> Tag:
    page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    content = page.find("article")
    if not isinstance(content, Tag):
        raise ValueError(f"{path}: no page of the book (it has no article)")
    return content
