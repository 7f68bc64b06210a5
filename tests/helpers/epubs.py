"""What an EPUB has to be, read with nothing but a zip and an XML parser."""

import posixpath
import xml.etree.ElementTree as ElementTree
import zipfile
from pathlib import Path

XHTML = "{http://www.w3.org/1999/xhtml}"
OPF = "{http://www.idpf.org/2007/opf}"
Pages = dict[str, ElementTree.Element]


def read_pages(path: Path) -> Pages:
    """Check the container and the package; return the pages in reading order, the contents first."""
    with zipfile.ZipFile(path) as archive:
        first = archive.infolist()[0]
        assert (first.filename, first.compress_type, first.extra) == ("mimetype", zipfile.ZIP_STORED, b"")
        assert archive.read(first) == b"application/epub+zip"
        package = ElementTree.fromstring(archive.read("OEBPS/content.opf"))  # noqa: S314
        items = {item.attrib["id"]: item.attrib for item in package.iter(f"{OPF}item")}
        names = {f"OEBPS/{item['href']}" for item in items.values()}
        assert names | {"mimetype", "META-INF/container.xml", "OEBPS/content.opf"} == set(archive.namelist())
        order = [items[entry.attrib["idref"]] for entry in package.iter(f"{OPF}itemref")]
        pages = {item["href"]: ElementTree.fromstring(archive.read(f"OEBPS/{item['href']}")) for item in order}  # noqa: S314
        nav = {"nav.xhtml": ElementTree.fromstring(archive.read("OEBPS/nav.xhtml"))}  # noqa: S314
    for item in order:
        maths = any(True for tag in pages[item["href"]].iter() if tag.tag.endswith("}math"))
        assert maths == ("mathml" in item.get("properties", ""))
    return nav | pages


def broken_links(path: Path) -> list[str]:
    """Internal links and pictures of an EPUB that lead nowhere."""
    pages = read_pages(path)
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
    ids = {name: {tag.attrib["id"] for tag in page.iter() if "id" in tag.attrib} for name, page in pages.items()}
    broken = []
    for name, page in pages.items():
        addresses = [tag.attrib["href"] for tag in page.iter(f"{XHTML}a") if "href" in tag.attrib]
        for address in [*addresses, *(tag.attrib["src"] for tag in page.iter(f"{XHTML}img"))]:
            target, _, fragment = address.partition("#")
            target = target or name
            if "://" not in address and not address.startswith("mailto:"):
                there = posixpath.normpath(f"OEBPS/{target}") in names
                if not there or (fragment and fragment not in ids[target]):
                    broken.append(f"{name}: {address}")
    return broken


def without_text(path: Path) -> list[str]:
    """Pictures of an EPUB without a text that stands for them."""
    images = [tag for page in read_pages(path).values() for tag in page.iter(f"{XHTML}img")]
    return [tag.attrib["src"] for tag in images if not tag.attrib.get("alt", "").strip()]
