"""Evaluation: how well the norms of every hop, and the head, rank architectures."""

import numpy as np
import pandas as pd

from autobuild_lib.data.table import Labelled
from autobuild_lib.predictor import Predictor
from autobuild_lib.statistics import srcc_with_interval
from autobuild_lib.targets import Target


def evaluate(predictor: Predictor, table: Labelled, target: Target | str | None = None) -> pd.DataFrame:
    """Return how the norms of "hop 0", ... and the "head" rank the rows of `table`, one row each.

    Columns: Spearman's `srcc`, its 95 % interval `low` and `high` (Bonett and Wright, 2000); `mae` of the head alone.
    """
    equation = Target(predictor.target) if target is None else target if isinstance(target, Target) else Target(target)
    truth = table.evaluate(equation)
    predicted, norms = predictor.predict_and_norms(table.inputs)
    rows = {f"hop {hop}": level for hop, level in enumerate(norms)} | {"head": predicted}
    report = pd.DataFrame({n: srcc_with_interval(r, truth) for n, r in rows.items()}, index=["srcc", "low", "high"]).T
    report.loc["head", "mae"] = np.abs(predicted - truth).mean()
    return report
