"""Unit corpus: every possible content of every unit with a module score (paper, Sections 3.3 and 3.4)."""

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from scipy.stats import t

from autobuild_lib import units  # its parts are imported when they are needed
from autobuild_lib.graphs import layer_graphs_from_codes
from autobuild_lib.predictor import Network, Predictor
from autobuild_lib.progress import Bar, progress_bar
from autobuild_lib.spaces import Codes, ScoringGroup, SequenceSpace
from autobuild_lib.spaces.features import Value, values_of
from autobuild_lib.torch_settings import plain_torch
from autobuild_lib.units.reduced import GroupContents, ReducedSpace
from autobuild_lib.values import Array

CHUNK = 4096  # contents embedded at once
CONFIDENCE = 0.95


@dataclass(frozen=True, eq=False, repr=False)
class ScoredGroup:
    """All contents of one scoring group.

    codes: [contents, width], bytes of the group's units in the code of an architecture.
    scores: [contents], in units of the target; low, high: ends of the 95 % interval, NaN where there is none.
    """

    codes: Codes
    scores: Array
    low: Array
    high: Array


@dataclass(frozen=True, eq=False)
class UnitCorpus:
    """Every content of every scoring group of a space with its module score.

    interval: what `low` and `high` vary over: "seeds" (several predictors), "hosts" (one, effect score), or "none".
    """

    space: SequenceSpace
    target: str
    kind: str
    interval: str
    head: bytes  # code of the global features
    groups: tuple[ScoredGroup, ...]

    def __len__(self) -> int:
        return sum(len(group.scores) for group in self.groups)

    @functools.cached_property
    def table(self) -> pd.DataFrame:
        """One row per module: unit (0-based scoring group), depth, module (text), score, low, high (NaN: none)."""
        frames = []
        for number, (place, group) in enumerate(zip(self.space.scoring_groups, self.groups, strict=True)):
            frame = pd.DataFrame({"unit": number, "depth": self.depths(number), "module": place.texts(group.codes)})
            frames.append(frame.assign(score=group.scores, low=group.low, high=group.high))
        return pd.concat(frames, ignore_index=True)

    def depths(self, number: int) -> npt.NDArray[np.int64]:
        """Number of layers of each content of a scoring group, [contents]."""
        return np.asarray(self.space.scoring_groups[number].depths(self.groups[number].codes).sum(1))

    def top(self, k: int | Sequence[int]) -> ReducedSpace:
        """Return the product over scoring groups of the `k` best contents of each (or one k per group).

        Raises `ValueError` for a k below 1 or a wrong number of them; a k beyond a group's size takes all of it.
        """
        sizes = np.atleast_1d(k)
        if sizes.shape not in ((1,), (len(self.groups),)) or sizes.dtype.kind not in "iu" or (sizes < 1).any():
            raise ValueError(f"k={k!r}; give a whole number above 0, or one for each of {len(self.groups)} units")
        best = []
        for n, group in zip(np.broadcast_to(sizes, len(self.groups)), self.groups, strict=True):
            order = np.argsort(-group.scores, kind="stable")[:n]
            best.append(GroupContents(group.codes[order], group.scores[order]))
        return ReducedSpace(self.space, self.head, tuple(best))

    def everything(self) -> ReducedSpace:
        """Return the whole space with its scores."""
        return self.top([len(group.scores) for group in self.groups])


def score_units(
    predictor: Predictor | Sequence[Predictor], score: str = "norm", global_features: Mapping[str, Value] | None = None,
    hosts: int = 16, seed: int = 0, progress: bool = True,
) -> UnitCorpus:  # fmt: skip
    """Score every content of every unit of a space.

    Args:
        predictor: a trained predictor, or several of one space and target (other seeds); their scores are averaged.
        score: "norm", the paper's: the L1 norm of the last layer's embedding in the isolated module, standardised
            over the hop and rescaled to the target over architectures of that depth. Or "effect", ours: the mean
            prediction over random hosts with the module in place, minus the mean over the hosts.
        global_features: values that every built architecture gets (default: the largest of each).
        hosts: number of random architectures for the effect score, drawn by `seed`, the same for all modules.

    `ValueError` for an unknown score, predictors of different spaces or targets, a unit with too many contents
    (`SequenceSpace.count_contents`); for the norm score, a unit deeper than hops + 1 or a depth training never saw.
    """
    predictors = [predictor] if isinstance(predictor, Predictor) else list(predictor)
    if score not in SCORES:
        raise ValueError(f"score={score!r}; choose from {', '.join(SCORES)}")
    if not predictors or any((p.space, p.target) != (predictors[0].space, predictors[0].target) for p in predictors):
        raise ValueError("score_units needs one predictor, or several of the same space and target")
    if hosts < 1:
        raise ValueError(f"hosts={hosts}; at least 1 is needed")
    space = predictors[0].space
    head = _head(space, global_features or {})
    drawn = space.sample_codes(np.random.default_rng([seed, 2]), hosts)
    drawn[:, : len(head)] = np.frombuffer(head, np.uint8)
    groups = []
    work = sum(group.count_contents() for group in space.scoring_groups)
    look = {"total": work * len(predictors), "unit": "module", "unit_scale": True, "disable": not progress}
    with progress_bar(None, f"{score} scores", delay=2, **look) as bar:
        for number, group in enumerate(space.scoring_groups):
            codes = group.contents()
            parts = [SCORES[score](each, number, codes, head, drawn, bar) for each in predictors]
            groups.append(ScoredGroup(codes, *_with_interval(parts)))
    interval = "seeds" if len(predictors) > 1 else "hosts" if score == "effect" and hosts > 1 else "none"
    return UnitCorpus(space, predictors[0].target, score, interval, head, tuple(groups))


