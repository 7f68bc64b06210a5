"""Panoptic quality by hand and against plain Python; grouping; what the head is taught."""

from functools import cache

import numpy as np
import numpy.typing as npt
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from hypothesis import given, strategies as st
from torchmetrics.detection import PanopticQuality

from autobuild_book.chapters.panoptic.task import grouping
from autobuild_book.chapters.panoptic.task.grouping import centres_of_pixels, find_centres, group
from autobuild_book.chapters.panoptic.task.images import CLASSES, STUFF, VOID, Scenes, draw_scenes
from autobuild_book.chapters.panoptic.task.lessons import LossWeights, centres_of_things, lessons, panoptic_loss
from autobuild_book.chapters.panoptic.task.network import Prediction
from autobuild_book.chapters.panoptic.task.quality import (
    LABELS,
    Segments,
    Tally,
    compare,
    labels,
    standard_error,
    true_segments,
)

ELLIPSE, SQUARE = 4, 5
Grid = npt.NDArray[np.int64]


def scene(classes: list[list[int]], instances: list[list[int]]) -> Scenes:
    """One small image."""
    both = [np.array([part], dtype=np.uint8) for part in (classes, instances)]
    return Scenes(np.zeros((*both[0].shape, 3), np.uint8), *both)


def tally(predicted: Scenes, true: Scenes) -> Tally:
    return compare(true_segments(predicted), true_segments(true))


def numbers(found: Tally) -> list[list[float]]:
    """Rows: overlap, matched, extra, missed; columns: classes."""
    return [part.sum(0).tolist() for part in (found.overlap, found.matched, found.extra, found.missed)]


# -------------------------------------------------------------------- by hand


def test_a_perfect_prediction_is_one() -> None:
    true = scene([[0, 0, 1], [4, 4, 1]], [[0, 0, 0], [1, 1, 0]])
    assert labels(tally(true, true)) == dict.fromkeys(LABELS, 1.0)


def test_numbers_of_instances_do_not_matter() -> None:
    true = scene([[4, 4, 4, 4]], [[1, 1, 2, 2]])
    assert labels(tally(scene([[4, 4, 4, 4]], [[7, 7, 3, 3]]), true))["pq"] == 1
    merged = labels(tally(scene([[4, 4, 4, 4]], [[1, 1, 1, 1]]), true))
    assert merged["pq"] == 0  # an overlap of exactly one half is no match


def test_overlaps_by_hand() -> None:
    """Stuff 0: 5 of 6 pixels in common of 7 together; ellipse: 2 of 3 found; one square too many, one missed."""
    true = scene([[0, 0, 0, 0, 0, 0, 4, 4, 4, 5, 5]], [[0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2]])
    guess = scene([[0, 0, 0, 0, 0, 5, 4, 4, 0, 4, 4]], [[0, 0, 0, 0, 0, 1, 2, 2, 0, 3, 3]])
    found = tally(guess, true)
    overlap = [5 / 7, 0, 0, 0, 2 / 3, 0, 0, 0]
    assert numbers(found)[0] == pytest.approx(overlap)
    assert numbers(found)[1:] == [[1, 0, 0, 0, 1, 0, 0, 0], [0, 0, 0, 0, 1, 1, 0, 0], [0, 0, 0, 0, 0, 1, 0, 0]]
    ellipse = (2 / 3) / 1.5
    expected = {"pq": (5 / 7 + ellipse) / 3, "sq": (5 / 7 + 2 / 3) / 3, "rq": (1 + 1 / 1.5) / 3,
                "pq_things": ellipse / 2, "sq_things": 1 / 3, "rq_things": 1 / 3,
                "pq_stuff": 5 / 7, "sq_stuff": 5 / 7, "rq_stuff": 1}  # fmt: skip
    assert labels(found) == pytest.approx(expected)


def test_the_right_pixels_with_the_wrong_class_are_two_mistakes() -> None:
    found = tally(scene([[5, 5]], [[1, 1]]), scene([[4, 4]], [[1, 1]]))
    assert numbers(found) == [[0] * 8, [0] * 8, [0, 0, 0, 0, 0, 1, 0, 0], [0, 0, 0, 0, 1, 0, 0, 0]]


def test_void_pixels_count_for_nothing() -> None:
    true = scene([[0, 0, VOID, VOID]], [[0, 0, 0, 0]])
    assert labels(tally(scene([[0, 0, 0, 0]], [[0] * 4]), true))["pq"] == 1
    mostly_void = tally(scene([[4, 1, 4, 4]], [[1, 0, 1, 1]]), true)
    assert numbers(mostly_void)[2] == [0, 1] + [0] * 6  # two thirds of the ellipse lie in void
    half_void = tally(scene([[4, 1, 4, 1]], [[1, 0, 1, 0]]), true)
    assert numbers(half_void)[2] == [0, 1, 0, 0, 1, 0, 0, 0]
    assert numbers(mostly_void)[3] == numbers(half_void)[3] == [1] + [0] * 7


