"""Measuring networks on the machine at hand: interleaved rounds of any `measure(architecture)`, safe against kills."""

import hashlib
import json
import logging
import time
import timeit
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
import torch

from autobuild_book.measured.tasks import machine
from autobuild_lib.networks import blueprint, build
from autobuild_lib.progress import progress_bar
from autobuild_lib.search import EvaluationLog, Evaluator
from autobuild_lib.search.evaluation import Evaluations, as_table
from autobuild_lib.search.identity import UnknownIdentityError, identity
from autobuild_lib.spaces import Architecture
from autobuild_lib.torch_settings import one_thread

logger = logging.getLogger(__name__)
Measure: TypeAlias = Callable[[Architecture], float]
FORMATS = {"channels_last": torch.channels_last, "contiguous": torch.contiguous_format}


@dataclass(frozen=True)
class LatencyMeter:
    """Milliseconds that a real network takes for one image on one thread, as `measure(architecture)`.

    Every call builds the network, runs it `warm_up` times without looking, times it `calls` times, returns the median
    and drops the network. The weights are random: the time does not depend on them. The default clock is the processor
    time of the thread, which on a machine at rest is the time on the wall, and leaves out what other programs take.
    Raises `ValueError` for an unknown memory format and for counts that cannot be, `SpaceError` for architectures
    without networks.
    """

    memory_format: str = "channels_last"
    warm_up: int = 2
    calls: int = 5
    clock: Callable[[], float] = field(default=time.thread_time, repr=False)  # seconds

    def __post_init__(self) -> None:
        if self.memory_format not in FORMATS:
            raise ValueError(f"memory_format={self.memory_format!r}; choose from {', '.join(FORMATS)}")
        if self.warm_up < 0 or self.calls < 1:
            raise ValueError(f"warm_up={self.warm_up}, calls={self.calls}; allowed are 0 and 1 or more")

    def __call__(self, architecture: Architecture) -> float:
        """Return the median time of one forward pass, in ms."""
        layout = FORMATS[self.memory_format]
        with one_thread(), torch.inference_mode(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            network = build(architecture).eval().to(memory_format=layout)  # type: ignore[call-overload]
            side = blueprint(architecture).resolution
            image = torch.randn(1, 3, side, side).to(memory_format=layout)
            timer = timeit.Timer(lambda: network(image), timer=self.clock)  # holds the garbage collector off
            seconds = timer.repeat(self.warm_up + self.calls, number=1)[self.warm_up :]
        return float(np.median(seconds)) * 1000


def measure_rounds(
    architectures: Sequence[Architecture],
    measure: Measure,
    rounds: int,
    folder: Path | None = None,
    label: str = "latency",
    seed: int = 0,
    progress: bool = True,
    key: str = "",
) -> pd.DataFrame:
    """Measure every architecture once per round; return columns architecture, round (from 1) and `label`.

    Each round visits all of them in an order of its own, so that what changes slowly (heat, other programs) falls on
    all alike. A measurement that fails is logged and left without a number (NaN).

    Args:
        architectures: different architectures of one space.
        measure: returns one number for an architecture, for example a `LatencyMeter`.
        rounds: how often each is visited.
        folder: for the logs, one per round; a later call for the same architectures and measure, on the same machine,
            takes finished measurements from there, also after a kill. The measure is the same when nothing that its
            numbers depend on has changed (`identity`); where that cannot be known, nothing is kept, with a warning.
        label: name of the number.
        seed: of the orders.
        progress: show a bar with the time left.
        key: stands for the measure instead: give another one whenever the measure changes.

    Raises:
        ValueError: for no rounds, or for architectures that are not there or there twice.
    """
    if rounds < 1 or not architectures or len(set(architectures)) < len(architectures):
        request = f"{rounds} rounds over {len(architectures)} architectures, {len(set(architectures))} different ones"
        raise ValueError(f"cannot measure {request}; needed are 1 or more rounds, and different architectures")
    place = None if folder is None else _place(folder, label, measure, key, architectures)
    evaluator, frames = _evaluator(measure, label), []
    with progress_bar(total=rounds * len(architectures), desc="measuring", unit="network", disable=not progress) as bar:
        for number in range(1, rounds + 1):
            path = None if place is None else place / f"seed-{seed}-round-{number}.jsonl"
            order = np.random.default_rng([seed, number]).permutation(len(architectures))
            with Evaluations(evaluator, EvaluationLog(path, architectures[0].space), workers=0) as evaluations:
                done = evaluations.run([architectures[i] for i in order], bar)
            frames.append(as_table([done[i] for i in np.argsort(order)]).assign(round=number))
    return pd.concat(frames, ignore_index=True).reindex(columns=["architecture", "round", label])


def _evaluator(measure: Measure, label: str) -> Evaluator:
    def evaluate(architectures: list[Architecture], /) -> pd.DataFrame:
        return pd.DataFrame({label: [measure(architecture) for architecture in architectures]})

    return evaluate


def _place(folder: Path, label: str, measure: Measure, key: str, architectures: Sequence[Architecture]) -> Path | None:
    """Return a folder for the logs, the same only for the same measure, architectures and machine; None: no logs."""
    try:
        subject = f"key {key}" if key else identity(measure)
    except UnknownIdentityError as error:
        logger.warning("no measurement is kept, for what they depend on cannot be known: %s; measure_rounds(..., key=) "
                       "takes a text that stands for it", error)  # fmt: skip
        return None
    digest = hashlib.sha256(json.dumps([subject, machine(), *sorted(map(str, architectures))]).encode())
    place = folder / f"{label}-{digest.hexdigest()[:16]}"
    place.mkdir(parents=True, exist_ok=True)
    return place


def complete(rounds: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of architectures that have a number in every round; the others are left out, with a warning.

    Args:
        rounds: from `measure_rounds`.

    Raises:
        ValueError: when none is left.
    """
    failed = rounds.loc[rounds.iloc[:, -1].isna(), "architecture"].unique()
    if len(failed):
        logger.warning("%d of %d architectures could not be measured", len(failed), rounds["architecture"].nunique())
    kept = rounds[~rounds["architecture"].isin(failed)]
    if kept.empty:
        raise ValueError(f"no architecture has {rounds.columns[-1]!r} in every round; the log tells why")
    return kept.reset_index(drop=True)


def medians(rounds: pd.DataFrame) -> pd.DataFrame:
    """Return the median over rounds of each architecture, in their order: columns architecture and label."""
    label = str(rounds.columns[-1])
    return rounds.groupby("architecture", sort=False)[label].median().reset_index()
