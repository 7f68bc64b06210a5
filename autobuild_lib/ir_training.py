"""Training of predictors on op-level graphs (paper, Section 4.2): another encoder, otherwise as in `training`."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from autobuild_lib.data.ir import IRTable
from autobuild_lib.engine.neighbourhoods import neighbourhoods
from autobuild_lib.engine.operations import OperationEncoder
from autobuild_lib.graphs import OPERATIONS
from autobuild_lib.predictor import Predictor
from autobuild_lib.targets import Target
from autobuild_lib.torch_settings import plain_torch
from autobuild_lib.training import IR_PRESETS, Course, configure


def fit_ir(
    table: IRTable, target: Target | str, seed: int = 0, preset: str = "paper", progress: bool = True, **overrides: Any
) -> Predictor:
    """Train one predictor of `target` on the op-level graphs of `table`, of any number of families.

    The other arguments and errors are those of `fit`; "tuned" was chosen for these graphs.
    """
    return fit_ir_many(table, [target], seed, preset, progress, **overrides)[0]


@plain_torch(gradients=True)
def fit_ir_many(
    table: IRTable, targets: Sequence[Target | str], seed: int = 0, preset: str = "paper", progress: bool = True,
    **overrides: Any,
) -> list[Predictor]:  # fmt: skip
    """Train one predictor per target in one batched pass, as `fit_many` does."""
    course = Course.of(table, targets, seed, preset, configure(preset, overrides, IR_PRESETS))
    graphs = neighbourhoods(table.graphs, course.network.hops)
    operations = tuple(OPERATIONS[place] for place in np.unique(graphs.operations.numpy()))
    return course.predictors(course.train(OperationEncoder(operations), graphs, progress), [None] * len(targets))
