"""The verdict on claim C7, and in words how far what was built is from the best labelled U-Net."""

import numpy as np
import pandas as pd

from autobuild_book.chapters.diffusion.choice import AS_BEST
from autobuild_book.chapters.shared.few_labels import NORM
from autobuild_book.chapters.shared.verdicts import Verdict
from autobuild_book.intervals import holm

RULE = (
    "One of two U-Nets built by norm score, no larger than the best labelled one, has a lower log distance (paired "
    "t-test over fresh seeds, 5 % after Holm's correction)."
)


def judge(comparison: pd.DataFrame, group: str = NORM) -> Verdict:
    """Judge claim C7 by `RULE`: a check per network of a group in the deciding setting, of which one must hold.

    Fixed before these measurements. A seed gives all networks the same images, masks and noise; Holm's correction is
    over the networks built, and for two of them a check holds when the 95 % interval of the difference lies below 0.
    comparison: from `final.against_group`, with the best labelled one measured again.
    """
    deciding = comparison["setting"] == AS_BEST
    checks = comparison[deciding & (comparison["group"] == group)].reset_index(drop=True)
    checks = checks.assign(p=holm(checks["p"].fillna(1.0).tolist()))
    checks = checks.assign(holds=(checks["p"] < 0.05) & (checks["difference"] < 0))
    return Verdict("Claim C7", checks, needed=1 / max(len(checks), 1))


def sentence(comparison: pd.DataFrame, group: str = NORM, setting: str = AS_BEST) -> str:
    """Say in words how the networks of a group did against the best labelled one."""
    networks = comparison[(comparison["setting"] == setting) & (comparison["group"] == group)].sort_values("place")
    name = f"{group if group.startswith('built') else f'with {group}'} ({setting})"
    if networks.empty:
        return f"The network {name} has not been measured yet."
    texts = [_against_best(*row) for row in networks[["macs", "difference", "low", "high"]].to_numpy(np.float64)]
    if len(texts) == 1:
        return f"The network {name} {texts[0]}."
    parts = [f"number {place} {text}" for place, text in enumerate(texts, 1)]
    return f"Of the {len(texts)} networks {name}, {', and '.join(parts)}."


def _against_best(macs: float, difference: float, low: float, high: float) -> str:
    won = "beats" if high < 0 else "loses to" if low > 0 else "cannot be told from"
    interval = f"{difference:+.3f}, 95 % interval {low:+.3f} to {high:+.3f}"
    return f"with {macs / 1e6:.1f} million MACs {won} the best labelled one (difference in log distance {interval})"
