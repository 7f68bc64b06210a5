"""What the explorer of experiment 4 shows: every training architecture with its labels and module scores."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_lib.experiments.frontiers import Judge
from autobuild_lib.experiments.panels import LABELS, Panel
from autobuild_lib.predictor import Predictor
from autobuild_lib.processes import in_processes
from autobuild_lib.reduced import ReducedSpace
from autobuild_lib.spaces.sequence import Codes
from autobuild_lib.units import score_units


def training_points(
    panels: Sequence[Panel],
    predictors: Mapping[tuple[str, str, int], Predictor],
    judges: Mapping[str, Judge],
    seed: int,
    progress: bool = True,
) -> pd.DataFrame:
    """Return a row per training architecture: family, architecture, acc, latencies (ms), and its summed module scores.

    Labels are those of the judge, or of the table where a family has none. A column such as "score gpu fast" holds the
    sum of the norm scores of an architecture's modules for the equation of a device and region, learnt with `seed`;
    it is NaN for architectures with other global features than the corpus.
    """
    tables = {panel.family: panel.split.train for panel in panels}
    codes = {family: table.space.to_codes(table.architectures) for family, table in tables.items()}
    frames = {}
    for family, table in tables.items():
        labels = judges[family](codes[family]) if family in judges else table.labels
        known = {label: labels[label].to_numpy() for label in ("acc", *LABELS.values()) if label in labels}
        frames[family] = pd.DataFrame({"family": family, "architecture": list(map(str, table.architectures)), **known})
    wanted = [(panel, region, equation) for panel in panels for region, equation in panel.equations.items()]
    jobs = [(predictors[panel.family, equation, seed], codes[panel.family]) for panel, _, equation in wanted]
    found = in_processes(_scores, jobs, "scores", progress=progress)
    for (panel, region, _), scores in zip(wanted, found, strict=True):
        frames[panel.family][f"score {panel.device} {region}"] = scores
    return pd.concat(frames.values(), ignore_index=True)


def _scores(predictor: Predictor, codes: Codes) -> npt.NDArray[np.float64]:
    return summed_scores(score_units(predictor, progress=False).everything(), codes)


def summed_scores(scored: ReducedSpace, codes: Codes) -> npt.NDArray[np.float64]:
    """Return the summed module scores of architectures given by codes [N, code_width], [N]; NaN outside `scored`."""
    places = scored.positions(codes)
    parts = [group.scores[place] for group, place in zip(scored.groups, places.T, strict=True)]
    return np.where((places >= 0).all(1), np.sum(parts, axis=0), np.nan)
