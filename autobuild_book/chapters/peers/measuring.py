"""Measuring all models of the registry: a plan of runs, what it will cost, and a command that can be stopped."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from autobuild_book.chapters.peers.contests import CONTESTS, Contest, field_of, sizes_of
from autobuild_book.chapters.shared.judging import quality
from autobuild_book.chapters.shared.models.registry import (
    EMBEDDED,
    ENSEMBLE,
    EXTENDED,
    FEW,
    GAUSSIAN,
    MODELS,
    NEIGHBOURS,
    PAPER,
    RANK_FOREST,
    RIDGE,
    TUNED,
    find_model,
)
from autobuild_book.chapters.shared.splits import subset
from autobuild_book.measured.parts import key_of, rows_of
from autobuild_book.parallel import in_processes
from autobuild_lib.data.files import FILES
from autobuild_lib.spaces import SequenceSpace
from autobuild_lib.targets import Target

SIZES = (25, 50, 100, 200, 400, 1000, 2700)
SEEDS = range(5)
RESULTS = ["contest", "target", "model", "size", "seed", "srcc", "recall", "regret", "fit_seconds", "predict_seconds"]
COLUMNS = [*RESULTS, "draw"]
BUNDLED_ROWS = FILES / "peers.csv"


@dataclass(frozen=True)
class Effort:
    """Seconds on one core for four targets, without rows and for every thousand rows; estimates rest on them."""

    start: float
    per_thousand: float

    def seconds(self, size: int, targets: int) -> float:
        """Estimate one run."""
        return (self.start + self.per_thousand * size / 1000) * targets / 4


EFFORTS: dict[str, Effort] = {
    PAPER.name: Effort(2.5, 20),
    TUNED.name: Effort(0.5, 8),
    FEW.name: Effort(8, 1),
    RIDGE.name: Effort(0.1, 0.2),
    NEIGHBOURS.name: Effort(0.05, 0.01),
    GAUSSIAN.name: Effort(0.2, 1.2),
    "forest: one-hot": Effort(0.4, 0.8),
    "forest: GRAF": Effort(0.8, 3),
    "forest: one-hot + GRAF": Effort(0.9, 3.5),
    "boosting: one-hot": Effort(0.3, 0.5),
    "boosting: GRAF": Effort(0.6, 1),
    "boosting: one-hot + GRAF": Effort(0.7, 1.2),
    EMBEDDED.name: Effort(1.5, 11),
    EXTENDED.name: Effort(3, 14),
    ENSEMBLE.name: Effort(1, 55),
    RANK_FOREST.name: Effort(0.8, 3),
}
WITH_PROXIES = Effort(1, 3)  # models that use proxies


@dataclass(frozen=True)
class PeerJob:
    """One model on one training subset: all targets of a contest."""

    contest: Contest
    model: str
    size: int
    seed: int
    space: SequenceSpace | None = None

    @property
    def estimate(self) -> float:
        """Seconds on one core, roughly."""
        return EFFORTS.get(self.model, WITH_PROXIES).seconds(self.size, len(self.contest.targets))

    @property
    def key(self) -> str:
        """A name for everything that the result depends on but code: rows, model and its configuration."""
        field = field_of(self.contest, self.seed, self.space)
        facts = [repr(self.contest), repr(find_model(self.model)), self.size, self.seed, field.train.sha256]
        facts.append([] if field.proxies is None else field.proxies.to_csv())
        return key_of(*facts)

    def run(self, folder: Path | None = None) -> pd.DataFrame:
        """Return a row per target; with a `folder`, keep them there and take what is kept already."""
        draw = field_of(self.contest, self.seed, self.space).draw(self.size, self.seed)
        return rows_of(self, folder).assign(draw=draw)

    def measure(self) -> pd.DataFrame:
        """Return a row per target, without what `run` adds."""
        field, targets = field_of(self.contest, self.seed, self.space), self.contest.targets
        train, model = subset(field.train, self.size, self.seed), find_model(self.model)
        started = time.process_time()
        fitted = model.fit_many(train, targets, self.seed, field.proxies)
        fit_seconds = (time.process_time() - started) / len(targets)
        rows = []
        for text, predictor in zip(targets, fitted, strict=True):
            started = time.process_time()
            predicted = predictor.predict(field.test.architectures)
            seconds = round(time.process_time() - started, 4)
            scores = quality(predicted, Target(text).evaluate(field.test.labels), text in self.contest.lower)
            key = (self.contest.name, text, self.model, len(train), self.seed)
            rows.append((*key, *scores.values(), round(fit_seconds, 4), seconds))
        return pd.DataFrame(rows, columns=RESULTS)


def plan(
    contests: Sequence[Contest],
    sizes: Sequence[int] = SIZES,
    seeds: Sequence[int] = SEEDS,
    models: Iterable[str] = tuple(MODELS),
    space: SequenceSpace | None = None,
) -> list[PeerJob]:
    """Return the runs of a comparison, the longest first.

    Models that need proxies run where there are some.
    """
    jobs = [
        PeerJob(contest, name, size, seed, space)
        for contest in contests
        for size in sizes_of(contest, sizes, space)
        for name in models
        if contest.proxies or not find_model(name).needs_proxies
        for seed in seeds
    ]
    return sorted(jobs, key=lambda job: -job.estimate)


def describe(jobs: Sequence[PeerJob]) -> str:
    """Say what a plan will cost."""
    by_model: dict[str, float] = {}
    for job in jobs:
        by_model[job.model] = by_model.get(job.model, 0.0) + job.estimate / 60
    parts = ", ".join(f"{name} {minutes:.1f}" for name, minutes in sorted(by_model.items(), key=lambda part: -part[1]))
    return f"{len(jobs):,} runs, about {sum(by_model.values()):.0f} minutes on one core ({parts})"


def run_all(
    jobs: Sequence[PeerJob], folder: Path | None = None, workers: int | None = None, progress: bool = True
) -> pd.DataFrame:
    """Run all, in processes of one thread each, and return their rows in a fixed order.

    With a `folder`, finished runs are kept there, and a later call, also after a kill, takes them from there.
    """
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    frames = in_processes(PeerJob.run, [(job, folder) for job in jobs], "models", workers, progress)
    return in_order(pd.concat(frames, ignore_index=True))


def in_order(rows: pd.DataFrame) -> pd.DataFrame:
    """Sort rows by contest, target, model, size and seed; contests and models in the order of their registries."""
    contests = {contest.name: place for place, contest in enumerate(CONTESTS)}
    models = {name: place for place, name in enumerate(MODELS)}
    places = rows.assign(contest_place=rows["contest"].map(contests), model_place=rows["model"].map(models))
    keys = ["contest_place", "contest", "target", "model_place", "size", "seed"]
    return places.sort_values(keys, kind="stable", ignore_index=True)[COLUMNS]


def bundled_rows(contests: Sequence[Contest]) -> pd.DataFrame:
    """Return the rows of these contests and targets that `autobuild peers measure` wrote for the library."""
    rows = pd.read_csv(BUNDLED_ROWS)
    pairs = {(contest.name, target) for contest in contests for target in contest.targets}
    chosen = [key in pairs for key in zip(rows["contest"], rows["target"], strict=True)]
    return rows[chosen].reset_index(drop=True)
