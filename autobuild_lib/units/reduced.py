"""Reduced spaces: the product over units of some contents of each, such as the best few (paper, Section 3.4)."""

import functools
import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from autobuild_lib.spaces import Architecture, Codes, ScoringGroup, SequenceSpace, SpaceError
from autobuild_lib.spaces.codec import as_keys
from autobuild_lib.spaces.features import Value
from autobuild_lib.spaces.sequence import Samples
from autobuild_lib.storage import read_json, replace_json
from autobuild_lib.values import MALFORMED, naming

FORMAT = "autobuild-reduced-space-1"
MOST_CODES = 10_000_000  # that `codes` enumerates
Scores = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class GroupContents:
    """Some contents of one scoring group.

    codes: [contents, width], bytes of the group's units in the code of an architecture. scores: [contents], best first.
    Raises `ValueError` when there is no content, one stands there twice, or scores are not finite or out of order.
    """

    codes: Codes
    scores: Scores

    def __post_init__(self) -> None:
        if self.codes.ndim != 2 or self.codes.dtype != np.uint8 or self.scores.shape != (len(self.codes),):
            shapes = f"{self.codes.dtype} {list(self.codes.shape)} and scores {list(self.scores.shape)}"
            raise ValueError(f"contents need codes uint8 [contents, width] and scores [contents], given {shapes}")
        ordered = self._keys[self._sorted]
        if len(ordered) == 0 or np.any(ordered[1:] == ordered[:-1]):
            raise ValueError(f"a unit needs one or more distinct contents, given {len(self.codes)}")
        if not np.isfinite(self.scores).all() or np.any(np.diff(self.scores) > 0):
            raise ValueError("the scores of a unit's contents must be finite, the best one first")

    def __len__(self) -> int:
        return len(self.codes)

    @functools.cached_property
    def _keys(self) -> npt.NDArray[np.bytes_]:
        return as_keys(self.codes)

    @functools.cached_property
    def _sorted(self) -> Positions:
        return np.argsort(self._keys)

    def positions(self, codes: Codes) -> Positions:
        """Return the place of each of `codes` [N, width] among the contents, [N]; -1 for what is not among them."""
        keys = as_keys(codes)
        places = self._sorted[np.searchsorted(self._keys, keys, sorter=self._sorted).clip(max=len(self) - 1)]
        return np.where(self._keys[places] == keys, places, -1)


