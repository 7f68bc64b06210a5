"""Numbers with intervals that a chapter hands to the page of verdicts."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from autobuild_lib.statistics import mean_with_interval


def estimate(name: str, values: Sequence[float] | npt.NDArray[np.float64], over: str) -> dict[str, Any]:
    """Describe a mean with its 95 % interval (Student's t) over what `over` names; nothing is known of no values."""
    mean, low, high = mean_with_interval(values) if len(values) else (float("nan"),) * 3
    return {"estimate": name, "value": mean, "low": low, "high": high, "over": f"{len(values)} {over}"}
