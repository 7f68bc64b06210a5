"""Means of rank correlations, by hand."""

import pytest

from autobuild_book.chapters.shared.ranks import mean_ranks
from tests.helpers.rank_tables import two_seeds_and_one


def test_summary_by_hand() -> None:
    summary = mean_ranks(two_seeds_and_one()).set_index(["preset", "level"])
    first, single = summary.loc[("paper", "hop 0")], summary.loc[("tuned", "hop 0")]
    half = 12.706205 * 0.1  # t(0.975, 1) times sd / sqrt(2) of (0.5, 0.7)
    assert (first.srcc, first.low, first.high) == pytest.approx((0.6, 0.6 - half, 1.0), abs=1e-6)  # cut at 1
    assert (first.seeds, first.interval) == (2, "seeds")
    assert (single.srcc, single.low, single.high) == (0.6, 0.1, 0.7)
    assert (single.seeds, single.interval) == (1, "test rows")
    assert len(summary) == 4
