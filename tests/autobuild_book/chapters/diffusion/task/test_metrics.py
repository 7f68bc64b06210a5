"""Frechet distance, the labels of a network, and trivial baselines."""

from pathlib import Path

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given, strategies as st

from autobuild_book.chapters.diffusion.task import metrics
from autobuild_book.chapters.diffusion.task.images import digits
from autobuild_book.chapters.diffusion.task.metrics import (
    baselines,
    evaluation_stream,
    feature_network,
    features,
    frechet_distance,
    image_labels,
    network_labels,
    train_features,
)
from autobuild_book.chapters.diffusion.task.space import unet_space
from autobuild_book.chapters.diffusion.task.training import Recipe
from autobuild_book.chapters.diffusion.task.unet import UNet

RECIPE = Recipe()


def rows(seed: int, n: int = 40, width: int = 5) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, width)) @ rng.normal(size=(width, width)) + rng.normal(size=width)


# -------------------------------------------------------------------- Frechet distance


def test_identical_sets_have_distance_zero() -> None:
    assert frechet_distance(rows(0), rows(0)) == pytest.approx(0, abs=1e-9)
    real = features(digits().labels)
    assert frechet_distance(real, real[::-1]) == pytest.approx(0, abs=1e-9)


def test_two_gaussians_by_hand() -> None:
    a = np.array([[-1.0], [1.0]])  # mean 0, variance 2
    b = np.array([[2.0], [8.0]])  # mean 5, variance 18: 25 + (sqrt(18) - sqrt(2))^2
    assert frechet_distance(a, b) == pytest.approx(25 + 8)


@given(st.lists(st.floats(-5, 5), min_size=5, max_size=5), st.floats(0.1, 3))
def test_shift_and_scale(shift: list[float], scale: float) -> None:
    first = rows(1)
    centred = first - first.mean(0)
    total = np.trace(np.cov(first, rowvar=False))
    assert frechet_distance(first, first + shift) == pytest.approx(np.square(shift).sum(), abs=1e-8)
    assert frechet_distance(centred, centred * scale) == pytest.approx((scale - 1) ** 2 * total, abs=1e-8)


@given(st.integers(0, 50), st.integers(0, 50))
def test_it_agrees_with_the_matrix_square_root_and_is_symmetric(one: int, two: int) -> None:
    a, b = rows(one), rows(two, n=30)
    s, t = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    expected = np.square(a.mean(0) - b.mean(0)).sum() + np.trace(s + t - 2 * scipy.linalg.sqrtm(s @ t).real)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-6, abs=1e-6)
    assert frechet_distance(b, a) == pytest.approx(frechet_distance(a, b), rel=1e-6, abs=1e-6)


def test_fewer_rows_than_features_are_no_problem() -> None:
    assert np.isfinite(frechet_distance(rows(0, n=3, width=8), rows(1, n=4, width=8)))


@pytest.mark.parametrize(("n", "m", "width"), [(1, 5, 5), (5, 1, 5), (5, 5, 4), (0, 5, 5)])
def test_sets_that_cannot_be_compared(n: int, m: int, width: int) -> None:
    with pytest.raises(ValueError, match="at least 2 rows"):
        frechet_distance(np.zeros((n, 5)), np.zeros((m, width)))


# -------------------------------------------------------------------- the classifier


def accuracy(network: torch.nn.Module) -> float:
    data = digits()
    with torch.no_grad():
        return float((network(data.labels).argmax(1) == data.labels_classes).float().mean())


def test_the_classifier_knows_digits_it_never_saw() -> None:
    assert accuracy(feature_network()) > 0.97
    found = features(digits().labels)
    assert found.shape == (250, 32) and found.dtype == np.float64 and np.isfinite(found).all()


