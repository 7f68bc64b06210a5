"""Experiment 4, first half: do the best modules for an equation improve a region of the frontier (claim C4)?"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from autobuild_book.chapters.shared.frontiers import (
    Array,
    Frontier,
    Judge,
    training_frontiers,
    training_labels,
)
from autobuild_book.chapters.shared.panels import COMMON, REGIONS, SPECIAL, Panel, load_panels
from autobuild_book.chapters.shared.ridge import ridge_corpora
from autobuild_book.dominance import best_within, dominates
from autobuild_book.parallel import in_threads
from autobuild_book.unions import union
from autobuild_lib.data.files import FILES
from autobuild_lib.data.table import Table
from autobuild_lib.predictor import Predictor
from autobuild_lib.search import costs
from autobuild_lib.spaces import SequenceSpace
from autobuild_lib.spaces.sequence import Codes
from autobuild_lib.targets import Target
from autobuild_lib.units.corpus import UnitCorpus, score_units
from autobuild_lib.units.reduced import GroupContents, ReducedSpace

Frontiers: TypeAlias = Mapping[tuple[str, str], Frontier]
SCORES = ("norm", "effect", "ridge")
CLUSTER, KEPT = 3, 25  # modules per unit: of a cluster, and of the spaces that are searched
KEY = ["family", "device", "region", "score", "seed"]
NUMBERS = ["share", "noisy_share", "any_share", "new_share", "beaten", "gained"]
BEST = ["architecture", "acc", "latency", "other_acc", "other_latency"]
BUDGETS = (0.25, 0.5, 0.75, 1.0)  # latency budgets, as quantiles of the latencies on the training frontier


def region_panels(source: str, regions: Mapping[str, str], space: SequenceSpace | None = None) -> list[Panel]:
    """Load one panel per family and device, with an equation for each region.

    With the default equations the predictors of experiment 3 are wanted, otherwise others. Raises `ValueError` for
    equations that cannot be computed from the source.
    """
    default = dict(regions) == REGIONS
    learnt = (COMMON, SPECIAL) if default else (regions, {})
    panels = [panel.only(list(regions)) for panel in load_panels(source, *learnt, space)]
    usable = [panel for panel in panels if panel.equations and "acc" in panel.split.train.labels]
    if not usable:
        raise ValueError(f"{source} needs the label acc, a latency and those of the equations {list(regions.values())}")
    return usable


# -------------------------------------------------------------------- reduced spaces


@dataclass(frozen=True, eq=False)
class Reduction:
    """What one training seed's predictors make of a panel: per score and region, the best modules of every unit.

    summed: by region, the summed norm scores of the modules of every training architecture, [N].
    """

    panel: Panel
    seed: int
    spaces: Mapping[tuple[str, str], ReducedSpace]
    summed: Mapping[str, Array]

    def cluster(self, score: str, region: str, k: int = CLUSTER) -> ReducedSpace:
        """Return the product of the `k` best modules of every unit."""
        full = self.spaces[score, region]
        groups = tuple(GroupContents(group.codes[:k], group.scores[:k]) for group in full.groups)
        return ReducedSpace(full.space, full.head, groups)

    def union(self, score: str) -> ReducedSpace:
        """Return the union over the regions of the spaces of one score."""
        return union([space for (kind, _), space in self.spaces.items() if kind == score])


def reduce_spaces(
    panels: Sequence[Panel],
    predictors: Mapping[tuple[str, str, int], Predictor],
    seeds: Sequence[int],
    hosts: int = 16,
) -> list[Reduction]:
    """Score all modules for every panel, training seed, region and score, and keep the best of every unit.

    predictors: by family, equation and seed, as `panels.train` returns them. hosts: of the effect score.
    """
    tables = {panel.family: panel.split.train for panel in panels}
    keys = list(dict.fromkeys((p.family, e, seed) for seed in seeds for p in panels for e in p.equations.values()))

    def score(key: tuple[str, str, int]) -> tuple[ReducedSpace, ReducedSpace, Array]:
        return _scored(predictors[key], tables[key[0]], hosts)

    scored = dict(zip(keys, in_threads(score, keys, "scoring"), strict=True))

    def regress(family: str) -> dict[str, UnitCorpus]:
        norms = {equation: scored[name, equation, seed][0] for name, equation, seed in keys if name == family}
        return ridge_corpora(tables[family], list(norms), next(iter(norms.values())).head)

    ridges = dict(zip(tables, in_threads(regress, list(tables), "additive ridge"), strict=True))
    reductions = []
    for seed, panel in itertools.product(seeds, panels):
        spaces: dict[tuple[str, str], ReducedSpace] = {}
        summed: dict[str, Array] = {}
        for region, equation in panel.equations.items():
            *both, summed[region] = scored[panel.family, equation, seed]
            best = (*both, ridges[panel.family][equation].top(KEPT))
            spaces |= {(name, region): space for name, space in zip(SCORES, best, strict=True)}
        reductions.append(Reduction(panel, seed, spaces, summed))
    return reductions


def _scored(predictor: Predictor, table: Table, hosts: int) -> tuple[ReducedSpace, ReducedSpace, Array]:
    """Return the best modules by norm and by effect score, and the summed norm scores of the table's rows."""
    norm = score_units(predictor, progress=False)
    effect = score_units(predictor, "effect", hosts=hosts, progress=False)
    return norm.top(KEPT), effect.top(KEPT), summed_scores(norm.everything(), table.space.to_codes(table.architectures))


