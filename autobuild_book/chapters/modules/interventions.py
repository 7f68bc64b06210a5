"""What modules do, by intervention: put into the same random host networks, and labelled without noise."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from autobuild_book.chapters.modules.ranking import Corpora, Key
from autobuild_book.chapters.shared.frontiers import surrogate_judges
from autobuild_book.chapters.shared.hosts import Array, Bench
from autobuild_book.chapters.shared.panels import Panel
from autobuild_book.intervals import greater_than_zero, mean_with_interval
from autobuild_lib.spaces import SequenceSpace
from autobuild_lib.spaces.sequence import Codes

EFFECTS = [
    *Key._fields, "unit", "depth", "constant", "scale",
    "gain", "gain_low", "gain_high", "gain_p", "loss", "loss_low", "loss_high", "loss_p",
]  # fmt: skip


def draw_benches(panels: Sequence[Panel], corpora: Corpora, hosts: int, seed: int) -> dict[str, Bench]:
    """Return a bench for every family that has an evaluator, with the same global features as its corpora."""
    heads = {key.family: corpus.head for key, corpus in corpora.items()}
    spaces = {panel.family: panel.split.train.space for panel in panels}
    judges = surrogate_judges(panels)
    return {family: Bench.draw(spaces[family], judge, hosts, heads[family], seed) for family, judge in judges.items()}


# -------------------------------------------------------------------- best, random, worst


def intervene(benches: Mapping[str, Bench], extreme: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Measure what the best and the worst module of every unit and depth do, against random ones, in the same hosts.

    Every host gets a random module of its own, of that unit and depth. Columns: those of `Key`, unit, depth,
    `constant` (the score does not tell best from worst), `scale` (standard deviation of the target over the hosts),
    and in units of the target the mean paired differences `gain` (best minus random) and `loss` (random minus worst),
    with 95 % intervals over hosts and one-sided p-values. Units and depths of a single module are left out.
    """
    tables = [
        _intervene(bench, extreme[(extreme.family == family) & (extreme.modules > 1)], seed)
        for family, bench in benches.items()
    ]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=EFFECTS)


def _intervene(bench: Bench, extreme: pd.DataFrame, seed: int) -> pd.DataFrame:
    space = bench.space
    cells = list(dict.fromkeys(zip(extreme.unit, extreme.depth, strict=True)))
    modules = list(dict.fromkeys(zip(extreme.unit, extreme.module, strict=True)))
    random = [bench.with_modules(u, random_contents(space, u, d, len(bench.hosts), seed)) for u, d in cells]
    chosen = [bench.with_modules(u, _contents(space, u, [text])) for u, text in modules]
    labels = bench.label([bench.hosts, *random, *chosen])
    columns = ["unit", "depth", "seed", "score"]
    rows: list[tuple[object, ...]] = []
    for (family, target), ends_of_task in extreme.groupby(["family", "target"], sort=False):
        values = bench.values(str(target), labels)
        host, by_cell = values[0], dict(zip(cells, values[1:], strict=False))
        by_module = dict(zip(modules, values[1 + len(cells) :], strict=True))
        for (unit, depth, trained, kind), pair in ends_of_task.groupby(columns, sort=False):
            ends = pair.set_index("end")
            best, worst = (by_module[unit, ends.module[end]] for end in ("best", "worst"))
            constant = not ends.value["best"] > ends.value["worst"]
            where = (family, target, trained, kind, unit, depth, constant, host.std(ddof=1))
            drawn = by_cell[unit, depth]
            rows.append((*where, *_paired(best - drawn), *_paired(drawn - worst)))
    return pd.DataFrame(rows, columns=EFFECTS)


def _paired(differences: Array) -> tuple[float, float, float, float]:
    """Mean, the ends of its interval, and the p-value that it is above 0."""
    return *mean_with_interval(differences), greater_than_zero(differences)


def _contents(space: SequenceSpace, unit: int, texts: Sequence[str]) -> Codes:
    return space.scoring_groups[unit].parse(texts)


def random_contents(space: SequenceSpace, unit: int, depth: int, size: int, seed: int) -> Codes:
    """Draw contents of a scoring group with this many layers, uniformly, [size, bytes of its units]."""
    group = space.scoring_groups[unit]
    contents = group.contents()
    deep: Codes = contents[group.depths(contents).sum(1) == depth]
    return deep[np.random.default_rng([seed, 6, unit, depth]).integers(len(deep), size=size)]
