"""A judge of experiment 4 that measures: parts of a published supernet, on a folder of images."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from autobuild_book.chapters.shared.frontiers import Judge
from autobuild_book.chapters.shared.panels import Panel
from autobuild_lib.networks import Supernet, has_networks
from autobuild_lib.search import Evaluator
from autobuild_lib.search.evaluation import evaluate_all
from autobuild_lib.spaces import SequenceSpace
from autobuild_lib.spaces.sequence import Codes


@dataclass(frozen=True, eq=False)
class LoggedJudge:
    """Labels architectures given by their codes with an evaluator; what is finished stays in a log, also after a kill.

    Raises `ValueError` where an evaluation failed.
    """

    evaluator: Evaluator
    space: SequenceSpace
    log: Path

    def __call__(self, codes: Codes) -> pd.DataFrame:
        """Return a row of labels for each of the codes [N, code_width]."""
        labels = evaluate_all(self.space.from_codes(codes), self.evaluator, self.log, workers=0)
        numbers = labels.drop(columns="architecture")
        if numbers.empty or (failed := numbers.isna().any(axis=1)).any():
            count = len(labels) if numbers.empty else int(failed.sum())
            raise ValueError(f"{count} of {len(labels)} evaluations failed; {self.log} tells why")
        return numbers


def imagenet_judges(
    panels: Sequence[Panel], supernet: Path | str, images: Path | str, folder: Path, validate: int = 0
) -> tuple[list[Panel], dict[str, Judge]]:
    """Return the panels that a supernet can judge, of its family and of the device at hand, and their judge.

    Args:
        panels: see `region_panels`.
        supernet: a published file.
        images: a folder with `train` and `val`, see `ImageNetEvaluator`.
        folder: for the log.
        validate: validation images; 0 takes all.

    Raises:
        ValueError: where it can judge none, and for files and folders that are not as they must be.
    """
    from autobuild_book.imagenet.evaluator import ImageNetEvaluator  # noqa: PLC0415 (needs an extra)

    weights = Supernet.load(supernet)
    evaluator = ImageNetEvaluator(weights, images, validation=validate)
    family, (_, latency) = weights.space.name, evaluator.labels
    judged = [p for p in panels if (p.family, p.latency) == (family, latency) and has_networks(p.split.train.space)]
    if not judged:
        named = ", ".join(f"{panel.latency} of {panel.family}" for panel in panels)
        raise ValueError(f"{supernet} measures {latency} of {family}; the panels are {named}")
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"{Path(supernet).name}-{evaluator.key}.jsonl"
    return judged, {family: LoggedJudge(evaluator, judged[0].split.train.space, log)}
