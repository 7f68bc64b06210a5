"""What a reader would stumble over on a page; every check returns findings, and nothing when all is well."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin, urlsplit
from urllib.request import url2pathname

from playwright.sync_api import ConsoleMessage, Locator, Page, TimeoutError as TooLate

from tests.browser import axe

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
PATIENCE, SETTLED = 10_000, 2_000  # milliseconds that a page may take to react, and to draw what it loads
LOADED = 60_000  # and to read and draw megabytes, where others use the processor, too
TRIES = 5  # of what a page that still moves may answer

LEADS_ON = re.compile(r'<meta http-equiv="refresh" content="\d+; ?url=([^"]+)"', re.IGNORECASE)
READ_PAGE = """async () => {
  const images = [...document.images];
  for (const image of images) image.loading = "eager";
  const loaded = await Promise.all(images.map((image) => image.decode().then(() => true, () => false)));
  return {
    broken: images.filter((_, number) => !loaded[number]).map((image) => image.src),
    images: images.length,
    links: [...document.querySelectorAll("a[href]:not([href='#'])")].map((link) => link.href),
    names: [...document.querySelectorAll("[id]")].map((one) => one.id),
    text: (document.querySelector("article") || document.body).innerText,
  };
}"""
WIDTHS = "() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
RULES = """async () => (await axe.run({resultTypes: ["violations"]})).violations
  .filter((rule) => ["serious", "critical"].includes(rule.impact))
  .map((rule) => `${rule.id} (${rule.impact}): ${rule.nodes.length} x, first ${rule.nodes[0].html.slice(0, 160)}`)"""


@dataclass(frozen=True)
class Finding:
    """Something wrong on a page."""

    page: str
    kind: str
    detail: str

    def __str__(self) -> str:
        return f"{self.page}: {self.kind}: {self.detail}"


@dataclass
class Visit:
    """A page as the browser saw it."""

    name: str
    findings: list[Finding]
    images: int = 0
    links: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    text: str = ""


def visit(page: Page, root: Path, path: Path) -> Visit:
    """Open a page on a desktop, in the dark, and on a phone; one that only leads on to another is not opened."""
    name = path.relative_to(root).as_posix()
    if leads_on := LEADS_ON.search(path.read_text(encoding="utf-8")):
        return Visit(name, [], links=[urljoin(path.as_uri(), leads_on[1])])
    findings: list[Finding] = []

    def find(kind: str, details: list[str]) -> None:
        findings.extend(Finding(name, kind, detail) for detail in details)

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error":
            find("console error", [message.text])

    def fail(error: Exception) -> None:
        find("console error", [str(error)])

    page.on("console", hear)
    page.on("pageerror", fail)
    try:
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(DESKTOP)
        page.goto(path.as_uri(), wait_until="load")
        seen: dict[str, Any] = page.evaluate(READ_PAGE)
        find("broken image", seen["broken"])
        find("accessibility", violations(page))
        page.emulate_media(color_scheme="dark")
        find("accessibility in the dark", violations(page))
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(PHONE)
        find("scrolls sideways", too_wide(page))
    finally:
        page.remove_listener("console", hear)
        page.remove_listener("pageerror", fail)
    return Visit(name, findings, seen["images"], seen["links"], set(seen["names"]), seen["text"])


def violations(page: Page) -> list[str]:
    """Return the serious and critical accessibility rules that a page breaks, transitions being over."""
    page.add_style_tag(content="*, *::before, *::after { transition: none !important; animation: none !important; }")
    page.add_script_tag(path=axe.SCRIPT)
    found: list[str] = page.evaluate(RULES)
    return found


def too_wide(page: Page) -> list[str]:
    """Return how wide a page is that is wider than the window."""
    width, window = page.evaluate(WIDTHS)
    return [f"{width} px wide in a window of {window} px"] if width > window else []


def dead_links(visits: dict[str, Visit], root: Path) -> Iterator[Finding]:
    """Yield links to files that are not there, and to anchors that no page has."""
    for one in visits.values():
        for link in dict.fromkeys(one.links):
            if urlsplit(link).scheme != "file":
                continue
            address, anchor = urldefrag(link)
            target = Path(url2pathname(urlsplit(address).path))
            shown = unquote(link.removeprefix(root.as_uri()).lstrip("/"))
            if not target.is_file():
                yield Finding(one.name, "dead link", shown)
            elif anchor and target.suffix == ".html" and unquote(anchor) not in _names(visits, root, target):
                yield Finding(one.name, "dead anchor", shown)


def _names(visits: dict[str, Visit], root: Path, target: Path) -> set[str]:
    return visits[target.relative_to(root).as_posix()].names if target.is_relative_to(root) else set()


def external_links(visits: dict[str, Visit]) -> list[str]:
    """Return the links that lead out of the book; nobody follows them here."""
    return sorted({link for one in visits.values() for link in one.links if urlsplit(link).scheme in ("http", "https")})


def own_word(visits: dict[str, Visit], name: str) -> str | None:
    """Return the word of this page that the fewest others have; of these the longest, then the first."""
    pages = Counter(word for one in visits.values() for word in _words(one.text))
    return min(_words(visits[name].text), key=lambda word: (pages[word], -len(word), word), default=None)


def _words(text: str) -> set[str]:
    return set(re.findall(r"\b[a-z]{6,16}\b", text))


def search(page: Page, root: Path, word: str, name: str) -> list[Finding]:
    """Type a word into the search page; it has to find the page of that name."""
    page.goto(f"{(root / 'search.html').as_uri()}?q={word}", wait_until="load")
    try:
        page.wait_for_selector(f'#search-results a[href*="{Path(name).name}"]', state="attached", timeout=PATIENCE)
    except TooLate:
        return [Finding("search.html", "search", f"{word!r} does not find {name}")]
    return []


def explorer(page: Page, path: Path, root: Path) -> list[Finding]:
    """Point at a dot of the explorer, and tick its clusters: a text has to appear, and the dots have to change."""
    name = path.relative_to(root).as_posix()
    page.set_viewport_size(DESKTOP)
    page.goto(path.as_uri(), wait_until="load")
    page.locator("#explorer-start").click()
    found = []
    if not _hovers(page):
        found.append(Finding(name, "explorer", "pointing at a dot shows nothing"))
    boxes = page.locator("#explorer-choices input[type=checkbox]:visible")
    if not boxes.count():
        found.append(Finding(name, "explorer", "no cluster to toggle"))
    for place in range(boxes.count()):
        before = _drawn(page)
        boxes.nth(place).click()
        if _drawn(page) == before:
            found.append(Finding(name, "explorer", f"toggling cluster {place + 1} changes nothing"))
    return [*found, *_clouds(page, name)]


def _clouds(page: Page, name: str) -> list[Finding]:
    """Choose each cloud: points have to appear, and what they rest on."""
    found, networks, rests = [], page.locator("#explorer-cloud"), page.locator("#explorer-rests")
    for cloud in networks.locator("option").evaluate_all("(options) => options.map((one) => one.value)"):
        networks.select_option(cloud)
        page.wait_for_timeout(SETTLED)
        if not _drawn(page) or "Kind of data" not in rests.inner_text():
            found.append(Finding(name, "explorer", f"{cloud} is not drawn"))
    return found


def board(page: Page, path: Path, root: Path) -> list[Finding]:
    """Press a heading of the table of tables twice, and choose a table: rows have to move, and to become fewer."""
    name = path.relative_to(root).as_posix()
    page.goto(path.as_uri(), wait_until="load")
    rows, heading, found = page.locator(".board tbody tr:visible"), page.locator(".board thead button").nth(1), []
    heading.click()
    upwards = rows.all_inner_texts()
    heading.click()
    if rows.all_inner_texts() == upwards:
        found.append(Finding(name, "board", "pressing a heading moves nothing"))
    page.locator(".board select").first.select_option(index=1)
    if not 0 < rows.count() < len(upwards):
        found.append(Finding(name, "board", "choosing a table leaves the rows"))
    return found


def play(page: Page, path: Path, root: Path) -> list[Finding]:
    """Choose another layer of a network, and the best content of a unit: what the page says has to change."""
    name = path.relative_to(root).as_posix()
    page.goto(path.as_uri(), wait_until="load")
    said, found = page.locator("#play-status"), []
    try:
        page.wait_for_selector(".play-unit", timeout=PATIENCE)
        for what in ("input[name=play-choice]:not(:checked)", ".play-buttons button"):
            before = said.inner_text()
            page.locator(what).first.click()
            if said.inner_text() == before:
                found.append(Finding(name, "play", f"{what} changes nothing"))
    except TooLate:
        found.append(Finding(name, "play", "shows no network"))
    return found


def cards(page: Page, path: Path, root: Path) -> list[Finding]:
    """Point at a word of the glossary, then reach it by keyboard: its meaning has to appear, and to go with Escape."""
    name, found = path.relative_to(root).as_posix(), []
    page.set_viewport_size(DESKTOP)
    page.goto(path.as_uri(), wait_until="load")
    word, card = page.locator("a.glossary-term").first, page.locator(".glossary-card")
    for way, reach in {"pointing at": word.hover, "focus on": word.focus}.items():
        reach()
        try:
            card.wait_for(timeout=PATIENCE)
        except TooLate:
            found.append(Finding(name, "glossary", f"{way} a word shows nothing"))
        page.keyboard.press("Escape")
        if card.count():
            found.append(Finding(name, "glossary", "Escape does not close a card"))
    return found


def paper(page: Page, path: Path, root: Path) -> list[Finding]:
    """Look at a page as it is printed: no sidebars, and nothing folded."""
    name, found = path.relative_to(root).as_posix(), []
    page.goto(path.as_uri(), wait_until="load")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    if page.locator(".bd-sidebar-primary:visible, .bd-sidebar-secondary:visible, .bd-header-article:visible").count():
        found.append(Finding(name, "print", "a sidebar or a header is printed"))
    if page.locator("details:not([open])").count():
        found.append(Finding(name, "print", "something folded stays folded"))
    page.emulate_media(media="screen")
    return found


def _drawn(page: Page) -> int:
    """Return the number of points that are drawn."""
    count: int = page.evaluate("() => document.querySelectorAll('#explorer-plot .scatterlayer .points path').length")
    return count


def _hovers(page: Page) -> bool:
    points = page.locator("#explorer-plot .scatterlayer .points path")
    try:
        points.first.wait_for(state="attached", timeout=LOADED)
    except TooLate:
        return False
    return any(_hovers_at(page, points.nth(points.count() // 2)) for _ in range(TRIES))


def _hovers_at(page: Page, point: Locator) -> bool:
    """Point at a dot, which moves while the plot finds its place."""
    point.scroll_into_view_if_needed()
    box = point.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=3)
    try:
        page.wait_for_selector("#explorer-plot .hoverlayer .hovertext", timeout=PATIENCE / TRIES)
    except TooLate:
        return False
    return True
