"""Made-up rows of measured models, for the tests of the chapter on peers."""

import pandas as pd

from autobuild_book.chapters.peers.contests import Contest
from autobuild_book.chapters.peers.measuring import COLUMNS
from autobuild_book.chapters.shared.models import registry

TOY = Contest("toy", "toy", ("additive", "other"), lower=("other",))
OURS, THEIRS = registry.TUNED.name, "additive ridge"


def rows_of(values: dict[tuple[str, int], list[float]], target: str = "t", seconds: float = 1.0) -> pd.DataFrame:
    """Rows from {(model, size): SRCC for each seed}."""
    rows = [
        ("c", target, model, size, seed, value, value, 1 - value, seconds * (1 + len(model)), 0.0, seed)
        for (model, size), qualities in values.items()
        for seed, value in enumerate(qualities)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)
