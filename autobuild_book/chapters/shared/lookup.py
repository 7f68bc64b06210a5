"""What is looked up by its name, with an error that lists what there is."""

from collections.abc import Mapping
from typing import TypeVar

Thing = TypeVar("Thing")


def look_up(kind: str, name: str, by_name: Mapping[str, Thing]) -> Thing:
    """Return a thing by its name; an unknown name is a `ValueError` that lists all names.

    kind: what it is, for the error.
    """
    if name not in by_name:
        raise ValueError(f"no {kind} {name!r}; choose from {'; '.join(by_name)}")
    return by_name[name]