def summed_scores(scored: ReducedSpace, codes: Codes) -> Array:
    """Return the summed module scores of architectures given by codes [N, code_width], [N]; NaN outside `scored`."""
    places = scored.positions(codes)
    parts = [group.scores[place] for group, place in zip(scored.groups, places.T, strict=True)]
    return np.where((places >= 0).all(1), np.sum(parts, axis=0), np.nan)


def best_networks(reductions: Sequence[Reduction], n: int = 5) -> pd.DataFrame:
    """Return the `n` architectures of highest summed score of every cluster; this needs no evaluation.

    Columns: family, device, region, score, seed, rank, architecture.
    """
    rows = [
        (*_names(reduction), region, score, reduction.seed, rank, str(architecture))
        for reduction in reductions
        for score, region in reduction.spaces
        for rank, architecture in enumerate(reduction.cluster(score, region).best(n), 1)
    ]
    return pd.DataFrame(rows, columns=["family", "device", "region", "score", "seed", "rank", "architecture"])


def _names(reduction: Reduction) -> tuple[str, str]:
    return reduction.panel.family, reduction.panel.device


# -------------------------------------------------------------------- clusters


def evaluate_clusters(reductions: Sequence[Reduction], judges: Mapping[str, Judge]) -> pd.DataFrame:
    """Label every network of every cluster.

    Columns: family, device, region, score, seed, architecture, acc, latency (ms), value (of the region's equation).
    """
    frames = []
    for reduction in reductions:
        panel = reduction.panel
        for score, region in reduction.spaces if panel.family in judges else ():
            codes = reduction.cluster(score, region).codes()
            labels = judges[panel.family](codes)
            frame = pd.DataFrame({"architecture": list(map(str, panel.split.train.space.from_codes(codes)))})
            frame = frame.assign(acc=labels["acc"], latency=labels[panel.latency])
            value = Target(panel.equations[region]).evaluate(labels)
            key = {"family": panel.family, "device": panel.device, "region": region, "score": score}
            frames.append(frame.assign(value=value, **key, seed=reduction.seed))
    columns = [*KEY, "architecture", "acc", "latency", "value"]
    return pd.concat(frames, ignore_index=True)[columns] if frames else pd.DataFrame(columns=columns)


def groups(frame: pd.DataFrame, names: list[str]) -> Iterator[tuple[tuple[Any, ...], pd.DataFrame]]:
    """Yield the values in the columns `names` and the rows that share them, in the order of their first rows."""
    for key, group in frame.groupby(names, sort=False):
        yield tuple(key), group


