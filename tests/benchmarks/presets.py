"""How the tuned preset was chosen: candidates compared on validation rows taken out of the training split.

Run `python -m tests.benchmarks.presets` (about 3 minutes on 2 cores). The test rows are never looked at.
"""

import argparse

import pandas as pd

import autobuild_lib as ab
from autobuild_book.chapters.ranking.rank_correlations import default_targets
from autobuild_book.chapters.shared.fits import FitJob, fit_jobs
from autobuild_book.chapters.shared.ridge import AdditiveRidge
from autobuild_lib.statistics import srcc

GRAPHCONV = {"convolution": "graphconv", "pooling": "mean", "learning_rate": 3e-3, "weight_decay": 1e-5}
SUM = {**GRAPHCONV, "pooling": "sum", "learning_rate": 1e-2}
CANDIDATES = {
    "GATv2, mean, 3e-3": {"convolution": "gatv2", "pooling": "mean", "learning_rate": 3e-3, "weight_decay": 1e-5},
    "GATv2, mean, 1e-2": {"convolution": "gatv2", "pooling": "mean", "learning_rate": 1e-2, "weight_decay": 1e-5},
    "GraphConv, mean, 3e-3": GRAPHCONV,
    "GraphConv, mean, 1e-2": {**GRAPHCONV, "learning_rate": 1e-2},
    "GraphConv, sum, 1e-2": SUM,
    "GraphConv, sum, 1e-2, decay 0.3": {**SUM, "weight_decay": 0.3},
    "GraphConv, sum, 1e-2, decay 1": {**SUM, "weight_decay": 1.0},
    "GraphConv, sum, 1e-2, width 64": {**SUM, "width": 64},
    "GraphConv, sum, 1e-2, 20 epochs": {**SUM, "epochs": 20},
}


def compare(folds: int = 1) -> pd.DataFrame:
    """SRCC of the head on validation rows: a row per candidate (and ridge, and ceiling), a column per task."""
    targets, rows = tuple(default_targets()), []
    splits = []
    for family in ("ofa_mbv3", "ofa_pn"):
        train, _ = ab.data.load(family).split(0.9, seed=12345)
        splits += [(family, *train.split(0.85, seed=fold)) for fold in range(folds)]
    jobs = [
        (name, family, held_out, FitJob(train, targets, seed, "tuned", tuple(sorted(options.items()))))
        for name, options in CANDIDATES.items()
        for seed, (family, train, held_out) in enumerate(splits)
    ]
    for (name, family, held_out, _), trained in zip(jobs, fit_jobs([job for *_, job in jobs]), strict=True):
        for one in trained:
            truth = held_out.labels[one.target].to_numpy()
            rows.append((name, family, one.target, srcc(one.predict(held_out.architectures), truth)))
    for family, train, held_out in splits:
        for target in targets:
            truth, free = held_out.labels[target].to_numpy(), held_out.noise_free
            ridge = AdditiveRidge(train.space).fit(train.architectures, train.labels[target].to_numpy())
            rows.append(("additive ridge", family, target, srcc(ridge.predict(held_out.architectures), truth)))
            if free is not None:
                rows.append(("noise ceiling", family, target, srcc(free[target].to_numpy(), truth)))
    frame = pd.DataFrame(rows, columns=["candidate", "family", "target", "srcc"])
    frame["task"] = frame.family.str.removeprefix("ofa_") + " " + frame.target.str.removeprefix("latency_")
    table = frame.pivot_table(index="candidate", columns="task", values="srcc")
    return table.assign(mean=table.mean(axis=1)).sort_values("mean")


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser("tests.benchmarks.presets", description=__doc__)
    parser.add_argument("--folds", type=int, default=1, help="validation splits per family (default: 1)")
    print(compare(parser.parse_args().folds).to_string(float_format="{:.4f}".format))


if __name__ == "__main__":
    main()