def test_images_do_not_match_each_other() -> None:
    one, other = scene([[0, 1]], [[0, 0]]), scene([[1, 0]], [[0, 0]])
    both = Scenes(*(np.concatenate([getattr(one, n), getattr(other, n)]) for n in ("images", "classes", "instances")))
    swapped = Scenes(*(getattr(both, n)[::-1] for n in ("images", "classes", "instances")))
    assert labels(tally(both, both))["pq"] == 1 and labels(tally(swapped, both))["pq"] == 0


# -------------------------------------------------------------------- against other code


def plain_quality(predicted: Scenes, true: Scenes) -> dict[str, float]:
    """Panoptic quality written down from its definition, segment by segment, with sets of pixels."""
    sums = {kind: [0.0, 0, 0, 0] for kind in range(8)}
    for image in range(len(true)):
        ours, theirs = (segments_of(s, image) for s in (predicted, true))
        void = set(np.flatnonzero(true.classes[image].ravel() == VOID).tolist())
        matched: set[tuple[int, int]] = set()
        for (kind, _), pixels in theirs.items():
            for (guess, other), guessed in ours.items():
                overlap = len(pixels & guessed) / len((pixels | guessed) - void)
                if kind == guess and overlap > 0.5:
                    sums[kind][0] += overlap
                    sums[kind][1] += 1
                    matched |= {(guess, other)}
                    break
            else:
                sums[kind][3] += 1
        for (guess, other), guessed in ours.items():
            sums[guess][2] += (guess, other) not in matched and len(guessed & void) / len(guessed) <= 0.5
    found = [[iou / (tp + fp / 2 + fn / 2), iou / tp if tp else 0.0, tp / (tp + fp / 2 + fn / 2)]
             for iou, tp, fp, fn in sums.values() if tp + fp + fn]  # fmt: skip
    return dict(zip(("pq", "sq", "rq"), np.mean(found, axis=0) if found else [0.0] * 3, strict=True))


def segments_of(scenes: Scenes, image: int) -> dict[tuple[int, int], set[int]]:
    pairs = list(zip(scenes.classes[image].ravel().tolist(), scenes.instances[image].ravel().tolist(), strict=True))
    return {pair: {i for i, other in enumerate(pairs) if other == pair} for pair in set(pairs) if pair[0] != VOID}


@st.composite
def images(draw: st.DrawFn, with_void: bool) -> Scenes:
    """Two images of 3 x 4 pixels with few segments, so that many of them match."""
    kinds = st.lists(st.sampled_from([0, 1, 4, 5] + [VOID] * with_void), min_size=9, max_size=9)
    numbers = draw(st.lists(st.integers(0, 8), min_size=24, max_size=24))
    chosen = np.array(draw(kinds), dtype=np.uint8)  # the class of each possible segment
    number = np.array(numbers, dtype=np.uint8).reshape(2, 3, 4)
    if draw(st.booleans()):
        number = np.sort(number, axis=2)
    classes = chosen[number]
    instances = np.where((classes >= 4) & (classes != VOID), 1 + number % 7, 0).astype(np.uint8)
    unique = classes.astype(int) * 10 + instances
    first = {int(u): i for i, u in reversed(list(enumerate(unique.ravel())))}
    assert len(first) >= 1
    owner = {}  # an instance belongs to one class: later ones with its number become stuff
    for image in range(2):
        for c, n in zip(classes[image].ravel(), instances[image].ravel(), strict=True):
            owner.setdefault((image, int(n)), int(c))
    for image in range(2):
        wrong = np.array([[n > 0 and owner[image, int(n)] != c for c, n in zip(cs, ns, strict=True)]
                          for cs, ns in zip(classes[image], instances[image], strict=True)])  # fmt: skip
        classes[image][wrong], instances[image][wrong] = 0, 0
    return Scenes(np.zeros((2, 3, 4, 3), np.uint8), classes, instances)