def test_it_can_be_trained_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = train_features(tmp_path / "again.safetensors")
    assert accuracy(network) > 0.97
    assert {k: v.shape for k, v in network.state_dict().items()} == {
        k: v.shape for k, v in feature_network().state_dict().items()
    }
    content = bytearray((tmp_path / "again.safetensors").read_bytes())
    content[-1] ^= 1
    (tmp_path / "again.safetensors").write_bytes(content)
    monkeypatch.setattr(metrics, "WEIGHTS", tmp_path / "again.safetensors")
    with pytest.raises(ValueError, match=r"again\.safetensors: sha256"):
        feature_network.__wrapped__()


# -------------------------------------------------------------------- labels


def test_every_image_is_evaluated_with_several_masks() -> None:
    asked = [("labels", 0), ("labels", 0), ("labels", 1), ("final", 0)]
    one, again, other_seed, final = (evaluation_stream(half, seed, RECIPE) for half, seed in asked)
    assert torch.equal(one.images[:250], digits().labels) and torch.equal(one.images[750:], digits().labels)
    assert torch.equal(final.images[:250], digits().final)
    assert torch.equal(one.noise, again.noise) and torch.equal(one.masks, again.masks)
    for other in (other_seed, final):
        assert not torch.equal(one.noise, other.noise) and not torch.equal(one.masks, other.masks)
    assert not torch.equal(one.masks[:250], one.masks[250:500])
    assert torch.equal(one.times.sort().values, (torch.arange(1000) + 0.5) / 1000)


def test_perfect_inpainting_has_no_error() -> None:
    batch = evaluation_stream("labels", 0, RECIPE)
    found = image_labels(batch.images, batch, digits().labels)
    assert found["masked_mse"] == 0 and found["log_distance"] < -5  # not lower: four copies have another n / (n - 1)


def test_squared_error_is_a_mean_over_masked_pixels() -> None:
    batch = evaluation_stream("labels", 0, RECIPE)
    found = image_labels(batch.images + 0.5 * batch.masks, batch, digits().labels)
    assert found["masked_mse"] == pytest.approx(0.25) and found["log_distance"] > 0


def test_labels_of_a_network_depend_on_half_and_seed() -> None:
    torch.manual_seed(0)
    network = UNet(unet_space().parse("|".join(["width16;no;residual"] * 5))).eval()
    recipe = Recipe(masks_per_image=1, euler_steps=2)
    asked = [("labels", 0), ("labels", 0), ("labels", 1), ("final", 0)]
    first, again, *others = (network_labels(network, half, seed, recipe) for half, seed in asked)
    assert list(first) == ["log_distance", "masked_mse", "flow_loss"] and first == again
    for other in others:
        assert all(first[name] != other[name] and np.isfinite(other[name]) for name in first)
    with pytest.raises(ValueError, match="choose from labels, final"):
        network_labels(network, "test", 0, recipe)


# -------------------------------------------------------------------- baselines


def test_baselines_in_their_order() -> None:
    for half in ("labels", "final"):
        found = baselines(half, seed=0)
        assert list(found.index) == ["mean training image", "noise", "random training image", "nearest training image"]
        assert np.isfinite(found.to_numpy()).all()
        assert found["log_distance"].idxmin() == found["masked_mse"].idxmin() == "nearest training image"
        assert found["masked_mse"].idxmax() == "noise"
        pd_again = baselines(half, seed=0)
        assert found.equals(pd_again) and not found.equals(baselines(half, seed=1))


def test_the_nearest_training_image_is_nearest_where_it_is_seen() -> None:
    batch = next(evaluation_stream("labels", 0, RECIPE).split(20))
    seen = 1 - batch.masks
    filled = metrics._nearest_fill(batch, np.random.default_rng(0))
    ours = ((filled - batch.images) * seen).square().flatten(1).sum(1)
    every = ((digits().train[None, :, 0] - batch.images) * seen).square().flatten(2).sum(2)
    torch.testing.assert_close(ours, every.min(1).values)
    assert ours.max() > 0  # images that are held out are not among those of the training
