"""How the tuned preset of IR predictors was chosen: candidates compared on rows taken out of the training split.

Run `python -m tests.benchmarks.ir_presets` (about 5 minutes a fold). The test rows are never looked at.
"""

import argparse
import time

import pandas as pd
from tqdm import tqdm

import autobuild_lib as ab
from autobuild_lib.statistics import srcc

FAST = {"schedule": "one_cycle", "learning_rate": 3e-3, "epochs": 20, "batch_size": 128, "weight_decay": 1e-5}
CANDIDATES = {
    "GATv2, 3e-3": FAST,
    "GATv2, 1e-2": {**FAST, "learning_rate": 1e-2},
    "GATv2, 3e-2": {**FAST, "learning_rate": 3e-2},
    "GATv2, 1e-2, decay 0.3": {**FAST, "learning_rate": 1e-2, "weight_decay": 0.3},
    "GATv2, 1e-2, batch 64": {**FAST, "learning_rate": 1e-2, "batch_size": 64},
    "GATv2, 1e-2, batch 256": {**FAST, "learning_rate": 1e-2, "batch_size": 256},
    "GATv2, 1e-2, 10 epochs": {**FAST, "learning_rate": 1e-2, "epochs": 10},
    "GATv2, 1e-2, 40 epochs": {**FAST, "learning_rate": 1e-2, "epochs": 40},
    "GATv2, 3e-3, batch 64": {**FAST, "batch_size": 64},
    "GATv2, 3e-3, batch 64, 10 epochs": {**FAST, "batch_size": 64, "epochs": 10},
    "GraphConv, 3e-3": {**FAST, "convolution": "graphconv"},
    "GraphConv, 1e-2": {**FAST, "learning_rate": 1e-2, "convolution": "graphconv"},
    "GraphConv, sum, 1e-2": {**FAST, "learning_rate": 1e-2, "convolution": "graphconv", "pooling": "sum"},
    "GraphConv, 3e-3, batch 64": {**FAST, "batch_size": 64, "convolution": "graphconv"},
    "GraphConv, 1e-2, batch 64": {**FAST, "learning_rate": 1e-2, "batch_size": 64, "convolution": "graphconv"},
    "GraphConv, 1e-2, 40 epochs": {**FAST, "learning_rate": 1e-2, "epochs": 40, "convolution": "graphconv"},
    "GraphConv, 2e-2": {**FAST, "learning_rate": 2e-2, "convolution": "graphconv"},
    "paper preset": {},
}


def compare(names: list[str], folds: int) -> pd.DataFrame:
    """SRCC of head and hops on validation rows, and seconds of training: a row per candidate, means over folds."""
    table = ab.data.ir_table([ab.data.load("ofa_mbv3"), ab.data.load("ofa_pn")])
    train, _ = table.split(0.9, seed=12345)
    rows: list[dict[str, object]] = []
    for fold in range(folds):
        kept, held_out = train.split(0.85, seed=fold)
        assert held_out.noise_free is not None
        ceiling = srcc(held_out.noise_free["acc"].to_numpy(), held_out.labels["acc"].to_numpy())
        rows.append({"candidate": "noise ceiling", "head": ceiling})
        for name in tqdm(names, desc=f"fold {fold}"):
            started = time.perf_counter()
            predictor = ab.fit_ir(kept, "acc", seed=fold, progress=False, **CANDIDATES[name])
            seconds = time.perf_counter() - started
            rows.append({"candidate": name, "seconds": seconds, **ab.evaluate(predictor, held_out).srcc})
    return pd.DataFrame(rows).groupby("candidate").mean().sort_values("head")


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser("tests.benchmarks.ir_presets", description=__doc__)
    parser.add_argument("--folds", type=int, default=1, help="validation splits (default: 1)")
    parser.add_argument("--only", nargs="*", default=list(CANDIDATES), help="names of candidates (default: all)")
    given = parser.parse_args()
    print(compare(given.only, given.folds).to_string(float_format="{:.4f}".format))


if __name__ == "__main__":
    main()
