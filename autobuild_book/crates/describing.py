"""Describes a crate; needs the extra `crate`."""

from pathlib import PurePosixPath
from typing import Any, TypeAlias

from autobuild_book.runs.origins import revision
from autobuild_lib import __version__
from autobuild_lib.extras import extra
from autobuild_lib.storage import json_text

with extra("crate"):
    from rocrate.model import ContextEntity
    from rocrate.rocrate import ROCrate

Crate: TypeAlias = ROCrate
LICENCE = "https://spdx.org/licenses/MIT"
PAPER = "https://arxiv.org/abs/2403.13293"
AUTHORS = "The AutoBuild book authors"
FORMATS = {".csv": "text/csv", ".json": "application/json", ".ipynb": "application/x-ipynb+json"}


def new_crate(name: str, description: str) -> Crate:
    """Return a crate without files: named, described, licensed, with its authors and the paper to cite."""
    crate = ROCrate()
    crate.name, crate.description = name, description
    crate.license = add(crate, LICENCE, "CreativeWork", name="MIT License")
    crate.creator = add(crate, "#authors", "Organization", name=AUTHORS)
    title = "Building Optimal Neural Architectures using Interpretable Knowledge"
    crate.root_dataset["version"] = __version__
    crate.root_dataset["citation"] = add(crate, PAPER, "ScholarlyArticle", name=title)
    return crate


def add(crate: Crate, address: str, kind: str, **facts: Any) -> Any:
    """Add something that is no file of the crate; return it, or what is there under its address."""
    return crate.get(address) or crate.add(ContextEntity(crate, address, {"@type": kind, **facts}))


def add_file(crate: Crate, name: str, sha256: str, size: int, description: str) -> Any:
    """Add a file of the crate, which whoever calls this writes."""
    path = PurePosixPath(name)
    facts = {"name": path.name, "description": description, "license": LICENCE, "sha256": sha256}
    facts |= {"contentSize": str(size), "encodingFormat": FORMATS.get(path.suffix, "text/plain")}
    return crate.add_file(dest_path=name, properties=facts)


def add_software(crate: Crate) -> Any:
    """Add the code of this book as it is installed here."""
    facts = {"name": "autobuild-book", "version": __version__, "identifier": str(revision()), "license": LICENCE}
    return add(crate, "#software", "SoftwareSourceCode", **facts)


def written(crate: Crate) -> str:
    """Return the text of METADATA."""
    return json_text(crate.metadata.generate()) + "\n"