def judge_clusters(clusters: pd.DataFrame, frontiers: Frontiers, noisy: Frontiers) -> pd.DataFrame:
    """Compare every cluster with the training frontier of its panel, one row each.

    frontiers, noisy: see `training_frontiers`, without and with `noisy`.

    Columns: family, device, region, score, seed; networks; share, of networks that dominate a point of the region's
    frontier; noisy_share, the same with the frontier chosen on the table's labels; any_share, of networks that
    dominate any point of the frontier; new_share, of networks that no point of the frontier dominates, such as those
    beyond its ends; beaten, share of the region's points that a network dominates; gained, hypervolume that the
    cluster adds to the frontier's, as a fraction of it.
    """
    rows = []
    for key, cluster in groups(clusters, KEY):
        clean, seen = frontiers[key[:2]], noisy[key[:2]]
        points, region = costs(cluster, "acc", "latency"), clean.regions[key[2]]
        wins, noisy_wins = dominates(points, clean.points), dominates(points, seen.points[seen.regions[key[2]]])
        volume = clean.hypervolume(clean.points)
        gained = clean.hypervolume(np.concatenate([clean.points, points])) / volume - 1
        new = ~dominates(clean.points, points).any(0)
        rows.append((*key, len(points), wins[:, region].any(1).mean(), noisy_wins.any(1).mean(), wins.any(1).mean(),
                     new.mean(), wins[:, region].any(0).mean(), gained))  # fmt: skip
    return pd.DataFrame(rows, columns=[*KEY, "networks", *NUMBERS])


def at_budgets(clusters: pd.DataFrame, frontiers: Frontiers) -> pd.DataFrame:
    """Return the best accuracy within latency budgets: of the training table, of every cluster, of all of a score.

    Columns: family, device, score ("training" for the table), region ("all" for all clusters together), seed,
    quantile (of the frontier's latencies), budget (ms), acc (NaN where nothing is fast enough).
    """
    rows = []
    for names, frontier in frontiers.items():
        of_panel = clusters[(clusters["family"] == names[0]) & (clusters["device"] == names[1])]
        both = pd.concat([of_panel, of_panel.assign(region="all")])
        parts = [(("training", "all", -1), frontier.points)]
        parts += [(key, costs(c, "acc", "latency")) for key, c in groups(both, ["score", "region", "seed"])]
        for quantile in BUDGETS:
            budget = float(np.quantile(frontier.points[:, 0], quantile))
            rows += [(*names, *key, quantile, budget, best_within(points, budget))
                     for key, points in parts]  # fmt: skip
    columns = ["family", "device", "score", "region", "seed", "quantile", "budget", "acc"]
    return pd.DataFrame(rows, columns=columns)


# -------------------------------------------------------------------- the published predictors as judges


def compare_judges(
    reductions: Sequence[Reduction], judges: Mapping[str, Judge], others: Mapping[str, Judge]
) -> pd.DataFrame:
    """Judge every cluster by other labels too, such as the published predictors': one row each.

    Columns: family, device, region, score, seed; acc_difference, latency_difference, in the mean over the cluster's
    networks, other minus own; acc_mae, latency_mae, the same without sign; share and other_share, of networks that
    dominate a point of the region's frontier when all is labelled by one judge; and the network of highest value:
    architecture, acc, latency, other_acc, other_latency.
    """
    panels = list({_names(reduction): reduction.panel for reduction in reductions}.values())
    first, second = (evaluate_clusters(reductions, each) for each in (judges, others))
    shares = []
    for clusters, judge in ((first, judges), (second, others)):
        frontiers = training_frontiers(panels, training_labels(panels, judge))
        shares.append(judge_clusters(clusters, frontiers, frontiers).set_index(KEY)["share"].to_dict())
    joined = first.assign(other_acc=second["acc"], other_latency=second["latency"])
    rows = []
    for key, cluster in groups(joined, KEY):
        acc, latency = (cluster[f"other_{label}"] - cluster[label] for label in ("acc", "latency"))
        best = cluster.iloc[int(cluster["value"].argmax())]
        numbers = (acc.mean(), latency.mean(), acc.abs().mean(), latency.abs().mean())
        rows.append((*key, *numbers, *(share[key] for share in shares), *best[BEST]))
    columns = ["acc_difference", "latency_difference", "acc_mae", "latency_mae", "share", "other_share"]
    return pd.DataFrame(rows, columns=[*KEY, *columns, *BEST])


def committed_comparison() -> pd.DataFrame:
    """Return `compare_judges` of the standard profile with the published predictors as others, as it was committed."""
    return pd.read_csv(FILES / "built_networks.csv")
