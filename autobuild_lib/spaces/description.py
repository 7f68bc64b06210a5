"""Search spaces as JSON: every entry is checked, and an error says which one is wrong and what is allowed."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from autobuild_lib.spaces.features import Continuous, FrozenFeatures, SpaceError, checked

CONTINUOUS = ("values", "low", "high", "grid", "offset", "scale")


def entries(where: str, given: object, needed: Sequence[str], optional: Sequence[str] = ()) -> dict[str, Any]:
    """Return a JSON object as a dict; one that lacks an entry, or has an unknown one, is a `SpaceError`."""
    names = [*needed, *optional]
    if not isinstance(given, Mapping):
        raise SpaceError(f"{where}: given {given!r:.60}; allowed is an object with {', '.join(names)}")
    if unknown := [name for name in given if name not in names]:
        raise SpaceError(f"{where}: there is an unknown entry {unknown[0]!r:.60}; allowed are {', '.join(names)}")
    if missing := [name for name in needed if name not in given]:
        raise SpaceError(f"{where}: there is no {missing[0]!r}; needed are {', '.join(needed)}")
    return dict(given)


def features_to_json(features: FrozenFeatures) -> dict[str, Any]:
    """Return features as JSON can hold them."""
    return {n: asdict(c) if isinstance(c, Continuous) else list(c) for n, c in features}


def features_from_json(where: str, given: object) -> dict[str, Any]:
    """Return features that `features_to_json` wrote; an object stands for a `Continuous`."""
    features = checked(where, given, dict, "an object with the values of each feature")
    return {n: _continuous(f"{where}: {n}", c) if isinstance(c, dict) else c for n, c in features.items()}


def _continuous(where: str, given: Mapping[str, Any]) -> Continuous:
    options = entries(where, given, (), CONTINUOUS)
    try:
        return Continuous(**options)
    except SpaceError as error:
        raise SpaceError(f"{where}: {error}") from None
