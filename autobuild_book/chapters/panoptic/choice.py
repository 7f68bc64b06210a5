"""Experiment 5: the choice of what is measured at the end, made once and committed; the notebook makes it again."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from autobuild_book.chapters.panoptic.learning import fit_all, load_subject
from autobuild_book.chapters.panoptic.proposals import labelled_front, propose, score_modules
from autobuild_book.chapters.panoptic.search import MUTATIONS, QUALITY, ROUNDS, START, by_looking_up, search
from autobuild_book.chapters.panoptic.task.measuring import Measurement

# The powers were chosen by looking where the ten labelled backbones of highest value lie along the axis of
# multiply-adds (medians 6.7, 9.0 and 15.1 of 5 to 16 millions), before any predictor was trained.
REGIONS = {
    "light": "power({quality}, 6) / {cost}",
    "middle": "power({quality}, 12) / {cost}",
    "heavy": "power({quality}, 18) / {cost}",
}
SEEDS, EPOCHS, HOSTS = range(12345, 12348), 300, 16


def choose(searched: Sequence[Measurement], folder: Path) -> pd.DataFrame:
    """Return all proposals for the bundled table, and its front: columns region, group, place, architecture.

    searched: the rows that `search` measured. folder: for trained predictors; a later call finds them there.
    Raises `ValueError`, before any training, when rows are missing.
    """
    evaluations = _search_again(searched)
    subject = load_subject("bundled", REGIONS)
    fits = fit_all(subject, SEEDS, [], {"paper": EPOCHS}, folder)
    proposals = propose(subject, score_modules(subject, fits, HOSTS), evaluations)
    return pd.concat([proposals, labelled_front(subject)], ignore_index=True)


def _search_again(searched: Sequence[Measurement]) -> pd.DataFrame:
    needed, rows = START + ROUNDS * MUTATIONS, len({row.architecture for row in searched})
    evaluations = search(by_looking_up(searched)) if rows >= needed else None
    if evaluations is None or evaluations[QUALITY].isna().any():
        raise ValueError(f"rows of {rows} searched architectures lack some of the {needed} that the search evaluates; "
                         "`autobuild task panoptic search` measures them")  # fmt: skip
    return evaluations
