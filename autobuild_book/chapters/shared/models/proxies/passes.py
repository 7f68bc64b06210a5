"""The minibatch of noise that proxies look at, and its passes through a network, which they share."""

import copy
import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.utils import parametrize

TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
WEIGHTED = (nn.Conv1d, nn.Conv2d, nn.Conv3d, *TRANSPOSED, nn.Linear)
# Activations between layers, on above zero; sigmoids and hard sigmoids are gates.
RECTIFIERS = (
    *(nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.RReLU, nn.ELU, nn.CELU, nn.SELU, nn.GELU, nn.SiLU, nn.Mish),
    *(nn.Hardswish, nn.Softplus, nn.Hardtanh, nn.Tanh, nn.Softsign),
)


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

    weights: each once. outputs: of every call of a layer, with the dimension that counts its channels in `channels`.
    kernel [N, N]: how many units of rectifiers two images agree on, both switching it on or both off.
    """

    images: Tensor
    scores: Tensor = field(init=False)
    weights: list[Tensor] = field(default_factory=list)
    outputs: list[Tensor] = field(default_factory=list)
    channels: list[int] = field(default_factory=list)
    kernel: Tensor = field(init=False)

    def __post_init__(self) -> None:
        self.kernel = torch.zeros(len(self.images), len(self.images), dtype=torch.float64)

    def note_layer(self, module: nn.Module, _: tuple[Tensor], output: Tensor) -> None:
        """Keep weight and output of a layer (a forward hook)."""
        weight = module.get_parameter("weight")
        if not any(weight is other for other in self.weights):
            self.weights.append(weight)
        if output.requires_grad:
            self.outputs.append(output)
            self.channels.append(output.ndim - 1 if isinstance(module, nn.Linear) else 1)

    def note_rectifier(self, _: nn.Module, inputs: tuple[Tensor], __: Tensor) -> None:
        """Add the units of a rectifier to the kernel (a forward hook)."""
        on = (inputs[0].detach().flatten(1) > 0).float()  # [N, units]
        count = on.sum(1)
        self.kernel += on.shape[1] - count - count[:, None] + 2 * on @ on.T


class Passes:
    """A network, a minibatch, and the passes that proxies look at, each done when first asked for.

    network: images [N, 3, H, W] -> class scores (see `scores_of`); it is left as it is.
    """

    def __init__(self, network: nn.Module, minibatch: Minibatch) -> None:
        self.network = network
        self.minibatch = minibatch

    def copy(self) -> nn.Module:
        """Return a copy with weights that are all trained, as plain parameters, and without operations in place."""
        try:
            network = copy.deepcopy(self.network).cpu()
        except RuntimeError as error:  # of weights that are computed outside `parametrize`
            raise ValueError(f"{type(self.network).__name__} cannot be copied: {_first_line(error)}") from error
        for module in list(network.modules()):
            if parametrize.is_parametrized(module):
                _make_plain(module)
            if hasattr(module, "inplace"):
                setattr(module, "inplace", False)  # noqa: B010
        for parameter in network.parameters():
            parameter.requires_grad_(parameter.is_floating_point())
        return network

    def run(self, network: nn.Module, images: Tensor) -> Tensor:
        """Return what a network makes of images; what it draws comes from the seed."""
        kinds = [parameter.dtype for parameter in network.parameters() if parameter.is_floating_point()]
        with _seeded(self.minibatch.seed), sdpa_kernel(SDPBackend.MATH):  # the one that is differentiable twice
            return scores_of(network(images.to(kinds[0]) if kinds else images))

    @functools.cached_property
    def forward(self) -> Forward:
        """The forward pass in training mode; a network that cannot do it is a `ValueError`."""
        network = self.copy().train()
        for parameter in network.parameters():
            parameter.data = channels_last(parameter.data)
        passed = Forward(self.minibatch.draw()[0].requires_grad_())
        hook_forward(network, WEIGHTED, passed.note_layer)
        hook_forward(network, RECTIFIERS, passed.note_rectifier)
        hook_forward(network, nn.Hardsigmoid, _hard_sigmoid)
        try:
            passed.scores = self.run(network, passed.images)
        except Exception as error:  # whatever the network's own code raises
            reason = f"{type(error).__name__}: {_first_line(error)}"
            raise ValueError(f"{type(network).__name__} does not take {self.minibatch}: {reason}") from error
        return passed

    @functools.cached_property
    def gradients(self) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """The gradients of L by weights and by outputs, which can be differentiated once more; 0 where L has none."""
        forward, (_, generator) = self.forward, self.minibatch.draw()
        labels = torch.randint(forward.scores.shape[1], (len(forward.images),), generator=generator)
        loss = functional.cross_entropy(forward.scores, labels)
        read = [*forward.weights, *forward.outputs]
        gradients = torch.autograd.grad(loss, read, create_graph=True, materialize_grads=True)
        return gradients[: len(forward.weights)], gradients[len(forward.weights) :]


def _make_plain(module: nn.Module) -> None:
    """Turn parametrized tensors into parameters of the same values.

    PyTorch's `remove_parametrizations` changes the class, which a copy shares with the module it was copied from.
    """
    values = {name: getattr(module, name).detach().clone() for name in module.parametrizations}  # type: ignore[union-attr]
    del module.parametrizations
    module.__class__ = type(module).__bases__[0]
    for name, value in values.items():
        module.register_parameter(name, nn.Parameter(value))


def scores_of(output: Any) -> Tensor:
    """Return the class scores [N, C] in what a network returns.

    Of a tuple, a list or a mapping, its first tensor; of a tensor with more dimensions, the mean over those behind C.
    Anything else is a `TypeError`.
    """
    if isinstance(output, Mapping | list | tuple):
        values = list(output.values() if isinstance(output, Mapping) else output)
        tensors = [value for value in values if isinstance(value, Tensor)]
        output = tensors[0] if tensors else output
    if not isinstance(output, Tensor) or output.ndim < 2:
        raise TypeError(f"the network returns {_named(output)}; allowed are tensors [N, C, ...]")
    return output if output.ndim == 2 else output.reshape(*output.shape[:2], -1).mean(2)


def _named(output: Any) -> str:
    return f"a tensor {list(output.shape)}" if isinstance(output, Tensor) else f"a {type(output).__name__}"


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


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


def _hard_sigmoid(_: nn.Module, inputs: tuple[Tensor], __: Tensor) -> Tensor:
    """Return the same function, from parts that PyTorch can differentiate twice."""
    return functional.relu6(inputs[0] + 3) / 6
