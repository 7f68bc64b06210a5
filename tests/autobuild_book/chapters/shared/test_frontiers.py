"""Fronts and their regions, by hand."""

import numpy as np
import pandas as pd

from autobuild_book.chapters.shared.frontiers import front_places, mark_regions, region_texts
from autobuild_lib.search import costs as as_points


def test_front_and_regions_by_hand() -> None:
    labels = pd.DataFrame({"pq": [0.5, 0.4, 0.45, 0.6, 0.55], "macs": [2e6, 1e6, 2.5e6, 4e6, 3e6]})
    places = front_places(as_points(labels, "pq", "macs"))
    assert places.tolist() == [1, 0, 4, 3]
    marks = mark_regions({"cheap": "1 / macs", "good": "pq"}, labels.iloc[places])
    assert {name: marked.tolist() for name, marked in marks.items()} == {
        "cheap": [True, True, False, False], "good": [False, False, True, True]}  # fmt: skip
    assert region_texts(marks) == ["cheap", "cheap", "good", "good"]


def test_others_may_decide_who_is_on_the_front() -> None:
    points = np.array([[2.0, -1.0], [1.0, -1.0], [1.0, -2.0]])
    assert front_places(points).tolist() == [2]
    deciding = np.array([[0.0, 0.0], [0.0, 0.0], [1.0, 1.0]])
    assert front_places(points, deciding).tolist() == [1, 0], "in the order of the points"