def _head(space: SequenceSpace, chosen: Mapping[str, Value]) -> bytes:
    """Code of the chosen global features, else the largest number of each, the last listed where one is text."""
    largest: dict[str, Value] = {}
    for name, values in ((name, values_of(choices)) for name, choices in space.global_choices):
        listed = any(isinstance(value, str) for value in values)
        largest[name] = max(values, key=values.index if listed else float)
    return space.encode_globals({**largest, **chosen})


def _with_interval(parts: Sequence[Array]) -> tuple[Array, Array, Array]:
    """Mean score and interval: over predictors if there are several, otherwise over the rows (hosts) of the one."""
    rows = parts[0] if len(parts) == 1 else np.stack([part.mean(0) for part in parts])
    mean, missing = rows.mean(0), np.full(rows.shape[1], np.nan)
    if len(rows) < 2:
        return mean, missing, missing
    half = t.ppf(0.5 + CONFIDENCE / 2, len(rows) - 1) * rows.std(0, ddof=1) / math.sqrt(len(rows))
    return mean, mean - half, mean + half


def _norm_scores(predictor: Predictor, number: int, codes: Codes, head: bytes, hosts: Codes, bar: Bar) -> Array:
    group, space = predictor.space.scoring_groups[number], predictor.space
    hops, moments, deepest = predictor.network.config.hops, predictor.moments, group.lengths[-1]
    if deepest > hops + 1:
        problem = f"unit {number} of {space.name} has up to {deepest} layers, but {hops} hops see only {hops + 1}"
        remedy = f"train with hops={deepest - 1} (--hops {deepest - 1}), or take the effect score (--score effect)"
        raise ValueError(f"{problem}: {remedy}")
    if moments is None:
        raise ValueError("this predictor was saved without moments of its training split, which the norm score needs")
    norms, depths = module_norms(predictor.network, space, group, codes, head)
    bar.update(len(codes))
    scores = np.empty(len(codes))
    for depth in np.unique(depths):
        if (number, int(depth)) not in moments.units:
            raise ValueError(f"the training split has no architecture whose unit {number} has {depth} layers")
        mean, sd = moments.units[number, int(depth)]
        centre, spread = moments.hops[depth - 1]
        chosen = depths == depth
        scores[chosen] = (norms[chosen] - centre) / spread * sd + mean
    return scores[None]


def module_norms(
    network: Network, space: SequenceSpace, group: ScoringGroup, codes: Codes, head: bytes
) -> tuple[Array, npt.NDArray[np.int64]]:
    """L1 norm of the last layer's embedding at hop n - 1 in each isolated module of n layers, and n: [contents]."""
    alone = group.isolated(codes, head)
    norms, depths = np.empty(len(codes)), np.empty(len(codes), dtype=np.int64)
    with plain_torch():
        for start in range(0, len(codes), CHUNK):
            part = slice(start, start + CHUNK)
            graphs = layer_graphs_from_codes(space, alone[part])
            last = graphs.starts + graphs.lengths - 1
            levels = torch.stack([h[0, last].abs().sum(1) for h in network.node_embeddings(graphs)])
            norms[part] = levels[graphs.lengths - 1, torch.arange(len(last))].numpy()
            depths[part] = graphs.lengths.numpy()
    return norms, depths


def _effect_scores(predictor: Predictor, number: int, codes: Codes, head: bytes, hosts: Codes, bar: Bar) -> Array:
    group = predictor.space.scoring_groups[number]
    scores = np.empty((len(hosts), len(codes)))
    for form in units.effects.forms(predictor.space, group, head):
        chosen = (group.depths(codes) == form.depths).all(1)  # in both, later choices vary fastest
        scores[:, chosen] = units.effects.host_effects(predictor, group, form, hosts, codes[chosen][0], bar)
    return scores


SCORES = {"norm": _norm_scores, "effect": _effect_scores}
