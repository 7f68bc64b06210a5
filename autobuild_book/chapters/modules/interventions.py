"""What modules do, by intervention: put into the same random host networks, and labelled without noise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_book.chapters.modules.ranking import Corpora, Key
from autobuild_book.chapters.shared.frontiers import Judge, surrogate_judges
from autobuild_book.chapters.shared.panels import Panel
from autobuild_lib.processes import in_threads
from autobuild_lib.reduced import group_codes, parse_group
from autobuild_lib.spaces import SequenceSpace
from autobuild_lib.spaces.sequence import Codes
from autobuild_lib.statistics import greater_than_zero, mean_with_interval
from autobuild_lib.targets import Target

Array = npt.NDArray[np.float64]
PART = 256  # architectures labelled at once: small enough for the processor's cache
EFFECTS = [
    *Key._fields, "unit", "depth", "constant", "scale",
    "gain", "gain_low", "gain_high", "gain_p", "loss", "loss_low", "loss_high", "loss_p",
]  # fmt: skip


@dataclass(frozen=True, eq=False)
class Bench:
    """Random host networks of one family, and what labels them.

    judge: labels architectures given by their codes. hosts: codes [hosts, code_width], which no score has seen.
    """

    space: SequenceSpace
    judge: Judge
    hosts: Codes

    @classmethod
    def draw(cls, space: SequenceSpace, judge: Judge, hosts: int, head: bytes, seed: int) -> "Bench":
        """Draw hosts with the global features of `head`."""
        drawn = space.sample_codes(np.random.default_rng([seed, 3]), hosts)
        drawn[:, : len(head)] = np.frombuffer(head, np.uint8)
        return cls(space, judge, drawn)

    def first(self, hosts: int) -> "Bench":
        """Return a bench with the first of these hosts."""
        return Bench(self.space, self.judge, self.hosts[:hosts])

    def with_modules(self, unit: int, contents: Codes) -> Codes:
        """Put contents [hosts, width] of a scoring group into the hosts, one each; [1, width] goes into all."""
        units, codes = self.space.scoring_groups[unit], self.hosts.copy()
        codes[:, self.space.codecs[units[0]].start : self.space.codecs[units[-1]].end] = contents
        return codes

    def label(self, placed: Sequence[Codes]) -> pd.DataFrame:
        """Label networks [hosts, code_width], a batch per module: modules x hosts rows."""
        codes = np.concatenate(placed)
        parts = [codes[start : start + PART] for start in range(0, len(codes), PART)]
        return pd.concat(in_threads(self.judge, parts, "measuring"), ignore_index=True)

    def values(self, target: str, labels: pd.DataFrame) -> Array:
        """Evaluate a target on labels of modules x hosts rows, [modules, hosts]."""
        return Target(target).evaluate(labels).reshape(-1, len(self.hosts))


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
    random = [bench.with_modules(u, _random_contents(space, u, d, len(bench.hosts), seed)) for u, d in cells]
    chosen = [bench.with_modules(u, _contents(space, u, [text])) for u, text in modules]
    labels = bench.label([bench.hosts, *random, *chosen])
    columns = ["unit", "depth", "seed", "score"]
    rows: list[tuple[object, ...]] = []
    for (family, target), own in extreme.groupby(["family", "target"], sort=False):
        values = bench.values(str(target), labels)
        host, by_cell = values[0], dict(zip(cells, values[1:], strict=False))
        by_module = dict(zip(modules, values[1 + len(cells) :], strict=True))
        for (unit, depth, trained, kind), pair in own.groupby(columns, sort=False):
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
    rows = [parse_group(space, space.scoring_groups[unit], text) for text in texts]
    return np.frombuffer(b"".join(rows), np.uint8).reshape(len(rows), -1)


def _random_contents(space: SequenceSpace, unit: int, depth: int, size: int, seed: int) -> Codes:
    units = space.scoring_groups[unit]
    codes = group_codes(space, units)
    places = [space.codecs[u].start - space.codecs[units[0]].start for u in units]
    own = codes[codes[:, places].sum(1, dtype=np.int64) == depth]
    drawn: Codes = own[np.random.default_rng([seed, 6, unit, depth]).integers(len(own), size=size)]
    return drawn
