"""Reduced spaces: the product over units of some contents of each, such as the best few (paper, Section 3.4)."""

import functools
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from autobuild_lib.spaces import Architecture, SequenceSpace, SpaceError
from autobuild_lib.spaces.features import Value, values_of
from autobuild_lib.spaces.sampling import Samples
from autobuild_lib.spaces.sequence import Codes
from autobuild_lib.storage import read_json, replace_json

FORMAT = "autobuild-reduced-space-1"
MOST_CODES = 10_000_000  # that `codes` enumerates
Scores = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]


def group_codes(space: SequenceSpace, units: Sequence[int]) -> Codes:
    """Return every content of a scoring group, [contents, bytes of its units]; later choices vary fastest.

    Raises `SpaceError` when there are too many (`SequenceSpace.count_contents`).
    """
    space.count_contents(units)
    codes = space.codecs[units[0]].contents()
    for unit in units[1:]:
        tails = space.codecs[unit].contents()
        codes = np.hstack([np.repeat(codes, len(tails), axis=0), np.tile(tails, (len(codes), 1))])
    return codes


def isolated(space: SequenceSpace, units: Sequence[int], codes: Codes, head: bytes) -> Codes:
    """Return codes [contents, code_width] in which only the scoring group `units` has layers.

    codes: [contents, bytes of its units]. head: code of the global features.
    """
    alone = np.zeros((len(codes), space.code_width), dtype=np.uint8)
    alone[:, : len(head)] = np.frombuffer(head, np.uint8)
    alone[:, space.codecs[units[0]].start : space.codecs[units[-1]].end] = codes
    return alone


def group_texts(space: SequenceSpace, units: Sequence[int], codes: Codes) -> list[str]:
    """Return the text of each content [contents, width] of a scoring group, such as "e6_k7,e3_k3"."""
    codecs, before = [space.codecs[unit] for unit in units], bytes(space.codecs[units[0]].start)
    return ["|".join(codec.text(before + row.tobytes()) for codec in codecs) for row in codes]


def parse_group(space: SequenceSpace, units: Sequence[int], text: str) -> bytes:
    """Read the text of a content of a scoring group."""
    parts = text.split("|")
    if len(parts) != len(units):
        raise SpaceError(f"{space.name}: {text[:80]!r} has {len(parts)} parts, units {list(units)} need {len(units)}")
    return b"".join(space.codecs[u].parse(f"{space.name}, unit {u}", t) for u, t in zip(units, parts, strict=True))


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
            given = f"{self.codes.dtype} {list(self.codes.shape)} and scores {list(self.scores.shape)}"
            raise ValueError(f"contents need codes uint8 [contents, width] and scores [contents], given {given}")
        ordered = self._keys[self._sorted]
        if len(ordered) == 0 or np.any(ordered[1:] == ordered[:-1]):
            raise ValueError(f"a unit needs one or more distinct contents, given {len(self.codes)}")
        if not np.isfinite(self.scores).all() or np.any(np.diff(self.scores) > 0):
            raise ValueError("the scores of a unit's contents must be finite, the best one first")

    def __len__(self) -> int:
        return len(self.codes)

    @functools.cached_property
    def _keys(self) -> npt.NDArray[np.bytes_]:
        return _as_keys(self.codes)

    @functools.cached_property
    def _sorted(self) -> Positions:
        return np.argsort(self._keys)

    def positions(self, codes: Codes) -> Positions:
        """Return the place of each of `codes` [N, width] among the contents, [N]; -1 for what is not among them."""
        wanted = _as_keys(codes)
        found = self._sorted[np.searchsorted(self._keys, wanted, sorter=self._sorted).clip(max=len(self) - 1)]
        return np.where(self._keys[found] == wanted, found, -1)

    def union(self, other: "GroupContents") -> "GroupContents":
        """Return the contents of both; one that is in both keeps the higher score."""
        codes, scores = np.concatenate([self.codes, other.codes]), np.concatenate([self.scores, other.scores])
        order = np.lexsort((_as_keys(codes), -scores))
        kept = order[np.sort(np.unique(_as_keys(codes[order]), return_index=True)[1])]
        return GroupContents(codes[kept], scores[kept])


