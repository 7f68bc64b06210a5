"""Numbers measured again: by hand, and what cannot be known stays unknown."""

import json

import numpy as np
import pytest

from autobuild_book.chapters.shared.measured_again import COLUMNS, beside_committed, far_apart, for_metrics, in_words


def test_differences_in_spreads_by_hand() -> None:
    rows = beside_committed([("near", 0.52, 0.5, 0.01), ("far", 0.2, 0.5, 0.05), ("same", 3.0, 3.0, 0.0)])
    assert list(rows) == COLUMNS and rows.what.tolist() == ["far", "near", "same"]
    assert rows.difference.tolist() == pytest.approx([-0.3, 0.02, 0.0])
    assert rows.spreads.tolist() == pytest.approx([6.0, 2.0, 0.0])
    assert far_apart(rows) == 1 and "0.3 (far, 6.0 spreads" in in_words(rows)


@pytest.mark.parametrize("spread", [0.0, np.nan])
def test_a_difference_without_a_known_spread_is_shown_first_and_calls_nothing_out(spread: float) -> None:
    rows = beside_committed([("surprise", 1.0, 2.0, 0.5), ("unknown", 1.0, 1.1, spread)])
    assert rows.what.tolist() == ["unknown", "surprise"] and np.isnan(rows.spreads[0]) and far_apart(rows) == 0
    first, _ = json.loads(json.dumps(for_metrics(rows), allow_nan=False))
    assert first["spreads"] is None and first["here"] == 1.0


def test_nothing_to_repeat() -> None:
    rows = beside_committed([])
    assert rows.empty and for_metrics(rows) == [] and far_apart(rows) == 0
    assert in_words(rows) == "Nothing was measured again."
