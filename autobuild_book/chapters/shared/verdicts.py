"""How a claim is judged: a table of checks, of which so many must hold; and numbers with intervals beside them.

A chapter states its checks and how many must hold. The rule, its words and the lines that are printed are here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_book.intervals import ANYWHERE, Ends, mean_with_interval

WORDS = SUPPORTED, PARTLY, NOT_SUPPORTED, UNDECIDED = "supported", "partly", "not supported", "undecided"


@dataclass(frozen=True, eq=False)
class Verdict:
    """What follows from checks for a claim.

    claim: what is judged, such as "Claim C1". checks: a row per check, with a column `holds`; `value` is what was
    found, and other columns name the check. needed, partly: shares of the checks, rounded up, that make the claim
    "supported" or "partly". decidable: whether the data suffice; without them, or without checks, it is "undecided".
    """

    claim: str
    checks: pd.DataFrame
    needed: float = 1
    partly: float = 1 / 2
    decidable: bool = True

    @property
    def word(self) -> str:
        """One of `WORDS`."""
        if self.checks.empty or not self.decidable:
            return UNDECIDED
        held, number = self.checks["holds"].sum(), len(self.checks)
        enough = [held >= np.ceil(share * number) for share in (self.needed, self.partly)]
        return SUPPORTED if enough[0] else PARTLY if enough[1] else NOT_SUPPORTED

    @property
    def held(self) -> str:
        """How many checks hold, such as "5 of 6"."""
        return f"{int(self.checks['holds'].sum())} of {len(self.checks)}"

    def __str__(self) -> str:
        return f"{self.claim}: {self.word}"


def check_line(row: Mapping[str, Any]) -> str:
    """Return a row of `checks` as text: the name of the check, what was found, and whether it holds."""
    names = " ".join(str(value) for key, value in row.items() if key not in ("value", "holds"))
    return f"{names}: {row['value']} ({'holds' if row['holds'] else 'fails'})"


def estimate(
    name: str, values: Sequence[float] | npt.NDArray[np.float64], over: str, within: Ends = ANYWHERE
) -> dict[str, Any]:
    """Describe a mean with its 95 % interval (Student's t) over what `over` names; nothing is known of no values.

    within: what the mean can be.
    """
    mean, low, high = mean_with_interval(values, within=within) if len(values) else (float("nan"),) * 3
    return {"estimate": name, "value": mean, "low": low, "high": high, "over": f"{len(values)} {over}"}


def estimate_line(row: Mapping[str, Any]) -> str:
    """Return what `estimate` describes as text; null is what was NaN before it went through JSON."""
    if row["value"] is None:
        return f"{row['estimate']}: unknown"
    interval = f" [{row['low']:.3f}, {row['high']:.3f}]" if row["low"] is not None else ""
    return f"{row['estimate']}, mean over {row['over']}: {row['value']:.3f}{interval}"
