"""The minibatch of noise that proxies look at, and its passes through a network, which they share."""

import copy
import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional

WEIGHTED = (nn.Conv2d, nn.Linear)
RECTIFIERS = (nn.ReLU, nn.ReLU6, nn.Hardswish)  # nearly piecewise linear, off below zero; a hard sigmoid is a gate


@dataclass(frozen=True)
class Minibatch:
    """Noise in place of data: `batch` images with sides of `resolution` pixels, drawn by a seed."""

    resolution: int = 96
    batch: int = 8
    seed: int = 0

    def __post_init__(self) -> None:
        if self.resolution < 1 or self.batch < 2 or self.seed < 0:
            raise ValueError(f"{self}: allowed are resolution >= 1, batch >= 2 (to normalise by it) and seed >= 0")

    def draw(self) -> tuple[Tensor, torch.Generator]:
        """Return images [N, 3, resolution, resolution] from N(0, 1), and the generator, to draw more from."""
        generator = torch.Generator().manual_seed(self.seed)
        images = torch.randn(self.batch, 3, self.resolution, self.resolution, generator=generator)
        return images.contiguous(memory_format=torch.channels_last), generator


@dataclass
class Forward:
    """What one pass leaves behind: class scores [N, C], weights and outputs of layers that have weights, and a kernel.

    kernel [N, N]: how many units of rectifiers two images agree on, both switching it on or both off.
    """

    images: Tensor
    scores: Tensor = field(init=False)
    weights: list[Tensor] = field(default_factory=list)
    outputs: list[Tensor] = field(default_factory=list)
    kernel: Tensor = field(init=False)

    def __post_init__(self) -> None:
        self.kernel = torch.zeros(len(self.images), len(self.images), dtype=torch.float64)

    def note_layer(self, module: nn.Module, _: tuple[Tensor], output: Tensor) -> None:
        """Keep weight and output of a layer (a forward hook)."""
        self.weights.append(module.get_parameter("weight"))
        self.outputs.append(output)

    def note_rectifier(self, _: nn.Module, given: tuple[Tensor], __: Tensor) -> None:
        """Add the units of a rectifier to the kernel (a forward hook)."""
        on = (given[0].detach().flatten(1) > 0).float()  # [N, units]
        count = on.sum(1)
        self.kernel += on.shape[1] - count - count[:, None] + 2 * on @ on.T


class Passes:
    """A network, a minibatch, and the passes that proxies look at, each done when first asked for.

    network: images [N, 3, H, W] -> class scores [N, C]; it is left as it is.
    """

    def __init__(self, network: nn.Module, minibatch: Minibatch) -> None:
        self.network = network
        self.minibatch = minibatch

    @functools.cached_property
    def forward(self) -> Forward:
        """The forward pass in training mode."""
        network = copy.deepcopy(self.network).train()
        for parameter in network.parameters():
            parameter.data = channels_last(parameter.data)
        found = Forward(self.minibatch.draw()[0].requires_grad_())
        hook_forward(network, WEIGHTED, found.note_layer)
        hook_forward(network, RECTIFIERS, found.note_rectifier)
        hook_forward(network, nn.Hardsigmoid, _hard_sigmoid)
        found.scores = network(found.images)
        return found

    @functools.cached_property
    def gradients(self) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """The gradients of L by weights and by outputs, which can be differentiated once more."""
        forward, (_, generator) = self.forward, self.minibatch.draw()
        labels = torch.randint(forward.scores.shape[1], (len(forward.images),), generator=generator)
        loss = functional.cross_entropy(forward.scores, labels)
        found = torch.autograd.grad(loss, [*forward.weights, *forward.outputs], create_graph=True)
        return found[: len(forward.weights)], found[len(forward.weights) :]


def channels_last(values: Tensor) -> Tensor:
    """Lay out the weights of a convolution as is fastest on a processor."""
    return values.contiguous(memory_format=torch.channels_last) if values.ndim == 4 else values


Kinds: TypeAlias = type[nn.Module] | tuple[type[nn.Module], ...]
Hook: TypeAlias = Callable[[nn.Module, tuple[Tensor], Tensor], Tensor | None]


def hook_forward(network: nn.Module, kinds: Kinds, hook: Hook) -> None:
    """Call `hook(module, inputs, output)` behind every module of some kinds; what it returns replaces the output."""
    for module in network.modules():
        if isinstance(module, kinds):
            module.register_forward_hook(hook)


def _hard_sigmoid(_: nn.Module, given: tuple[Tensor], __: Tensor) -> Tensor:
    """Return the same function, from parts that PyTorch can differentiate twice."""
    return functional.relu6(given[0] + 3) / 6
