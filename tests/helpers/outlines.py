"""Reads the outline of a PDF."""

from collections.abc import Iterator
from typing import Any


def entries(outline: list[Any]) -> Iterator[Any]:
    """Yield the entries of an outline of pypdf, those below others included, in order."""
    for entry in outline:
        if isinstance(entry, list):
            yield from entries(entry)
        else:
            yield entry
