"""What the explorer of experiment 4 shows: every training architecture with its labels and module scores."""

from collections.abc import Mapping, Sequence

import pandas as pd

from autobuild_book.chapters.regions.clusters import Reduction
from autobuild_book.chapters.shared.panels import LABELS


def training_points(reductions: Sequence[Reduction], labels: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return a row per training architecture: family, architecture, acc, latencies (ms), and its summed module scores.

    reductions: one for each panel. labels: by family, see `training_labels`; where there are none, those of the table.
    A column such as "score gpu fast" holds the sum of the norm scores of an architecture's modules for the equation of
    a device and region; it is NaN for architectures with other global features than the corpus.
    """
    tables = {reduction.panel.family: reduction.panel.split.train for reduction in reductions}
    frames = {}
    for family, table in tables.items():
        judged = labels.get(family, table.labels)
        columns = {label: judged[label].to_numpy() for label in ("acc", *LABELS.values()) if label in judged}
        texts = list(map(str, table.architectures))
        frames[family] = pd.DataFrame({"family": family, "architecture": texts, **columns})
    for reduction in reductions:
        for region, scores in reduction.summed.items():
            frames[reduction.panel.family][f"score {reduction.panel.device} {region}"] = scores
    return pd.concat(frames.values(), ignore_index=True)