def _as_keys(codes: Codes) -> npt.NDArray[np.bytes_]:
    """Rows as byte strings, which sort and compare at once: [N, width] -> [N]."""
    return np.ascontiguousarray(codes).view(f"S{codes.shape[1]}").ravel()


@dataclass(frozen=True, eq=False)
class ReducedSpace(Samples):
    """The product over scoring groups of some contents of each; every architecture has the same global features.

    head: code of the global features. groups: one for each of `space.scoring_groups`. `len` overflows beyond 2^63
    architectures, `size` is exact.
    """

    space: SequenceSpace
    head: bytes
    groups: tuple[GroupContents, ...]

    def __post_init__(self) -> None:
        widths = [self.space.codecs[g[-1]].end - self.space.codecs[g[0]].start for g in self.space.scoring_groups]
        if len(self.head) != len(self.space.global_features) or [g.codes.shape[1] for g in self.groups] != widths:
            given = f"{len(self.head)} bytes and {[g.codes.shape[1] for g in self.groups]}"
            wanted = f"{len(self.space.global_features)} bytes and {widths}"
            raise SpaceError(f"{self.space.name}: head and contents have {given}, the space needs {wanted}")

    @classmethod
    def full(cls, space: SequenceSpace, **global_features: Value) -> Self:
        """Return the product of all contents, scored 0, with the given global features (see `space.architecture`)."""
        codes = [group_codes(space, units) for units in space.scoring_groups]
        groups = tuple(GroupContents(each, np.zeros(len(each))) for each in codes)
        return cls(space, space.encode_globals(global_features), groups)

    def __repr__(self) -> str:
        return f"<{self.space.name} reduced to {' x '.join(str(len(group)) for group in self.groups)}>"

    # ---------------------------------------------------------------- the architectures in it

    @property
    def size(self) -> int:
        """Exact number of architectures."""
        return math.prod(len(group) for group in self.groups)

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[Architecture]:
        """Every architecture; the contents of later groups vary fastest, best first."""
        for body in itertools.product(*([row.tobytes() for row in group.codes] for group in self.groups)):
            yield Architecture(self.space, self.head + b"".join(body))

    def __contains__(self, architecture: object) -> bool:
        if not isinstance(architecture, Architecture) or architecture not in self.space:
            return False
        return bool(self.positions(self.space.to_codes([architecture])).min() >= 0)

    def codes(self) -> Codes:
        """Return the codes [size, code_width] of a small space, in the order of iteration."""
        if self.size > MOST_CODES:
            raise ValueError(f"{self!r} has {self.size:,} architectures, at most {MOST_CODES:,} are enumerated at once")
        chosen = np.indices([len(group) for group in self.groups], dtype=np.intp).reshape(len(self.groups), -1)
        return self.at(chosen.T)

    def sample_codes(self, rng: np.random.Generator, size: int) -> Codes:
        """Draw codes [size, code_width], uniformly and independently."""
        return self.at(np.column_stack([rng.integers(len(group), size=size) for group in self.groups]))

    def from_codes(self, codes: Codes) -> list[Architecture]:
        """Turn codes [N, code_width] into architectures."""
        return self.space.from_codes(codes)

    def best(self, n: int) -> list[Architecture]:
        """Return the `n` architectures of highest summed score, best first, without enumerating the product.

        Equal sums stand in the order of iteration. All architectures come back when there are no more than `n`.
        """
        if n < 0:
            raise ValueError(f"n={n}; the number of architectures must not be negative")
        chosen = best_sums([group.scores for group in self.groups], min(n, self.size))
        return self.from_codes(self.at(chosen))

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
        return np.hstack([head, *(group.codes[own] for group, own in zip(self.groups, chosen.T, strict=True))])

    def positions(self, codes: Codes) -> Positions:
        """Positions of the contents of each architecture, [N, groups]; -1 for what is not in this reduced space."""
        start, found = len(self.head), []
        same_head = (codes[:, :start] == np.frombuffer(self.head, np.uint8)).all(1)
        for group in self.groups:
            end = start + group.codes.shape[1]
            found.append(np.where(same_head, group.positions(codes[:, start:end]), -1))
            start = end
        return np.column_stack(found)

    # ---------------------------------------------------------------- together with another

    def union(self, other: "ReducedSpace") -> "ReducedSpace":
        """Return the product of the unions of contents, which holds both spaces and their mixtures.

        A content that is in both keeps the higher score; scores of different targets do not compare, so that `best`
        means little in such a union. Different spaces or global features are a `SpaceError`.
        """
        if self.space != other.space or self.head != other.head:
            raise SpaceError(f"no union of {self!r} with {self.global_features} "
                             f"and {other!r} with {other.global_features}")  # fmt: skip
        pairs = zip(self.groups, other.groups, strict=True)
        return ReducedSpace(self.space, self.head, tuple(mine.union(theirs) for mine, theirs in pairs))

    __or__ = union

    # ---------------------------------------------------------------- as text

    @property
    def global_features(self) -> dict[str, Value]:
        """The global choices by name."""
        pairs = zip(self.space.global_features, self.head, strict=True)
        return {name: values_of(choices)[place] for (name, choices), place in pairs}

    def to_lists(self) -> list[list[list[str]]]:
        """Return the authors' nested lists: for each scoring group its contents, each a list of full layer names."""
        pairs = zip(self.space.scoring_groups, self.groups, strict=True)
        return [[self._layers(units, row.tobytes()) for row in group.codes] for units, group in pairs]

    def _layers(self, units: Sequence[int], content: bytes) -> list[str]:
        padded = bytes(self.space.codecs[units[0]].start) + content
        return [name for unit in units for name in self.space.codecs[unit].decode_layers(padded, full=True)]

    def save(self, path: Path | str) -> None:
        """Write JSON: the space, the global features, and each group's modules as text with their scores."""
        pairs = zip(self.space.scoring_groups, self.groups, strict=True)
        groups = [
            {"modules": group_texts(self.space, units, group.codes), "scores": group.scores.tolist()}
            for units, group in pairs
        ]
        record = {
            "format": FORMAT,
            "space": self.space.to_json(),
            "global_features": self.global_features,
            "groups": groups,
        }
        replace_json(Path(path), record)

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read what `save` wrote; raises `SpaceError` for anything missing, unknown or damaged."""
        record = read_json(path, "a reduced space", SpaceError)
        try:
            if record["format"] != FORMAT:
                raise ValueError(f"format {str(record['format'])[:40]!r}, this version reads {FORMAT!r}")
            if unknown := sorted(set(record) - {"format", "space", "global_features", "groups"}):
                raise ValueError(f"unknown entries {', '.join(unknown)[:80]}")
            space = SequenceSpace.from_json(record["space"])
            head = space.encode_globals(dict(record["global_features"]))
            pairs = zip(space.scoring_groups, record["groups"], strict=True)
            return cls(space, head, tuple(_read_group(space, units, given) for units, given in pairs))
        except KeyError as error:
            raise SpaceError(f"{path}: not a reduced space (there is no {error})") from None
        except (TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
            raise SpaceError(f"{path}: not a reduced space ({error})") from None


def _read_group(space: SequenceSpace, units: Sequence[int], given: Mapping[str, Any]) -> GroupContents:
    scores, modules = given["scores"], given["modules"]
    if not all(type(score) in (int, float) for score in scores):
        raise ValueError("scores must be numbers")
    rows = [parse_group(space, units, text) for text in modules]
    width = space.codecs[units[-1]].end - space.codecs[units[0]].start
    codes = np.frombuffer(b"".join(rows), dtype=np.uint8).reshape(len(rows), width)
    return GroupContents(codes, np.array(scores, dtype=np.float64))


def best_sums(scores: Sequence[Scores], n: int) -> Positions:
    """Return the positions [n, groups] of the `n` highest sums of one score from each group, best first.

    `scores` holds one descending array per group. Groups are joined from the last on; of a pair of descending lists,
    the sum of places i and j (from 0) has (i + 1)(j + 1) - 1 others before it, so only (i + 1)(j + 1) <= n matter.
    """
    sums, chosen = np.zeros(1), np.zeros((1, 0), dtype=np.intp)
    for own in reversed(scores):
        partners = np.minimum(n // np.arange(1, min(n, len(own)) + 1), len(sums))
        i = np.repeat(np.arange(len(partners)), partners)
        j = np.arange(len(i)) - np.repeat(np.cumsum(partners) - partners, partners)
        joined = own[i] + sums[j]
        order = np.argsort(-joined, kind="stable")[:n]
        sums, chosen = joined[order], np.column_stack([i[order], chosen[j[order]]])
    return chosen
