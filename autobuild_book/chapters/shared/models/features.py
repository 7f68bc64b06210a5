"""Kinds of features that models learn from, by name."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_book.chapters.shared.models.one_hot import one_hot
from autobuild_book.chapters.shared.models.sequence_graf import sequence_features
from autobuild_lib.data.table import ARCHITECTURE
from autobuild_lib.spaces import Architecture, SequenceSpace

ONE_HOT, GRAF, PROXIES = "one-hot", "GRAF", "proxies"
COMPUTED: dict[str, Callable[[SequenceSpace, Sequence[Architecture]], pd.DataFrame]] = {
    ONE_HOT: one_hot,
    GRAF: sequence_features,
}


def compute(
    kinds: Sequence[str],
    space: SequenceSpace,
    architectures: Sequence[Architecture],
    proxies: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the features of each architecture, the kinds side by side: one row each, in order.

    No number depends on the other architectures.

    Args:
        kinds: one or more of "one-hot", "GRAF" and "proxies".
        space: of the architectures.
        architectures: [N].
        proxies: needed for "proxies": a column `architecture` (text form) and a numeric column per proxy.

    Raises:
        ValueError: for proxies that are not given, not finite, or of other architectures. One that no architecture has
            (a column of NaN) is left out.
    """
    frames = [
        _look_up(architectures, proxies) if kind == PROXIES else COMPUTED[kind](space, architectures) for kind in kinds
    ]
    return pd.concat(frames, axis=1)


def _look_up(architectures: Sequence[Architecture], proxies: pd.DataFrame | None) -> pd.DataFrame:
    if proxies is None:
        raise ValueError(f"features from proxies need a table of proxies with a column {ARCHITECTURE!r}")
    table = proxies.set_index(ARCHITECTURE)
    texts = [str(architecture) for architecture in architectures]
    if missing := [text for text in texts if text not in table.index]:
        raise ValueError(f"{len(missing)} architectures have no proxies, the first is {missing[0]}")
    values = table.loc[texts].reset_index(drop=True).astype(np.float64).dropna(axis="columns", how="all")
    if bad := [str(name) for name in values if not np.isfinite(values[name]).all()]:
        raise ValueError(f"proxies {', '.join(bad)}: allowed are finite numbers")
    return values


def as_matrix(features: pd.DataFrame) -> npt.NDArray[np.float32]:
    """Return features as the learners take them, [N, columns]; values beyond the type's range are cut off."""
    most = np.finfo(np.float32).max
    return np.asarray(np.clip(features.to_numpy(dtype=np.float64), -most, most), dtype=np.float32)
