"""Experiment 1: how well the norms of the graph embeddings rank architectures at every hop (claim C1)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from autobuild_book.chapters.shared.fits import FitJob, fit_jobs
from autobuild_book.chapters.shared.ridge import AdditiveRidge
from autobuild_book.chapters.shared.splits import Split, subset
from autobuild_book.measured.teachers import published
from autobuild_lib.data.table import Table
from autobuild_lib.evaluation import evaluate
from autobuild_lib.predictor import Predictor
from autobuild_lib.statistics import srcc
from autobuild_lib.surrogate import LABELS
from autobuild_lib.targets import Target


def compare_presets(
    splits: Sequence[Split],
    seeds: Mapping[str, Sequence[int]],
    folder: Path,
    overrides: Mapping[str, Mapping[str, Any]],
) -> pd.DataFrame:
    """Train every preset with its seeds; return one row per family, target, preset, seed and level.

    Levels are "hop 0", ..., "head"; `srcc` is on the test rows, with its interval over those rows; the head has `mae`.
    """
    jobs = [
        (split, _job(split, preset, seed, overrides.get(preset, {})))
        for preset, chosen in seeds.items()
        for seed in chosen
        for split in splits
    ]
    rows = []
    for (split, job), trained in zip(jobs, fit_jobs([job for _, job in jobs], folder), strict=True):
        for predictor in trained:
            report = evaluate(predictor, split.test).rename_axis("level").reset_index()
            rows.append(report.assign(family=split.family, target=predictor.target, preset=job.preset, seed=job.seed))
    order = ["family", "target", "preset", "seed", "level", "srcc", "low", "high", "mae"]
    return pd.concat(rows, ignore_index=True)[order]


def train_split(split: Split, preset: str, seed: int, folder: Path, overrides: Mapping[str, Any]) -> list[Predictor]:
    """Train one predictor per target of a split; those that `compare_presets` has left in `folder` are read."""
    return _job(split, preset, seed, overrides).run(folder)


def _job(split: Split, preset: str, seed: int, overrides: Mapping[str, Any]) -> FitJob[Table]:
    return FitJob(split.train, split.targets, seed, preset, tuple(sorted(overrides.items())))


def reference_lines(splits: Sequence[Split]) -> pd.DataFrame:
    """Per task: the noise ceiling (where noise-free labels are known), the additive ridge, the published checkpoint.

    The ceiling is the SRCC of noise-free with noisy labels on the test rows. The published number is what the authors'
    checkpoint states about itself on real measurements: other data, shown for orientation.
    """
    rows = []
    for split in splits:
        for text in split.targets:
            target = Target(text)
            train, test = target.evaluate(split.train.labels), target.evaluate(split.test.labels)
            ridge = AdditiveRidge(split.train.space).fit(split.train.architectures, train)
            rows.append(
                {
                    "family": split.family,
                    "target": str(target),
                    "ceiling": _ceiling(split.test, target),
                    "ridge": srcc(ridge.predict(split.test.architectures), test),
                    "published": published().get(split.family, {}).get(text, {}).get("srcc", float("nan")),
                }
            )
    return pd.DataFrame(rows)


def _ceiling(test: Table, target: Target) -> float:
    if test.noise_free is None or not set(target.labels) <= set(test.noise_free):
        return float("nan")
    return srcc(target.evaluate(test.noise_free), target.evaluate(test.labels))


def learning_curve(
    splits: Sequence[Split], sizes: Sequence[int], seeds: Sequence[int], folder: Path, overrides: Mapping[str, Any]
) -> pd.DataFrame:
    """SRCC on the test rows against the number of training architectures: head of the tuned preset, additive ridge.

    The seed chooses the training architectures as well as the initial weights.
    """
    options = tuple(sorted(overrides.items()))
    jobs = [
        (split, FitJob(subset(split.train, size, seed), split.targets, seed, "tuned", options))
        for seed in seeds
        for split in splits
        for size in sorted({min(size, len(split.train)) for size in sizes}, reverse=True)
    ]
    rows = []
    for (split, job), trained in zip(jobs, fit_jobs([job for _, job in jobs], folder), strict=True):
        for predictor in trained:
            target = Target(predictor.target)
            truth = target.evaluate(split.test.labels)
            ridge = AdditiveRidge(job.table.space).fit(job.table.architectures, target.evaluate(job.table.labels))
            for model in (predictor, ridge):
                name = "AutoBuild head" if model is predictor else "additive ridge"
                quality = srcc(model.predict(split.test.architectures), truth)
                rows.append((split.family, predictor.target, len(job.table), job.seed, name, quality))
    frame = pd.DataFrame(rows, columns=["family", "target", "size", "seed", "model", "srcc"])
    return frame.sort_values(["family", "target", "model", "size", "seed"], ignore_index=True)


def leads_by_size(curve: pd.DataFrame) -> str:
    """Say for each size of `learning_curve` in how many tasks the head leads the ridge (means over seeds)."""
    means = curve.pivot_table("srcc", ["family", "target", "size"], "model", dropna=False)
    ahead = (means["AutoBuild head"] > means["additive ridge"]).groupby("size")
    return ", ".join(f"{leads.sum()} of {len(leads)} with {size:,}" for size, leads in ahead)


def heads_by_preset(table: pd.DataFrame) -> pd.DataFrame:
    """Return `compare_table` for a page: a row per task, the head of each preset with its interval, rounded."""
    heads = table.pivot(index=["family", "target"], columns="preset", values=["head", "low", "high"])
    return heads.swaplevel(axis=1).sort_index(axis=1, level=0, sort_remaining=False).round(3)


def default_targets() -> list[str]:
    """Return the four labels of the paper's experiment."""
    return list(LABELS)


def compare_table(summary: pd.DataFrame, references: pd.DataFrame) -> pd.DataFrame:
    """Return the mean SRCC of head and last hop per task and preset, beside ceiling, ridge and published number."""
    last = [level for level in summary.level.unique() if level != "head"][-1]
    head = summary[summary.level == "head"].drop(columns="level")
    hop = summary[summary.level == last][["family", "target", "preset", "srcc"]].rename(columns={"srcc": last})
    table = head.rename(columns={"srcc": "head"}).merge(hop).merge(references, on=["family", "target"])
    columns = ["family", "target", "preset", "head", "low", "high", "interval", "seeds", last]
    return table[[*columns, "ceiling", "ridge", "published"]]
