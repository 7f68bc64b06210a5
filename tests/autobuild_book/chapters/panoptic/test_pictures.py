"""What networks see, and what they could see at best."""

import numpy as np

from autobuild_book.chapters.panoptic import pictures
from autobuild_book.chapters.panoptic.task.images import draw_scenes
from autobuild_book.chapters.panoptic.task.space import largest, smallest
from tests.helpers.backbones import OURS, plain


def test_bounds_of_quality() -> None:
    corner, count = str(largest()), 12
    rows = [plain(corner, 0.6, OURS, "B"), plain(str(smallest()), 0.4, "other", "B"), plain(corner, 0.7, OURS)]
    found = pictures.bounds(rows, count)
    assert found.network.tolist() == ["one class everywhere", "the truth, grouped", "largest"]
    assert found.images.tolist() == [count, count, 800]
    trivial, oracle, best = found.pq
    assert 0 < trivial < 0.1 and 0.7 < oracle < 1 and best == 0.6


def test_a_panel_shows_the_first_images_of_set_b() -> None:
    scenes = draw_scenes("B", 2)
    found = pictures.panel({"small": smallest()}, 2)
    assert np.array_equal(found.images, scenes.images) and list(found.classes) == [pictures.TRUTH, "small"]
    assert np.array_equal(found.classes[pictures.TRUTH], scenes.classes) and found.quality[pictures.TRUTH] == 1
    assert found.classes["small"].shape == found.numbers["small"].shape == (2, 64, 64)
    assert 0.1 < found.quality["small"] < 1 and found.classes["small"].max() < 8
