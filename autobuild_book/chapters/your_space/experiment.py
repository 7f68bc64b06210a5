"""The tutorials on a space and an evaluator of one's own: perceptrons, trained again for comparisons at the end."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from autobuild_book.bundled import bundled_file
from autobuild_book.chapters.shared.measured_again import beside_committed
from autobuild_book.chapters.your_space import mlps
from autobuild_book.intervals import mean_with_interval
from autobuild_lib.progress import progress_bar
from autobuild_lib.spaces import Architecture


def train_again(choices: Mapping[str, Sequence[Architecture]], seeds: Iterable[int]) -> pd.DataFrame:
    """Train every network with every seed; return columns choice, architecture, seed, accuracy (on "final" images)."""
    jobs = [(name, network, seed) for name, networks in choices.items() for network in networks for seed in seeds]
    rows = [
        (name, str(network), seed, mlps.accuracy(mlps.train(network, seed), "final"))
        for name, network, seed in progress_bar(jobs, desc="training", unit="network", delay=2)
    ]
    return pd.DataFrame(rows, columns=["choice", "architecture", "seed", "accuracy"])


def measure_again(rows: int = 3) -> pd.DataFrame:
    """Make the first trainings behind the bundled table once more, see `measured_again.beside_committed`.

    The spread is the standard deviation between trainings of one perceptron, over all of the table.
    """
    committed = mlps.ROWS.read(bundled_file(mlps.NAME, f"{mlps.NAME}_rows.csv"))
    by_architecture = pd.DataFrame(committed).groupby("architecture")["accuracy"]
    spread = float(np.sqrt(by_architecture.var(ddof=1).mean()))
    pairs = []
    for row in committed[:rows]:
        accuracy = mlps.Job(mlps.mlp_space().parse(row.architecture), row.seed).run().accuracy
        pairs.append((f"accuracy of {row.architecture}, seed {row.seed}", accuracy, row.accuracy, spread))
    return beside_committed(pairs)


FEWEST_RUNS = 3  # two that happen to be alike would make an interval of no width


def gains(runs: pd.DataFrame) -> pd.DataFrame:
    """Compare each choice with the last one, seed by seed: columns choice, gain, low, high.

    The ends of the 95 % interval are NaN for fewer than `FEWEST_RUNS` seeds.

    Args:
        runs: from `train_again`.
    """
    by_seed = runs.pivot_table(index="seed", columns="choice", values="accuracy", sort=False)
    *built, last = by_seed.columns
    rows = [(choice, *mean_with_interval(np.asarray(by_seed[choice] - by_seed[last]))) for choice in built]
    table = pd.DataFrame(rows, columns=["choice", "gain", "low", "high"])
    return table if len(by_seed) >= FEWEST_RUNS else table.assign(low=np.nan, high=np.nan)


def in_words(gain: float, low: float, high: float) -> str:
    """Say how many points of accuracy a choice is ahead or behind, with the interval where there is one."""
    text = f"{abs(100 * gain):.1f} points {'ahead' if gain >= 0 else 'behind'}"
    if np.isnan(low):
        return f"{text} (too few runs for an interval)"
    return f"{text} (95 % interval {100 * low:+.1f} to {100 * high:+.1f})"
