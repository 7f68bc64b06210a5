"""Checks a crate, and trusts nothing that it reads."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from autobuild_book.crates import METADATA
from autobuild_lib.released.checksums import SHA256

PROFILE = "https://w3id.org/ro/crate/"
NEEDED = ("name", "description", "license", "datePublished", "hasPart")  # of the root

Checksum = Callable[[str], str]


def problems(described: Mapping[str, Any], names: Collection[str], checksum: Checksum) -> list[str]:
    """Return a line for each way in which files are not those of a crate.

    Args:
        described: what METADATA holds.
        names: of all files beside METADATA.
        checksum: gives the sha256 of one of them.
    """
    entities, lines = _entities(described)
    root = entities.get("./", {})
    lines += [] if _is_crate(entities.get(METADATA, {})) else [f"{METADATA}: conforms to no version of {PROFILE}"]
    lines += [f"{METADATA}: the root has no {name}" for name in NEEDED if not root.get(name)]
    files = {name: entity for name, entity in entities.items() if _is_file(name, entity)}
    lines += [f"{name}: is missing" for name in sorted(files.keys() - set(names))]
    lines += [f"{name}: is not described in {METADATA}" for name in sorted(set(names) - files.keys())]
    return lines + [line for name in sorted(files.keys() & set(names)) if (line := _wrong(name, files[name], checksum))]


def _entities(described: Mapping[str, Any]) -> tuple[dict[str, Mapping[str, Any]], list[str]]:
    """Return what a crate describes by its id, and a line for what is no description."""
    graph = described.get("@graph")
    if not isinstance(graph, list):
        return {}, [f"{METADATA}: holds no list @graph"]
    good = [entity for entity in graph if isinstance(entity, dict) and isinstance(entity.get("@id"), str)]
    entities: dict[str, Mapping[str, Any]] = {entity["@id"]: entity for entity in good}
    same = len(entities) == len(graph)
    return entities, [] if same else [f"{METADATA}: describes something without an id, or one thing twice"]


def _is_crate(descriptor: Mapping[str, Any]) -> bool:
    """Say whether the entity of METADATA itself says that this is a crate."""
    stated = descriptor.get("conformsTo")
    formats = [each.get("@id") for each in (stated if isinstance(stated, list) else [stated]) if isinstance(each, dict)]
    return any(isinstance(name, str) and name.startswith(PROFILE) for name in formats)


def _is_file(name: str, entity: Mapping[str, Any]) -> bool:
    kinds = entity.get("@type")
    return (kinds == "File" or (isinstance(kinds, list) and "File" in kinds)) and "://" not in name


def _wrong(name: str, entity: Mapping[str, Any], checksum: Checksum) -> str:
    """Say what is wrong about a file; "" for nothing."""
    stated = entity.get("sha256")
    if not isinstance(stated, str) or not SHA256.fullmatch(stated):
        return f"{name}: its description has no sha256"
    present = checksum(name)
    return "" if present == stated else f"{name}: has another checksum than its description ({present[:12]})"
