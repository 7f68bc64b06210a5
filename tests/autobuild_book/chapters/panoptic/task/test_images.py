"""Generated images: the same for a seed, different between pools, and segmented as the description says."""

from functools import cache

import numpy as np
import pytest

from autobuild_book.chapters.panoptic.task.images import (
    CLASSES,
    POOLS,
    SMALLEST,
    STUFF,
    VOID,
    Scenes,
    draw_scene,
    draw_scenes,
)

PARTS = ("images", "classes", "instances")


@cache
def scenes() -> Scenes:
    return draw_scenes("A", 120)


def test_the_same_pool_has_the_same_bytes_however_many_are_drawn() -> None:
    again, later = draw_scenes("A", 7), draw_scenes("A", 3, first=4)
    for part in PARTS:
        ours = getattr(scenes(), part)
        assert np.array_equal(getattr(again, part), ours[:7]) and np.array_equal(getattr(later, part), ours[4:7])
        assert ours.dtype == np.uint8 and ours.shape[:3] == (120, 64, 64)


def test_no_image_is_in_two_pools_or_twice_in_one() -> None:
    drawn = [draw_scenes(pool, 60).images for pool in POOLS]
    assert len({image.tobytes() for images in drawn for image in images}) == 180


def test_drawing_does_not_touch_global_randomness() -> None:
    before = np.random.get_state()[1].tolist()  # type: ignore[union-attr, index]  # noqa: NPY002
    draw_scene(np.random.default_rng(0))
    assert np.random.get_state()[1].tolist() == before  # type: ignore[union-attr, index]  # noqa: NPY002


def test_stuff_and_things_are_what_they_say() -> None:
    drawn = scenes()
    is_thing = (drawn.classes >= len(STUFF)) & (drawn.classes != VOID)
    assert set(np.unique(drawn.classes)) - {VOID} == set(range(len(CLASSES)))
    assert np.array_equal(drawn.instances > 0, is_thing) and drawn.instances.max() <= 7
    for classes, instances in zip(drawn.classes, drawn.instances, strict=True):
        stuff = classes[classes < len(STUFF)]
        assert 1 <= len(np.unique(stuff)) <= 4
        for number in np.unique(instances[instances > 0]):
            assert len(np.unique(classes[instances == number])) == 1


def test_small_segments_are_void() -> None:
    pairs = scenes().classes.astype(int) * 10 + scenes().instances
    areas = [np.unique(image[classes != VOID], return_counts=True)[1].min()
             for image, classes in zip(pairs, scenes().classes, strict=True)]  # fmt: skip
    assert min(areas) >= SMALLEST
    voids = (scenes().classes == VOID).sum((1, 2))
    assert 0 < (voids > 0).mean() < 0.2 and voids.max() < 5 * SMALLEST


def test_later_things_hide_earlier_ones_and_shapes_have_their_areas() -> None:
    """Areas of unhidden shapes in units of the squared radius, from geometry; radii are uniform from 5 to 12."""
    full = {"ellipse": np.pi * 0.65, "square": 1.6**2, "triangle": 0.75 * np.sqrt(3), "cross": 0.6 * (4 - 0.6)}
    counts = np.array([[((c == 4 + kind) & (n == 1)).sum() for kind in range(4)]
                       for c, n in zip(scenes().classes, scenes().instances, strict=True)])  # fmt: skip
    most = {name: full[name] * 12**2 for name in full}
    for found, name in zip(counts.max(0), full, strict=True):
        assert 0.4 * most[name] < found < 1.05 * most[name]
    last = [image.max() for image in scenes().instances]
    whole = [(n == top).sum() for n, top in zip(scenes().instances, last, strict=True) if top > 0]
    first = [(n == 1).sum() for n in scenes().instances]
    assert np.mean(whole) > np.mean(first)


def test_textures_differ_in_look_and_noise_is_everywhere() -> None:
    image, classes, _ = draw_scene(np.random.default_rng(3))
    assert image.shape == (64, 64, 3) and classes.shape == (64, 64)
    steps = np.abs(np.diff(image.astype(int), axis=1))
    assert (steps.sum(-1) > 0).mean() > 0.95  # noise: neighbours are almost never alike


@pytest.mark.parametrize(("pool", "count", "message"), [("C", 1, "pool='C'; choose from train, A, B"),
                                                        ("A", 0, "count=0 images; at least 1")])  # fmt: skip
def test_wrong_requests(pool: str, count: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        draw_scenes(pool, count)
