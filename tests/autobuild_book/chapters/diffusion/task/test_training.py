"""Images and masks, the loss on masked pixels only, inpainting, and trainings that repeat to the last bit."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import autobuild_lib as ab
from autobuild_book.chapters.diffusion.task import training
from autobuild_book.chapters.diffusion.task.images import digits, draw_masks
from autobuild_book.chapters.diffusion.task.space import unet_space
from autobuild_book.chapters.diffusion.task.training import Batch, Recipe, flow_loss, inpaint, train, training_stream

SMALL = unet_space().parse("|".join(["width16;no;residual"] * 5))
SHORT = Recipe(steps=4, batch_size=8)


@pytest.fixture
def batch() -> Batch:
    return next(training_stream(3, SHORT).split(8))


class Told(nn.Module):
    """A network that returns what it is told, and remembers what it saw."""

    def __init__(self, velocity: Tensor) -> None:
        super().__init__()
        self.velocity, self.seen = velocity, []

    def forward(self, *given: Tensor) -> Tensor:
        self.seen.append(given)
        return self.velocity


# -------------------------------------------------------------------- images and masks


def test_the_split_is_fixed_and_without_overlap() -> None:
    data = digits()
    parts = (data.train, data.labels, data.final)
    assert [tuple(part.shape) for part in parts] == [(1297, 1, 8, 8), (250, 1, 8, 8), (250, 1, 8, 8)]
    assert [len(c) for c in (data.train_classes, data.labels_classes, data.final_classes)] == [1297, 250, 250]
    images = torch.cat(parts).flatten(1)
    assert len(images.unique(dim=0)) == 1797  # no two of the digits are alike, so none is in two parts
    assert images.min() == -1 and images.max() == 1
    assert (data.half("labels") is data.labels) and (data.half("final") is data.final)
    with pytest.raises(ValueError, match="half='test'; choose from labels, final"):
        data.half("test")


def test_classes_stay_with_their_images() -> None:
    data = digits()
    nearest = torch.cdist(data.labels.flatten(1), data.train.flatten(1)).argmin(1)
    assert (data.train_classes[nearest] == data.labels_classes).float().mean() > 0.95


def test_masks_are_rectangles_of_all_sizes_and_places() -> None:
    masks = draw_masks(np.random.default_rng(0), 4000).bool()[:, 0]
    rows, columns = masks.any(2), masks.any(1)
    assert torch.equal(masks, rows[:, :, None] & columns[:, None, :])
    for lines in (rows, columns):
        assert lines.sum(1).unique().tolist() == [4, 5, 6, 7]
        jumps = lines.int().diff(dim=1).abs().sum(1) + lines[:, 0] + lines[:, -1]
        assert (jumps == 2).all()  # one run of pixels
        shares = torch.bincount(lines.sum(1))[4:] / len(masks)
        assert (shares - 0.25).abs().max() < 0.035  # five standard errors
        firsts = torch.bincount(lines.int().argmax(1)[lines.sum(1) == 4])
        assert len(firsts) == 5 and firsts.min() > 130  # of about 200 each


# -------------------------------------------------------------------- loss and inpainting


def test_the_loss_looks_at_masked_pixels_only(batch: Batch) -> None:
    velocity = batch.images - batch.noise
    garbage = torch.full_like(velocity, 1e6)
    assert flow_loss(Told(torch.where(batch.masks.bool(), velocity, garbage)), batch) == 0
    off_by_two = flow_loss(Told(torch.where(batch.masks.bool(), velocity + 2, garbage)), batch)
    assert off_by_two.item() == pytest.approx(4, rel=1e-5)


def test_each_masked_pixel_weighs_the_same() -> None:
    masks = torch.zeros(2, 1, 8, 8)
    masks[0, 0, :4, :4], masks[1, 0, :, :4] = 1, 1  # 16 and 32 pixels
    batch = Batch(torch.zeros(2, 1, 8, 8), masks, torch.zeros(2, 1, 8, 8), torch.zeros(2))
    told = torch.stack([torch.full((1, 8, 8), 3.0), torch.zeros(1, 8, 8)])
    assert flow_loss(Told(told), batch).item() == pytest.approx(9 / 3)


def test_what_the_network_sees(batch: Batch) -> None:
    network = Told(torch.zeros_like(batch.images))
    flow_loss(network, batch)
    ((noisy, masks, visible, times),) = network.seen
    inside, t = batch.masks.bool(), batch.times[:, None, None, None]
    assert torch.equal(masks, batch.masks) and torch.equal(times, batch.times)
    assert (visible[inside] == 0).all() and torch.equal(visible[~inside], batch.images[~inside])
    assert (noisy[~inside] == 0).all()
    torch.testing.assert_close(noisy[inside], (batch.noise + t * (batch.images - batch.noise))[inside])


def test_the_true_velocity_leads_from_noise_to_the_image(batch: Batch) -> None:
    network = Told(batch.images - batch.noise)
    torch.testing.assert_close(inpaint(network, batch, 10), batch.images, rtol=0, atol=1e-5)
    assert [given[3][0].item() for given in network.seen] == pytest.approx([i / 10 for i in range(10)])


def test_inpainting_keeps_visible_pixels_and_never_sees_hidden_ones(batch: Batch) -> None:
    torch.manual_seed(0)
    network = train(SMALL, 0, SHORT)
    hidden = replace(batch, images=torch.where(batch.masks.bool(), torch.rand_like(batch.images), batch.images))
    ours, theirs = inpaint(network, batch, 3), inpaint(network, hidden, 3)
    assert torch.equal(ours, theirs)
    assert torch.equal(ours * (1 - batch.masks), batch.images * (1 - batch.masks))
    assert ours.abs().max() <= 1 and not torch.equal(ours, batch.images)


# -------------------------------------------------------------------- training


def test_a_stream_is_whole_passes_over_the_training_images() -> None:
    stream = training_stream(0, Recipe(steps=30, batch_size=50))
    assert len(stream.images) == len(stream.masks) == len(stream.noise) == len(stream.times) == 1500
    assert len(stream.images[:1297].flatten(1).unique(dim=0)) == 1297
    assert 0 <= stream.times.min() < 0.01 and 0.99 < stream.times.max() < 1
    assert abs(stream.noise.mean()) < 0.02 and abs(stream.noise.std() - 1) < 0.02


def test_a_stream_depends_on_the_seed_only() -> None:
    one, again, other = (training_stream(seed, SHORT) for seed in (5, 5, 6))
    for part in ("images", "masks", "noise", "times"):
        assert torch.equal(getattr(one, part), getattr(again, part))
        assert not torch.equal(getattr(one, part), getattr(other, part))


def weights(network: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def test_the_same_seed_gives_the_same_weights_whatever_was_before() -> None:
    first = weights(train(SMALL, 1, SHORT))
    torch.manual_seed(77)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    assert torch.equal(weights(train(SMALL, 1, SHORT)), first)
    assert torch.equal(torch.get_rng_state(), before) and torch.get_num_threads() == threads
    assert not torch.equal(weights(train(SMALL, 2, SHORT)), first)


def test_training_learns(batch: Batch) -> None:
    untrained = flow_loss(train(SMALL, 0, SHORT), training_stream(9, SHORT))
    trained = flow_loss(train(SMALL, 0, Recipe(steps=60, batch_size=32)), training_stream(9, SHORT))
    assert trained < 0.7 * untrained


def test_the_result_is_the_moving_average_of_the_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = training_stream(0, SHORT)
    monkeypatch.setattr(training, "training_stream", lambda _, recipe: next(stream.split(8 * recipe.steps)))
    recipe = replace(SHORT, weight_average=0.0, decay=1e-9)
    expected = weights(train(SMALL, 0, replace(recipe, steps=1)))
    for steps in (2, 3, 4):
        expected = 0.9 * expected + 0.1 * weights(train(SMALL, 0, replace(recipe, steps=steps)))
    averaged = weights(train(SMALL, 0, replace(recipe, weight_average=0.9)))
    torch.testing.assert_close(averaged, expected, rtol=1e-4, atol=1e-6)
    assert not torch.allclose(averaged, weights(train(SMALL, 0, recipe)), rtol=1e-4, atol=1e-6)


def test_the_learning_rate_warms_up_stays_and_falls() -> None:
    recipe = Recipe()
    rates = [recipe.rate_at(step) for step in range(700)]
    assert rates[:50] == pytest.approx(np.linspace(0.02, 1, 50)) and set(rates[49:421]) == {1.0}
    assert np.diff(rates[420:]) == pytest.approx(-1 / 280) and rates[-1] == pytest.approx(1 / 280)


def test_a_training_that_diverges_is_named() -> None:
    with pytest.raises(ValueError, match=rf"{SMALL.units()[0]['layers'][0]}.*, seed 4: the training diverged"):
        train(SMALL, 4, replace(SHORT, learning_rate=1e30, warm_up=1))


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"batch_size": 0}, {"euler_steps": 0}, {"learning_rate": 0.0},
                                   {"masks_per_image": 0}, {"decay": 0.0}, {"warm_up": 0}])  # fmt: skip
def test_wrong_recipes_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))}=0.*must be at least 1"):
        Recipe(**wrong)


def test_the_id_of_a_recipe_changes_with_every_setting() -> None:
    recipe = Recipe()
    others = [replace(recipe, **{f.name: (0.5, 0.5) if f.name == "betas" else 7}) for f in fields(recipe)]
    assert len({recipe.id, *(other.id for other in others)}) == len(others) + 1
    assert Recipe().id == recipe.id


def test_another_space_is_refused(toy: ab.SequenceSpace) -> None:
    with pytest.raises(ab.SpaceError, match="toy"):
        train(toy.sample(np.random.default_rng(0)), 0, SHORT)
