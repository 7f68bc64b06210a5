"""Experiment 5: is the table worth learning from? Labels against other measurements of the same backbones."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_book.chapters.panoptic.task.measuring import Measurement
from autobuild_book.chapters.panoptic.task.weights import load_bundled
from autobuild_lib.data.table import Table
from autobuild_lib.statistics import srcc_with_interval

Array = npt.NDArray[np.float64]
HALVES, BATCH, SEED, ALONE = "other images", "another calibration", "another supernet", "trained alone"
SIMILAR, AGAIN = "trained alone, similar multiply-adds", "trained alone, another seed"
PAIR = ["comparison", "architecture", "macs", "first", "second"]


def pairs(table: Table, rows: Sequence[Measurement], trainings: pd.DataFrame) -> pd.DataFrame:
    """Return two measurements of the same backbones, side by side.

    Columns: comparison, architecture, macs, first (the bundled supernet's), second. `HALVES` compares the halves of
    the validation images; `BATCH` and `SEED` a label with one after calibration on another batch, and with one of a
    supernet of another seed; `ALONE` the supernet with networks trained from scratch one by one, on other images; and
    `AGAIN` such a network with itself, trained once more.

    Args:
        table: the labels.
        rows: committed measurements.
        trainings: which training the network of a row is from, see `bundled_rows.trainings_of_rows`.
    """
    labels = table.labels.assign(architecture=list(map(str, table.architectures)))
    frames = [labels.assign(comparison=HALVES, first=labels["pq_half1"], second=labels["pq_half2"])[PAIR]]
    supernet, label_of = load_bundled().id, labels.set_index("architecture")["pq"]
    alone = dict(zip(trainings["network"], trainings["architecture"], strict=True))
    on_b = {row.architecture: row.pq for row in rows if row.network == supernet and row.images == "B"}
    trained: dict[str, float] = {}
    for row in rows:
        if row.network == supernet:
            name, first = BATCH, label_of.get(row.architecture) if row.calibration else None
        elif alone.get(row.network):
            before = trained.get(row.architecture)
            name, first = (ALONE, on_b.get(row.architecture)) if before is None else (AGAIN, before)
            trained[row.architecture] = row.pq
        else:
            name, first = SEED, label_of.get(row.architecture)
        if first is not None:
            values = (name, row.architecture, row.macs, first, row.pq)
            frames.append(pd.DataFrame([values], columns=PAIR))
    return pd.concat(frames, ignore_index=True)


def without_macs(values: npt.ArrayLike, macs: npt.ArrayLike) -> Array:
    """Return what is left of values [N] after a parabola in the logarithm of multiply-adds [N]."""
    x, y = np.log(np.asarray(macs, np.float64)), np.asarray(values, np.float64)
    return np.asarray(y - np.polynomial.Polynomial.fit(x, y, 2)(x))


def rank_agreement(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return how far the two measurements rank alike, a row per comparison.

    Columns: comparison, networks, srcc, low, high (95 % interval over networks), rest, rest_low, rest_high (the same
    after multiply-adds; NaN for fewer than ten networks), macs (SRCC of the second measurement with multiply-adds),
    spread (standard deviation of the second measurement).
    """
    rows = []
    for name, networks in _comparisons(pairs):
        first, second, macs = (networks[column].to_numpy(dtype=np.float64) for column in ("first", "second", "macs"))
        rest = (float("nan"),) * 3
        if len(networks) >= 10:
            rest = srcc_with_interval(without_macs(first, macs), without_macs(second, macs))
        by_macs = srcc_with_interval(macs, second)[0]
        rows.append((name, len(networks), *srcc_with_interval(first, second), *rest, by_macs, second.std(ddof=1)))
    columns = ["comparison", "networks", "srcc", "low", "high", "rest", "rest_low", "rest_high", "macs", "spread"]
    return pd.DataFrame(rows, columns=columns)


def _comparisons(pairs: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield every comparison, and that of the networks trained alone also without those chosen as extremes."""
    for name, networks in pairs.groupby("comparison", sort=False):
        if len(networks) > 2:
            yield str(name), networks
        if name == ALONE and len(similar := networks[~networks["architecture"].map(is_extreme)]) > 2:
            yield SIMILAR, similar


def in_words(agreement: pd.DataFrame) -> str:
    """Say how the supernet ranks networks that were trained alone, from the result of `rank_agreement`."""
    by_name = agreement.set_index("comparison") if len(agreement) else agreement
    texts = [
        f"SRCC {row.srcc:.2f} [{row.low:.2f}, {row.high:.2f}] for {row.networks} {described}"
        for name, described in ((ALONE, "backbones of all sizes"), (SIMILAR, "of similar multiply-adds"))
        for row in by_name[by_name.index == name].itertuples()
    ]
    return ", ".join(texts) or "not measured"


def luck_in_words(pairs: pd.DataFrame) -> str:
    """Say how much two trainings of one network differ, beside how much networks of similar cost differ."""
    parts = {name: pairs[pairs["comparison"] == name] for name in (ALONE, AGAIN)} if len(pairs) else {}
    if not parts or parts[AGAIN].empty:
        return "not measured"
    similar = parts[ALONE][~parts[ALONE]["architecture"].map(is_extreme)]["second"]
    differences = (parts[AGAIN]["second"] - parts[AGAIN]["first"]).abs()
    luck = f"two trainings of a backbone differ by {differences.mean():.3f} on average ({len(differences)} backbones)"
    spread = similar.std(ddof=1)
    return f"{luck}, while {len(similar)} backbones of similar multiply-adds have a standard deviation of {spread:.3f}"


def summary_numbers(agreement: pd.DataFrame, pairs: pd.DataFrame) -> dict[str, str]:
    """Return what the summary of the chapter quotes of both tables, which are empty where nothing can be measured."""
    rest = agreement[agreement["comparison"] == SEED]["rest"].tolist() if len(agreement) else []
    texts = {"ranks_alone": in_words(agreement), "luck": luck_in_words(pairs)}
    return texts | {"rest_seed": next(map("{:.2f}".format, rest), "unknown")}


def is_extreme(architecture: str) -> bool:
    """Whether all layers of an architecture (text) and all its depths are the same: the corners of the space."""
    units = architecture.split("|")
    return len(set(units)) == 1 and len(set(units[0].split(","))) == 1
