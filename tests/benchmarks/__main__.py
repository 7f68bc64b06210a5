"""Run the benchmarks: `make bench`; `python -m tests.benchmarks --epochs 200` trains the paper preset to its end."""

import argparse
import json
import os
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch_geometric.loader import DataLoader

import autobuild_lib as ab
from autobuild_book.chapters.ranking.rank_correlations import default_targets
from autobuild_book.chapters.shared.fits import FitJob, fit_jobs
from tests.benchmarks.graf import graf_of_graphs, graf_of_sequences
from tests.benchmarks.ir import SIZES, ir_training
from tests.benchmarks.modules import best_networks, effect_scores, norm_scores
from tests.benchmarks.networks import counts, op_graphs
from tests.benchmarks.plain import PlainPredictor, plain_data, train_plain
from tests.benchmarks.timing import timed

FAMILIES = ("ofa_mbv3", "ofa_pn")


def training(epochs: int) -> dict[str, Any]:
    """The eight predictors of experiment 1, with the paper preset: stacked in two processes, or one at a time."""
    tables = [ab.data.load(family).split(0.9, seed=12345)[0] for family in FAMILIES]
    targets = tuple(default_targets())
    jobs = [FitJob(table, targets, overrides=(("epochs", epochs),)) for table in tables]
    ours = timed(lambda: fit_jobs(jobs, progress=False))

    def plain() -> None:
        for table in tables:
            for target in targets:
                y = torch.tensor(table.labels[target].to_numpy(), dtype=torch.float32)
                data = plain_data(table.space, list(table.architectures), (y - y.mean()) / y.std())
                train_plain(table.space, data, epochs)

    return {"name": f"train eight predictors, {epochs} epochs", "ours_s": ours, "baseline_s": timed(plain)}


def prediction(size: int) -> dict[str, Any]:
    """Predictions for a list of architectures, encoding included: all at once, or through a DataLoader."""
    space = ab.spaces.ofa_mbv3()
    table = ab.data.load("ofa_mbv3").split(0.9, seed=12345)[0]
    predictor = ab.fit(space, table, "acc", epochs=1)
    architectures = space.sample(np.random.default_rng(0), size)
    predictor.predict(architectures[:2000])
    ours = timed(lambda: predictor.predict(architectures))
    model = PlainPredictor(space).eval()

    def plain() -> None:
        data = plain_data(space, architectures, torch.zeros(size))
        with torch.inference_mode():
            for batch in DataLoader(data, batch_size=512):
                model(batch)

    result = {"name": f"predict {size:,} architectures", "ours_s": ours, "baseline_s": timed(plain)}
    return result | {"ours_per_s": round(size / ours)}


def main() -> None:
    """Run every benchmark, print the ratios, and write them."""
    parser = argparse.ArgumentParser("tests.benchmarks", description=__doc__)
    parser.add_argument("--epochs", type=int, default=40, help="of the training benchmark (default: 40)")
    parser.add_argument("--size", type=int, default=50_000, help="of the prediction benchmark (default: 50,000)")
    parser.add_argument("--out", type=Path, default=Path("artifacts/benchmarks.json"))
    given = parser.parse_args()
    torch.set_num_threads(os.cpu_count() or 1)
    results = []
    epochs_of_ir = [partial(ir_training, size) for size in SIZES]
    for run in (
        lambda: prediction(given.size),
        counts,
        op_graphs,
        graf_of_graphs,
        graf_of_sequences,
        norm_scores,
        effect_scores,
        best_networks,
        *epochs_of_ir,
        lambda: training(given.epochs),
    ):
        result = run()
        result["ratio"] = result["baseline_s"] / result["ours_s"]
        results.append(result)
        print("{name}: ours {ours_s:.3g} s, plain {baseline_s:.3g} s, {ratio:.1f} times faster".format(**result))
        if "ours_per_s" in result:
            print(f"  ours for many: {result['ours_per_s']:,} a second")
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