@dataclass(frozen=True, eq=False)
class ReducedSpace(Samples):
    """The product over scoring groups of some contents of each; every architecture has the same global features.

    head: code of the global features. groups: one for each of `space.scoring_groups`. `len` overflows beyond 2^63
    architectures, `size` is exact; isomorphic architectures count apart, and are iterated over once.
    """

    space: SequenceSpace
    head: bytes
    groups: tuple[GroupContents, ...]

    def __post_init__(self) -> None:
        here = (len(self.head), [group.codes.shape[1] for group in self.groups])
        needed = (len(self.space.global_choices), [group.width for group in self.space.scoring_groups])
        if here != needed:
            raise SpaceError(f"{self.space.name}: head and contents have {here[0]} bytes and {here[1]}, "
                             f"the space needs {needed[0]} bytes and {needed[1]}")  # fmt: skip

    @classmethod
    def full(cls, space: SequenceSpace, **global_features: Value) -> Self:
        """Return the product of all contents, scored 0, with the given global features (see `space.architecture`)."""
        contents = [group.contents() for group in space.scoring_groups]
        groups = tuple(GroupContents(codes, np.zeros(len(codes))) for codes in contents)
        return cls(space, space.encode_globals(global_features), groups)

    def __repr__(self) -> str:
        return f"<{self.space.name} reduced to {' x '.join(str(len(group)) for group in self.groups)}>"

    @property
    def size(self) -> int:
        """Exact number of architectures."""
        return math.prod(len(group) for group in self.groups)

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[Architecture]:
        """Every architecture, isomorphic ones once; the contents of later groups vary fastest, best first."""
        bodies = itertools.product(*([row.tobytes() for row in group.codes] for group in self.groups))
        every = (Architecture(self.space, self.head + b"".join(body)) for body in bodies)
        return distinct(self.space, every) if self.space.links else every

    def __contains__(self, architecture: object) -> bool:
        if not isinstance(architecture, Architecture) or architecture not in self.space:
            return False
        return bool(self.positions(self.space.to_codes([architecture])).min() >= 0)

    def codes(self) -> Codes:
        """Return the codes [size, code_width] of a small space, in the order of iteration."""
        if self.size > MOST_CODES:
            raise ValueError(f"{self!r} has {self.size:,} architectures, at most {MOST_CODES:,} are enumerated at once")
        return self.at(np.indices([*map(len, self.groups)], dtype=np.intp).reshape(len(self.groups), -1).T)

    def sample_codes(self, rng: np.random.Generator, size: int) -> Codes:
        """Draw codes [size, code_width], uniformly and independently."""
        return self.at(np.column_stack([rng.integers(len(group), size=size) for group in self.groups]))

    def from_codes(self, codes: Codes) -> list[Architecture]:
        """Turn codes [N, code_width] into architectures."""
        return self.space.from_codes(codes)

    def best(self, n: int) -> list[Architecture]:
        """Return the `n` of highest summed score (or all), best first; equal sums, and isomorphic ones, as iterated."""
        if n < 0:
            raise ValueError(f"n={n}; the number of architectures must not be negative")
        most, best = min(n, self.size), list[Architecture]()
        while len(best) < n and most:
            sums = best_sums([group.scores for group in self.groups], most)
            best = list(distinct(self.space, self.from_codes(self.at(sums))))[:n]
            most = min(2 * most, self.size) if most < self.size else 0
        return best

    def scores(self, architectures: Sequence[Architecture]) -> Scores:
        """Return the summed score of each architecture, [N]; one outside this reduced space is a `SpaceError`."""
        places = self.positions(self.space.to_codes(architectures))
        if len(outside := np.flatnonzero((places < 0).any(1))):
            raise SpaceError(f"architecture {architectures[outside[0]]} is not in {self!r}")
        sums = np.zeros(len(places))
        for group, place in zip(reversed(self.groups), reversed(places.T), strict=True):  # rounds as `best_sums` does
            sums = group.scores[place] + sums
        return sums

    def at(self, chosen: Positions) -> Codes:
        """Codes of the architectures with these contents: positions [N, groups] -> [N, code_width]."""
        head = np.tile(np.frombuffer(self.head, np.uint8), (len(chosen), 1))
        return np.hstack([head, *(group.codes[place] for group, place in zip(self.groups, chosen.T, strict=True))])

    def positions(self, codes: Codes) -> Positions:
        """Positions of the contents of each architecture, [N, groups]; -1 for what is not in this reduced space."""
        same_head = (codes[:, : len(self.head)] == np.frombuffer(self.head, np.uint8)).all(1)
        pairs = zip(self.space.scoring_groups, self.groups, strict=True)
        return np.column_stack([np.where(same_head, some.positions(codes[:, g.place]), -1) for g, some in pairs])

    @property
    def global_features(self) -> dict[str, Value]:
        """The global choices by name."""
        return self.space.decode_globals(self.head)

    def save(self, path: Path | str) -> None:
        """Write JSON: the space, the global features, and each group's modules as text with their scores."""
        pairs = zip(self.space.scoring_groups, self.groups, strict=True)
        groups = [{"modules": group.texts(some.codes), "scores": some.scores.tolist()} for group, some in pairs]
        record = {"format": FORMAT, "space": self.space.to_json(), "global_features": self.global_features}
        replace_json(Path(path), {**record, "groups": groups})

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read what `save` wrote; raises `SpaceError` for anything missing, unknown or damaged."""
        record = read_json(path, "a reduced space", SpaceError)
        with naming(f"{path}: not a reduced space", SpaceError, MALFORMED):
            if record["format"] != FORMAT:
                raise ValueError(f"format {str(record['format'])[:40]!r}, this version reads {FORMAT!r}")
            if unknown := sorted(set(record) - {"format", "space", "global_features", "groups"}):
                raise ValueError(f"unknown entries {', '.join(unknown)[:80]}")
            space = SequenceSpace.from_json(record["space"])
            head = space.encode_globals(dict(record["global_features"]))
            pairs = zip(space.scoring_groups, record["groups"], strict=True)
            return cls(space, head, tuple(_read_contents(group, entry) for group, entry in pairs))


def _read_contents(group: ScoringGroup, entry: Mapping[str, Any]) -> GroupContents:
    if not all(type(score) in (int, float) for score in entry["scores"]):
        raise ValueError("scores must be numbers")
    return GroupContents(group.parse(entry["modules"]), np.array(entry["scores"], dtype=np.float64))


def distinct(space: SequenceSpace, architectures: Iterable[Architecture]) -> Iterator[Architecture]:
    """Leave out architectures that are isomorphic to an earlier one."""
    first: dict[Architecture, Architecture] = {}
    return (each for each in architectures if first.setdefault(space.canonical(each), each) is each)


def best_sums(scores: Sequence[Scores], n: int) -> Positions:
    """Return the positions [n, groups] of the `n` highest sums of one score from each group, best first.

    `scores` holds one descending array per group. Groups are joined from the last on; of a pair of descending lists,
    the sum of places i and j (from 0) has (i + 1)(j + 1) - 1 others before it, so only (i + 1)(j + 1) <= n matter.
    """
    sums, chosen = np.zeros(1), np.zeros((1, 0), dtype=np.intp)
    for firsts in reversed(scores):
        partners = np.minimum(n // np.arange(1, min(n, len(firsts)) + 1), len(sums))
        i = np.repeat(np.arange(len(partners)), partners)
        j = np.arange(len(i)) - np.repeat(np.cumsum(partners) - partners, partners)
        joined = firsts[i] + sums[j]
        order = np.argsort(-joined, kind="stable")[:n]
        sums, chosen = joined[order], np.column_stack([i[order], chosen[j[order]]])
    return chosen
