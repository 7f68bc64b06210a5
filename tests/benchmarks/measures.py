"""Measure one thing in the build that PYTHONPATH names: `python -P measures.py NAME` prints what it took, as JSON.

Only what all builds have is used, so that this file measures earlier ones as well. Without a name it prints all names.
"""

import functools
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import autobuild_lib as ab
from autobuild_book.chapters.ranking.rank_correlations import default_targets
from autobuild_book.chapters.shared.fits import FitJob, fit_jobs

FAMILIES = ("ofa_mbv3", "ofa_pn")
EPOCHS, IR_EPOCHS, PREDICTIONS, HOSTS = 10, 4, 50_000, 16
IR_SIZES = (1000, 2000, 4000)  # and all, 6,000
MANY_GRAPHS = 50_000


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock, and of the processor, those of processes that were started and ended included."""

    wall_s: float
    cpu_s: float

    @classmethod
    def now(cls) -> "Cost":
        """Seconds until now."""
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return cls(time.perf_counter(), time.process_time() + children.ru_utime + children.ru_stime)

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(self.wall_s - other.wall_s, self.cpu_s - other.cpu_s)


def cost(work: Callable[[], Any]) -> Cost:
    """Return what some work takes."""
    before = Cost.now()
    work()
    return Cost.now() - before


def least(work: Callable[[], Any], times: int = 3) -> Cost:
    """Return what some work takes at best, once whatever it compiles is compiled."""
    work()
    costs = [cost(work) for _ in range(times)]
    return min(costs, key=lambda each: each.wall_s)


def training(fit: Callable[[int], Any], epochs: int) -> Cost:
    """Return what `epochs` epochs take: a training of one epoch more, less one of one epoch."""
    fit(1)  # compiles what is compiled
    short = cost(lambda: fit(1))
    return cost(lambda: fit(epochs + 1)) - short


@functools.cache
def train_split(family: str) -> ab.data.Table:
    """The training rows of the book."""
    return ab.data.load(family).split(0.9, seed=12345)[0]


def eight_predictors(preset: str, in_processes: bool) -> Cost:
    """Train the predictors of experiment 1: a stack of four for each family."""

    def fit(epochs: int) -> None:
        jobs = [FitJob(train_split(f), tuple(default_targets()), 0, preset, (("epochs", epochs),)) for f in FAMILIES]
        if in_processes:
            fit_jobs(jobs, progress=False)
        else:
            for job in jobs:
                job.run()

    return training(fit, EPOCHS)


def one_predictor(preset: str) -> Cost:
    """Train a predictor of accuracy alone."""
    table = train_split("ofa_mbv3")
    fit = partial(ab.fit_many, table.space, table, ["acc"], 0, preset, False)
    return training(lambda epochs: fit(epochs=epochs), EPOCHS)


def bundled_graphs() -> Any:
    """Both families as op-level graphs: 6,000 of them."""
    return ab.data.ir_table([ab.data.load(family) for family in FAMILIES], progress=False)


def many_graphs() -> Any:
    """Random networks of both families, with random labels."""
    rng, tables = np.random.default_rng(0), []
    for family in FAMILIES:
        space = ab.data.load(family).space
        rows = [(a, {"acc": float(rng.random())}) for a in space.sample(rng, MANY_GRAPHS // len(FAMILIES))]
        tables.append(ab.data.from_records(space, rows))
    return ab.data.ir_table(tables, progress=False)


def ir_training(preset: str, size: int | None = None, graphs: Callable[[], Any] = bundled_graphs) -> Cost:
    """Train on some of the graphs (default: on all)."""
    whole = graphs()
    table = whole if size is None else whole.split(size / len(whole))[0]
    return training(lambda epochs: ab.fit_ir_many(table, ["acc"], 0, preset, False, epochs=epochs), IR_EPOCHS)


def ir_fit() -> Cost:
    """Train one epoch, what comes before and after it included."""
    table = bundled_graphs()
    return least(lambda: ab.fit_ir_many(table, ["acc"], 0, "paper", False, epochs=1))


def trained() -> ab.Predictor:
    """A predictor that has seen little: what it says takes as long."""
    table = train_split("ofa_mbv3")
    return ab.fit(table.space, table, "acc", epochs=1, progress=False)


def prediction() -> Cost:
    """Predict for a list of architectures."""
    predictor = trained()
    architectures = predictor.space.sample(np.random.default_rng(0), PREDICTIONS)
    return least(lambda: predictor.predict(architectures))


def scoring(**options: Any) -> Cost:
    """Score all contents of all units."""
    predictor = trained()
    return least(lambda: ab.score_units(predictor, progress=False, **options))


EIGHT, IR = f"{EPOCHS} epochs of eight predictors", f"{IR_EPOCHS} epochs of an IR predictor"
MEASURES: dict[str, Callable[[], Cost]] = {
    f"{EIGHT}, paper": partial(eight_predictors, "paper", True),
    f"{EIGHT}, tuned": partial(eight_predictors, "tuned", True),
    f"{EIGHT} in one process, paper": partial(eight_predictors, "paper", False),
    f"{EIGHT} in one process, tuned": partial(eight_predictors, "tuned", False),
    f"{EPOCHS} epochs of one predictor, paper": partial(one_predictor, "paper"),
    **{f"{IR}, paper, {size} graphs": partial(ir_training, "paper", size) for size in IR_SIZES},
    f"{IR}, paper, 6000 graphs": partial(ir_training, "paper"),
    f"{IR}, tuned, 6000 graphs": partial(ir_training, "tuned"),
    f"large: {IR}, paper, {MANY_GRAPHS} graphs": partial(ir_training, "paper", graphs=many_graphs),
    "fit of an IR predictor, 1 epoch, 6000 graphs": ir_fit,
    f"predictions, {PREDICTIONS} architectures": prediction,
    "norm scores, all contents": scoring,
    f"effect scores, all contents, {HOSTS} hosts": partial(scoring, score="effect", hosts=HOSTS),
}


def peak_mb() -> float:
    """Most memory that this process, or one that it started and that ended, has held."""
    unit = 1 if sys.platform == "darwin" else 1024  # bytes of the number that the system gives
    most = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return most * unit / 1e6


def main() -> None:
    """Print the names, or measure."""
    if len(sys.argv) == 1:
        print(json.dumps(list(MEASURES)))
        return
    assert Path(ab.__file__).is_relative_to(os.environ["PYTHONPATH"]), f"{ab.__file__} is another build"
    spent = MEASURES[sys.argv[1]]()
    print(json.dumps({"wall_s": spent.wall_s, "cpu_s": spent.cpu_s, "peak_mb": peak_mb()}))


if __name__ == "__main__":
    main()
