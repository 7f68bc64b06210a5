"""Evaluation: how well the norms of every hop, and the head, rank architectures."""

import numpy as np
import pandas as pd

from autobuild_lib.data.table import Labelled
from autobuild_lib.predictor import Predictor
from autobuild_lib.statistics import srcc_with_interval
from autobuild_lib.targets import Target
from autobuild_lib.training import TRAINED_ON


def evaluate(predictor: Predictor, table: Labelled, target: Target | str | None = None) -> pd.DataFrame:
    """Return the Spearman correlation (SRCC) of the head and of every hop's norms with the target on `table`.

    Rows "hop 0", ..., "head"; columns `srcc`, its 95 % interval `low` and `high` (Bonett and Wright, 2000), and, for
    the head, the mean absolute error `mae` in label units.
    """
    equation = Target(predictor.target) if target is None else target if isinstance(target, Target) else Target(target)
    truth = table.evaluate(equation)
    predicted, norms = predictor.predict_and_norms(table.inputs)
    rows = {f"hop {hop}": level for hop, level in enumerate(norms)} | {"head": predicted}
    report = pd.DataFrame({name: srcc_with_interval(row, truth) for name, row in rows.items()}).T
    report.columns = pd.Index(["srcc", "low", "high"])
    report.loc["head", "mae"] = np.abs(predicted - truth).mean()
    return report


def count_trained_on(predictor: Predictor, table: Labelled) -> int:
    """Return how many rows are about networks that a predictor was trained on, of whatever file they were.

    A predictor that was saved without its training rows counts all rows of the same part of the same file.
    """
    used = predictor.provenance
    if TRAINED_ON in used:
        return len(set(str(used[TRAINED_ON]).split()) & set(table.digests()))
    data, others = used.get("data", {}), table.part.replace("test of", "train of")
    return len(table) if data.get("sha256") == table.sha256 and data.get("part") != others else 0