@given(images(with_void=False), images(with_void=True))
def test_as_written_down_from_the_definition(predicted: Scenes, true: Scenes) -> None:
    found, expected = labels(tally(predicted, true)), plain_quality(predicted, true)
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def noisy_copy(true: Scenes, seed: int) -> Scenes:
    """A prediction that is right in many places: the truth shifted, with some classes exchanged, and no void."""
    rng = np.random.default_rng(seed)
    classes, instances = (np.roll(part, 2, axis=(1, 2)) for part in (true.classes, true.instances))
    exchanged = np.arange(256, dtype=np.uint8)
    exchanged[4:8] = rng.permutation(4) + 4
    classes = np.where(rng.random((len(true), 1, 1)) < 0.3, exchanged[classes], classes)
    return Scenes(true.images, np.where(classes == VOID, 0, classes), instances)


def test_as_torchmetrics_says() -> None:
    true = draw_scenes("A", 30)
    predicted = noisy_copy(true, 0)
    things, stuff = set(range(4, 8)), set(range(4))
    metric = PanopticQuality(things, stuff, allow_unknown_preds_category=True, return_sq_and_rq=True)
    both = [torch.from_numpy(np.stack([s.classes, s.instances], -1).astype(np.int64)) for s in (predicted, true)]
    found = labels(tally(predicted, true))
    assert [found[name] for name in ("pq", "sq", "rq")] == pytest.approx(metric(*both).tolist())


def test_large_images_as_written_down_from_the_definition() -> None:
    true = draw_scenes("A", 6)
    predicted = noisy_copy(true, 0)
    found, expected = labels(tally(predicted, true)), plain_quality(predicted, true)
    assert {name: found[name] for name in expected} == pytest.approx(expected) and 0.2 < found["pq"] < 0.9


def test_the_standard_error_is_that_of_leaving_each_image_out() -> None:
    true = draw_scenes("A", 12)
    found = tally(noisy_copy(true, 1), true)
    left = []
    for image in range(12):
        kept = np.arange(12) != image
        parts = (part[kept] for part in (found.overlap, found.matched, found.extra, found.missed))
        left.append(labels(Tally(*parts))["pq"])
    assert standard_error(found) == pytest.approx(np.sqrt(11 * np.var(left)))
    with pytest.raises(ValueError, match=r"1 images; .* at least 2"):
        standard_error(found[:1])


# -------------------------------------------------------------------- grouping


def prediction(classes: Grid, heights: dict[tuple[int, int], float], target: tuple[float, float]) -> Prediction:
    """One image of 32 x 32: classes, heights of centres at (row, column), and offsets that all lead to one place."""
    scores = F.one_hot(torch.from_numpy(classes), len(CLASSES)).permute(2, 0, 1)[None].float()
    centres = torch.zeros(1, 32, 32)
    for (row, column), height in heights.items():
        centres[0, row, column] = height
    offsets = torch.tensor(target)[:, None, None] - centres_of_pixels(32)
    return Prediction(scores, centres, offsets[None])


def test_pixels_belong_to_the_centre_that_they_point_to() -> None:
    classes = np.full((32, 32), ELLIPSE)
    near_first, near_second = (14.0, 9.0), (52.0, 43.0)  # x, y; the centres are at (x, y) = (15, 9) and (51, 41)
    heights = {(4, 7): 0.9, (20, 25): 0.8, (9, 9): grouping.LEAST_CENTRE - 0.01}
    for target, number in ((near_first, 4), (near_second, 5)):
        found = group(prediction(classes, heights, target))
        assert set(np.unique(found.numbers)) == {number} and found.classes[0, number] == ELLIPSE


def test_stuff_is_one_segment_whatever_its_offsets() -> None:
    classes = np.zeros((32, 32), dtype=np.int64)
    classes[:, 16:] = 3
    found = group(prediction(classes, {(4, 7): 0.9, (20, 25): 0.8}, (15, 9)))
    assert set(np.unique(found.numbers)) == {0, 3} and found.classes[0, [0, 3]].tolist() == [0, 3]
    assert (found.numbers[0, :, :31] == 0).all() and (found.numbers[0, :, 33:] == 3).all()


def test_a_thing_has_the_class_of_most_of_its_pixels() -> None:
    classes = np.full((32, 32), SQUARE)
    classes[:10] = ELLIPSE
    found = group(prediction(classes, {(4, 7): 0.9}, (15, 9)))
    assert set(np.unique(found.numbers)) == {4} and found.classes[0, 4] == SQUARE


def test_only_the_highest_of_neighbours_is_a_centre() -> None:
    heights = torch.zeros(2, 32, 32)
    heights[0, 5, 5], heights[0, 5, 7], heights[0, 5, 9] = 0.9, 0.8, 0.85
    places, is_centre = find_centres(heights)
    assert places[0][is_centre[0]].tolist() == [5 * 32 + 5, 5 * 32 + 9]
    assert is_centre[1].sum() == 1  # nothing is high enough: things still need a centre


