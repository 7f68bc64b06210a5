"""What the tests of zero-cost proxies measure with."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from autobuild_book.chapters.shared.models.proxies import Minibatch

SMALL = Minibatch(resolution=4, batch=3, seed=5)
CLASSES = 6


def seeded(make: Callable[[], nn.Module]) -> nn.Module:
    torch.manual_seed(1)
    return make()


def plain() -> nn.Sequential:
    layers = (nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 5, 1), nn.BatchNorm2d(5))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 2))


def small(*extra: nn.Module, activation: Callable[[], nn.Module] = nn.ReLU) -> nn.Sequential:
    stem = (nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), activation())
    return nn.Sequential(*stem, *extra, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10))


class Returns(nn.Module):
    """A network that has a branch that it does not use, and returns what a function makes of its scores."""

    def __init__(self, made: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.body, self.unused, self.made = seeded(small), nn.Conv2d(3, 8, 3), made

    def forward(self, images: Tensor) -> Any:
        return self.made(self.body(images))
