"""Stacked layers: P predictors of the same shape computed side by side.

Every tensor carries the stack first: embeddings are [P, rows, channels], weights [P, in, out].
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn


def uniform(shape: Sequence[int], bound: float, seeds: Sequence[torch.Generator]) -> nn.Parameter:
    """Return weights [P, *shape], uniform within +-bound, each predictor's from its own generator."""
    return nn.Parameter(torch.stack([torch.empty(*shape).uniform_(-bound, bound, generator=g) for g in seeds]))


class StackedLinear(nn.Module):
    """Affine maps [P, n, in] -> [P, n, out], initialised as PyTorch's (`glorot`: as PyTorch Geometric's GATv2)."""

    def __init__(self, fan_in: int, fan_out: int, seeds: Sequence[torch.Generator], glorot: bool = False) -> None:
        super().__init__()
        bound = math.sqrt(6 / (fan_in + fan_out)) if glorot else 1 / math.sqrt(fan_in)
        self.weight = uniform((fan_in, fan_out), bound, seeds)
        self.bias = uniform((1, fan_out), 1 / math.sqrt(fan_in), seeds)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the map of each predictor to its own x."""
        return torch.baddbmm(self.bias, x, self.weight)


class StackedEmbedding(nn.Module):
    """One learnt vector per value of a categorical feature, [P, values, width], standard normal at first."""

    def __init__(self, values: int, width: int, seeds: Sequence[torch.Generator]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.stack([torch.randn(values, width, generator=g) for g in seeds]))

    def forward(self) -> Tensor:
        """Return the vectors of all values."""
        return self.weight


class StackedScale(StackedLinear):
    """A linear layer 1 -> width over the numbers of a continuous feature, [P, values, width]."""

    numbers: Tensor

    def __init__(self, numbers: Sequence[float], width: int, seeds: Sequence[torch.Generator]) -> None:
        super().__init__(1, width, seeds)
        self.register_buffer("numbers", torch.tensor(numbers)[:, None].expand(len(seeds), -1, 1), persistent=False)

    def forward(self) -> Tensor:  # type: ignore[override]
        """Return the vectors of all numbers."""
        return super().forward(self.numbers)