def test_nothing_is_left_void_and_every_segment_has_its_kind() -> None:
    torch.manual_seed(0)
    found = group(Prediction(torch.randn(5, 8, 32, 32), torch.rand(5, 32, 32), 9 * torch.randn(5, 2, 32, 32)))
    assert found.numbers.shape == (5, 64, 64)
    for classes, numbers in zip(found.classes, found.numbers, strict=True):
        present = np.unique(numbers)
        assert (classes[present[present < 4]] == present[present < 4]).all()
        assert (classes[present[present >= 4]] >= len(STUFF)).all() and (classes[present] < len(CLASSES)).all()


# -------------------------------------------------------------------- what is taught, and limits


@cache
def drawn() -> Scenes:
    return draw_scenes("train", 60)


def perfect() -> Prediction:
    """What a head without any mistake would say at half resolution."""
    taught = lessons(drawn())
    known = drawn().classes != VOID
    one_hot = np.eye(8, dtype=np.float32)[np.where(known, drawn().classes, 0)] * known[..., None]
    classes = F.avg_pool2d(torch.from_numpy(one_hot).permute(0, 3, 1, 2), 2)
    return Prediction(classes, taught.centres.float(), taught.offsets.float().nan_to_num())


def test_a_perfect_head_is_limited_by_its_resolution_only() -> None:
    found = labels(compare(group(perfect()), true_segments(drawn())))
    assert 0.88 < found["pq"] < 0.97 and found["rq"] > 0.95 and found["rq_stuff"] == 1


def test_one_stuff_everywhere_is_worth_next_to_nothing() -> None:
    all_stuff = Segments(np.zeros((60, 64, 64), np.int64), np.zeros((60, 1), np.int64))
    found = labels(compare(all_stuff, true_segments(drawn())))
    assert 0 < found["pq"] < 0.03 and found["pq_things"] == 0


def test_centres_are_means_of_visible_pixels() -> None:
    small = scene([[0] * 64] * 64, [[0] * 64] * 64)
    small.instances[0, 10:14, 20:30], small.classes[0, 10:14, 20:30] = 2, ELLIPSE
    small.instances[0, 10:12, 20:22], small.classes[0, 10:12, 20:22] = 1, SQUARE
    centres, is_there = centres_of_things(small)
    assert is_there[0].tolist() == [False, True, True] + [False] * 5
    assert centres[0, 1].tolist() == [21, 11]
    x = (4 * 10 * 25 - 4 * 21) / 36
    assert centres[0, 2].tolist() == pytest.approx([x, (4 * 10 * 12 - 4 * 11) / 36])


def test_maps_lead_to_centres() -> None:
    taught, (centres, is_there) = lessons(drawn()), centres_of_things(drawn())
    owner = torch.from_numpy(drawn().instances[:, ::2, ::2]).long()
    offsets = taught.offsets.float()
    known = ~offsets.isnan().any(1)
    aims = (centres_of_pixels(32) + offsets).permute(0, 2, 3, 1)[known]
    expected = centres[torch.arange(60)[:, None, None].expand_as(owner)[known], owner[known]]
    torch.testing.assert_close(aims, expected, rtol=0, atol=0.02)
    assert 0.5 < known.float().mean() / (owner > 0).float().mean() < 1
    assert (taught.centres.flatten(1).amax(1) > 0.9).all() and taught.centres.min() >= 0
    image, number = torch.nonzero(is_there)[0].tolist()
    x, y = (centres[image, number] / 2).long().tolist()
    assert taught.centres[image, y, x] > 0.9


def test_the_loss_by_hand() -> None:
    one = lessons(drawn()[:1])
    scores = torch.zeros(1, 8, 32, 32)
    head = Prediction(scores, one.centres.float() + 0.1, one.offsets.float().nan_to_num() + 3)
    found = panoptic_loss(head, one, LossWeights(centres=30, offsets=0.25))
    assert found.item() == pytest.approx(np.log(8) + 30 * 0.01 + 0.25 * 3, rel=1e-4)


def test_void_pixels_teach_nothing() -> None:
    one = lessons(drawn()[:1])
    torch.manual_seed(0)
    head = Prediction(torch.randn(1, 8, 32, 32), one.centres.float(), one.offsets.float().nan_to_num())
    before = panoptic_loss(head, one, LossWeights())
    one.classes[0, :32] = VOID
    top = F.cross_entropy(grouping.enlarge(head.classes)[:, :, 32:], one.classes[:, 32:].long())
    assert panoptic_loss(head, one, LossWeights()).item() == pytest.approx(top.item(), rel=1e-5) != before.item()
