"""Moments of batch normalisation: by hand, and against one pass over each batch."""

import pytest
import torch
from torch import Tensor, nn

from autobuild_book.imagenet.moments import measure_moments


def numbers(*values: float, images: int) -> Tensor:
    """Images of one channel, which share the values."""
    return torch.tensor(values, dtype=torch.float32).view(images, 1, 1, -1)


def test_moments_are_means_over_batches_by_their_images() -> None:
    first, second = nn.BatchNorm2d(1, eps=1e-12), nn.BatchNorm2d(1, eps=1e-12)
    nn.init.constant_(first.weight, 2), nn.init.constant_(first.bias, 1)
    network = nn.Sequential(first, nn.ReLU(), second)
    batches = [numbers(0, 2, images=2), numbers(3, 5, images=1), numbers(7, 11, images=1)]
    measure_moments(network, batches)
    assert first.running_mean.item() == (2 * 1 + 4 + 9) / 4
    assert first.running_var.item() == (2 * 1 + 1 + 4) / 4
    assert second.running_mean.item() == pytest.approx(1.5)  # each batch becomes -1 and 3, of which 0 and 3 pass
    assert second.running_var.item() == pytest.approx(2.25)
    assert not network.training


def test_with_one_batch_the_network_gives_what_it_gives_in_training() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 2, 3), nn.BatchNorm2d(2))
    images = torch.randn(5, 3, 8, 8)
    with torch.no_grad():
        expected = network.train()(images)
    measure_moments(network, [images])
    assert torch.allclose(network(images), expected, atol=1e-6)
    before = [moment.clone() for moment in network.buffers() if moment.ndim]
    measure_moments(network, [images])
    assert all(map(torch.allclose, [moment for moment in network.buffers() if moment.ndim], before))
    assert all(parameter.requires_grad for parameter in network.parameters())


def test_without_images_it_is_an_error() -> None:
    with pytest.raises(ValueError, match="images"):
        measure_moments(nn.BatchNorm2d(1), [])
