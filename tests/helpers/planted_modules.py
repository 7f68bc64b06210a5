"""A small space whose modules are worth what their layers are, and corpora that plant a score."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

import autobuild_lib as ab
from autobuild_book.chapters.modules import interventions
from autobuild_book.chapters.modules.ranking import Key
from autobuild_book.chapters.shared.panels import Panel
from autobuild_book.chapters.shared.splits import Split
from autobuild_lib.units.corpus import ScoredGroup, UnitCorpus

WORTH = {f"{op}_{k}": 1.0 + 3 * i + j for i, op in enumerate("abc") for j, k in enumerate("xyz")}  # 1 ... 9
Score = Callable[[int, str], float]


@functools.cache
def space() -> ab.SequenceSpace:
    """Two units of one or two layers, nine layers to choose from: 90 contents of each unit."""
    return ab.SequenceSpace("small", [ab.Unit(1, 2), ab.Unit(1, 2)], {"op": list("abc"), "k": list("xyz")})


def corpus(score: Score, over: ab.SequenceSpace | None = None) -> UnitCorpus:
    """Every content of every unit, scored by its unit and text."""
    own, groups = over or space(), []
    for number, group in enumerate(own.scoring_groups):
        codes = group.contents()
        scores = np.array([score(number, text) for text in group.texts(codes)])
        groups.append(ScoredGroup(codes, scores, np.full(len(codes), np.nan), np.full(len(codes), np.nan)))
    return UnitCorpus(own, "y", "planted", "none", b"", tuple(groups))


def worth(unit: int, module: str) -> float:
    """What the layers of a module are worth in all; the second unit counts double."""
    return (1 + unit) * sum(WORTH[layer] for layer in module.split(","))


def key(score: str = "norm", target: str = "y", seed: int = 0) -> Key:
    return Key("small", target, seed, score)


def panel(**equations: str) -> Panel:
    return Panel(Split(table(), table(), tuple(equations.values())), "", equations)


@functools.cache
def table() -> ab.data.Table:
    drawn = list(dict.fromkeys(space().sample(np.random.default_rng(1), 300)))[:200]
    return ab.data.from_records(space(), [(a, dict(zip("yz", label(a), strict=True))) for a in drawn])


def label(architecture: ab.Architecture) -> tuple[float, float]:
    """`y` adds the worth of both units; `z` falls with it."""
    total = sum(worth(unit, text) for unit, text in enumerate(str(architecture).split("|")))
    return total, -(total**3)


def judge(codes: Any) -> pd.DataFrame:
    return pd.DataFrame([label(a) for a in space().from_codes(codes)], columns=["y", "z"])


def bench(hosts: int = 24) -> interventions.Bench:
    return interventions.Bench.draw(space(), judge, hosts, b"", seed=3)
