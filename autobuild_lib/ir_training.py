"""Training of predictors for IR graphs; what is trained, and how, is as for path graphs."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from autobuild_lib.data.ir import IRTable
from autobuild_lib.engine.neighbourhoods import neighbourhoods
from autobuild_lib.graphs import OPERATIONS
from autobuild_lib.ir_predictor import IRNetwork, IRPredictor
from autobuild_lib.targets import Target
from autobuild_lib.torch_settings import plain_torch
from autobuild_lib.training import Wanted, configure, copy_member, describe_training, train_network
from autobuild_lib.values import read_seed

# "tuned" was chosen on validation rows taken out of the training split (tests/benchmarks/ir_presets.py).
PRESETS: dict[str, dict[str, Any]] = {
    "paper": {},
    "tuned": {"convolution": "graphconv", "epochs": 40, "learning_rate": 1e-2, "schedule": "one_cycle"},
}


def fit_ir(
    table: IRTable,
    target: Target | str,
    seed: int = 0,
    preset: str = "paper",
    progress: bool = True,
    **overrides: Any,
) -> IRPredictor:
    """Train one predictor of `target` on the IR graphs of `table` (paper, Equations 3 and 4, and Section 4.2).

    Args:
        table: training graphs with labels, of any number of families.
        target: a label or an equation over labels.
        seed: of the initial weights and of the order of the batches.
        preset: "paper", or "tuned" (as good on a validation split of training data, for a tenth of the cost).
        progress: show a bar over the epochs.
        **overrides: any field of `NetworkConfig` or `TrainingConfig`.

    Raises:
        ValueError: for unknown options, fewer than 2 graphs, a constant target, or training that diverges.
    """
    return fit_ir_many(table, [target], seed, preset, progress, **overrides)[0]


@plain_torch(gradients=True)
def fit_ir_many(
    table: IRTable,
    targets: Sequence[Target | str],
    seed: int = 0,
    preset: str = "paper",
    progress: bool = True,
    **overrides: Any,
) -> list[IRPredictor]:
    """Train one predictor per target in one batched pass, as `fit_many` does."""
    network_config, config = configure(preset, overrides, PRESETS)
    wanted, seed = Wanted.of(table, targets), read_seed(seed)
    graphs = neighbourhoods(table.graphs, network_config.hops)
    operations = [OPERATIONS[place] for place in np.unique(graphs.operations.numpy())]
    network = IRNetwork(operations, network_config, [seed] * len(targets))
    train_network(network, graphs, wanted.standardised, config, seed, progress)
    provenance = describe_training(table, preset, config, seed)
    return [
        IRPredictor(
            copy_member(network, p, IRNetwork(operations, network_config, seeds=[0])),
            str(equation),
            float(wanted.means[p]),
            float(wanted.sds[p]),
            provenance,
        )
        for p, equation in enumerate(wanted.equations)
    ]
