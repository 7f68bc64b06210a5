"""The frontier of a panel and its regions, by hand."""

from pathlib import Path

import numpy as np
import pytest

from autobuild_book.chapters.shared import frontiers
from autobuild_book.chapters.shared.panels import Panel
from tests.helpers.toy_regions import EQUATIONS, frontier


def test_frontier_by_hand(panel: Panel, judges: dict[str, frontiers.Judge]) -> None:
    known = frontier(panel, judges)
    np.testing.assert_allclose(known.points, [[1, -0.5], [2, -0.6], [3, -0.7], [4, -0.8]])
    np.testing.assert_allclose([known.reference, known.scale], [[4, -0.5], [3, 0.3]])
    assert known.hypervolume(np.array([[1, -0.8]])) == pytest.approx(1), "the table's rectangle has area 1"
    assert known.hypervolume(known.points) == pytest.approx((2 * 0.1 + 1 * 0.1) / (3 * 0.3))


def test_a_region_is_the_part_of_the_frontier_that_its_equation_values_most(
    panel: Panel, judges: dict[str, frontiers.Judge]
) -> None:
    regions = frontier(panel, judges).regions
    assert regions["fast"].tolist() == [True, True, False, False]  # 0.5, 0.3, 0.23, 0.2: half of it, two equations
    assert regions["accurate"].tolist() == [False, False, True, True]
    three = Panel(panel.split, "gpu", {**EQUATIONS, "middle": "-abs(latency_gpu - 3)"})
    regions = frontier(three, judges).regions
    assert [marks.sum() for marks in regions.values()] == [2, 2, 2], "a third, rounded up"
    assert regions["middle"].tolist() == [False, True, True, False]


def test_noisy_labels_choose_other_points_but_do_not_move_them(
    panel: Panel, judges: dict[str, frontiers.Judge]
) -> None:
    seen = frontier(panel, judges, noisy=True)  # the fifth architecture is lucky: it hides the second and the third
    np.testing.assert_allclose(seen.points, [[1, -0.5], [2, -0.5], [4, -0.8]])
    np.testing.assert_allclose([seen.reference, seen.scale], [[4, -0.5], [3, 0.3]])
    assert seen.regions["fast"].tolist() == [True, True, False]
    assert seen.regions["accurate"].tolist() == [True, False, True]  # of the equal ones, the faster


def test_families_without_a_judge_have_no_frontier(panel: Panel) -> None:
    assert frontiers.training_frontiers([panel], frontiers.training_labels([panel], {})) == {}
    assert frontiers.surrogate_judges([panel]) == {}
    assert frontiers.published_judges([panel], Path("nowhere")) == {}
    empty = frontiers.frontier_table({})
    assert empty.empty and "regions" in empty


def test_frontier_table(panel: Panel, judges: dict[str, frontiers.Judge]) -> None:
    table = frontiers.frontier_table({("toy", "gpu"): frontier(panel, judges)})
    assert table.latency.tolist() == [1, 2, 3, 4] and table.acc.tolist() == pytest.approx([0.5, 0.6, 0.7, 0.8])
    assert table.regions.tolist() == ["fast", "fast", "accurate", "accurate"]
    assert table.hypervolume.tolist() == pytest.approx([1 / 3] * 4)
