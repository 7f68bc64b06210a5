"""The elastic panoptic network: a backbone whose weights hold those of every smaller one, and a panoptic head.

Weights are shared as in Cai et al., "Once-for-All" (ICLR 2020): a smaller expansion uses the first channels, a smaller
kernel the centre, a shallower stage the first layers. The head follows Cheng et al., "Panoptic-DeepLab" (CVPR 2020).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from autobuild_book.chapters.panoptic.task import space
from autobuild_book.chapters.panoptic.task.images import CLASSES
from autobuild_book.chapters.panoptic.task.space import HEAD, HEAD_LAYER, STEM, Stages
from autobuild_lib.spaces import Architecture

FAST_WIDTH = 3  # of kernels whose weight gradient PyTorch computes fast for separate channels
EPSILON = 1e-5


@dataclass(frozen=True)
class Prediction:
    """What the head says at half resolution: class scores [N, 8, 32, 32], centres [N, 32, 32], offsets [N, 2, 32, 32].

    Centres are near 1 where a thing has its centre. Offsets lead from a pixel to it, as (x, y) in pixels of the image.
    """

    classes: Tensor
    centres: Tensor
    offsets: Tensor


class DepthwiseConvolution(torch.autograd.Function):
    """Convolve every channel by itself, padded by half the kernel. Shapes: x [N, C, H, W], weight [C, 1, k, k].

    As `conv2d` with as many groups as channels, but with a fast gradient: on CPUs that of a kernel wider than 3 takes
    several times as long as those of its strips, 3 columns wide.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, stride: int) -> Tensor:
        """Return the convolved channels."""
        ctx.save_for_backward(x, weight)
        ctx.stride = stride
        return F.conv2d(x, weight, None, stride, weight.shape[-1] // 2, groups=x.shape[1])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None]:
        """Return the gradients of input and weight."""
        x, weight = ctx.saved_tensors
        (of_output,), stride, kernel = gradients, ctx.stride, weight.shape[-1]
        half = kernel // 2

        def gradient(x: Tensor, part: Tensor, across: int, needed: list[bool]) -> Any:
            return torch.ops.aten.convolution_backward(
                of_output, x, part, None, [stride] * 2, [half, across], [1, 1], False, [0, 0], len(weight), needed
            )

        to_x: Tensor = gradient(x, weight, half, [True, False, False])[0]
        padded, span = F.pad(x, (half, half)), stride * (of_output.shape[-1] - 1)
        strips = [(first, min(FAST_WIDTH, kernel - first)) for first in range(0, kernel, FAST_WIDTH)]
        to_weight = [
            gradient(padded[..., first : first + span + width], weight[..., :width], 0, [False, True, False])[1]
            for first, width in strips
        ]
        return to_x, torch.cat(to_weight, -1), None


class SharedConvolution(nn.Module):
    """A convolution with batch normalisation, of which a part can be used: first channels, centre of the kernel.

    Where a batch was seen in training mode, its statistics are those of the evaluation mode.
    """

    mean: Tensor
    variance: Tensor

    def __init__(self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1, depthwise: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, 1 if depthwise else inputs, kernel, kernel))
        nn.init.kaiming_normal_(self.weight, mode="fan_in")
        self.scale, self.shift = nn.Parameter(torch.ones(outputs)), nn.Parameter(torch.zeros(outputs))
        self.register_buffer("mean", torch.zeros(outputs), persistent=False)
        self.register_buffer("variance", torch.ones(outputs), persistent=False)
        self.stride, self.depthwise = stride, depthwise

    def part(self, inputs: int, outputs: int, kernel: int) -> Tensor:
        """Return the weights that a smaller convolution uses."""
        margin = (self.weight.shape[-1] - kernel) // 2
        centre = slice(margin, margin + kernel)
        return self.weight[:outputs, : 1 if self.depthwise else inputs, centre, centre]

    def forward(self, x: Tensor, outputs: int, kernel: int = 1) -> Tensor:
        """Map x [N, inputs, H, W] to [N, outputs, H / stride, W / stride]."""
        weight = self.part(x.shape[1], outputs, kernel)
        if self.depthwise and kernel > FAST_WIDTH:
            y = DepthwiseConvolution.apply(x, weight, self.stride)  # type: ignore[no-untyped-call]
        else:
            y = F.conv2d(x, weight, None, self.stride, kernel // 2, groups=x.shape[1] // weight.shape[1])
        mean, variance, scale, shift = (p[:outputs] for p in (self.mean, self.variance, self.scale, self.shift))
        return F.batch_norm(y, mean, variance, scale, shift, self.training, momentum=1.0, eps=EPSILON)


class MBConv(nn.Module):
    """An inverted bottleneck of at most the given expansion and kernel (Sandler et al., "MobileNetV2", CVPR 2018)."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int, kernel: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        self.expand = SharedConvolution(inputs, hidden)
        self.depthwise = SharedConvolution(hidden, hidden, kernel, stride, depthwise=True)
        self.project = SharedConvolution(hidden, outputs)
        self.outputs, self.residual = outputs, stride == 1 and inputs == outputs
        if self.residual:
            nn.init.zeros_(self.project.scale)  # the layer begins as the identity

    def forward(self, x: Tensor, expansion: int, kernel: int) -> Tensor:
        """Map x [N, inputs, H, W] to [N, outputs, H / stride, W / stride] with a part of the weights."""
        hidden = x.shape[1] * expansion
        y = F.relu_(self.expand(x, hidden))
        y = F.relu_(self.depthwise(y, hidden, kernel))
        y = self.project(y, self.outputs)
        mapped: Tensor = x + y if self.residual else y
        return mapped


class PanopticNetwork(nn.Module):
    """The network of an architecture, and of all architectures that it contains."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture, self.stages = architecture, space.stages(architecture)
        with torch.random.fork_rng(devices=[]):  # as `torch.manual_seed` says, without going on in its stream
            self.stem = SharedConvolution(3, STEM, kernel=3, stride=2)
            self.units = nn.ModuleList(_units(self.stages))
            self.lateral = nn.ModuleList(nn.Conv2d(width, HEAD, 1) for width in space.WIDTHS)
            self.head = MBConv(HEAD, HEAD, 1, HEAD_LAYER.expansion, HEAD_LAYER.kernel)
            self.output = nn.Conv2d(HEAD, space.OUTPUTS, 1)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, images: Tensor, architecture: Architecture | None = None) -> Prediction:
        """Segment images [N, 3, 64, 64] with the whole network, or with the part that is another architecture."""
        x, features = F.relu_(self.stem(images, STEM, 3)), []
        parts = zip(self.units, self.layers_of(architecture), self.lateral, strict=True)
        for unit, layers, lateral in parts:
            for block, layer in zip(unit.children(), layers, strict=False):
                x = block(x, layer.expansion, layer.kernel)
            features.append(lateral(x))
        y = self.head(_add_up(features), HEAD_LAYER.expansion, HEAD_LAYER.kernel)
        classes, centres, offsets = self.output(y).split([len(CLASSES), 1, 2], 1)
        return Prediction(classes, centres.squeeze(1), offsets)

    def layers_of(self, architecture: Architecture | None) -> Stages:
        """Return the layers of an architecture, None for all; one that is no part of this network is a `ValueError`."""
        if architecture is None:
            return self.stages
        if not space.contains(self.stages, part := space.stages(architecture)):
            raise ValueError(f"{architecture}: not a part of the network of {self.architecture}")
        return part

    def extract(self, architecture: Architecture) -> "PanopticNetwork":
        """Return a network of its own for an architecture that this one contains, with a copy of its weights."""
        self.layers_of(architecture)
        part = PanopticNetwork(architecture)
        ours = dict(self.named_parameters())
        with torch.no_grad():
            for name, weight in part.named_parameters():
                weight.copy_(_crop(ours[name], weight.shape))
        return part


def _units(stages: Stages) -> Iterator[nn.ModuleList]:
    inputs = STEM
    for layers, width, stride in zip(stages, space.WIDTHS, space.STRIDES, strict=True):
        plans = [(inputs, width, stride), *[(width, width, 1)] * (len(layers) - 1)]
        pairs = zip(plans, layers, strict=True)
        yield nn.ModuleList(MBConv(*plan, layer.expansion, layer.kernel) for plan, layer in pairs)
        inputs = width


def _crop(tensor: Tensor, shape: torch.Size) -> Tensor:
    """Return the first channels and the centre of the kernel, in the given shape."""
    margins = [0, 0, *((ours - size) // 2 for ours, size in zip(tensor.shape[2:], shape[2:], strict=True))]
    return tensor[tuple(slice(m, m + size) for m, size in zip(margins, shape, strict=False))]


def _add_up(features: list[Tensor]) -> Tensor:
    """Add feature maps [N, C, H, W] of falling resolution up at twice the highest one."""
    total = features[-1]
    for finer in reversed(features[:-1]):
        total = (total if total.shape == finer.shape else F.interpolate(total, scale_factor=2.0)) + finer
    return F.interpolate(total, scale_factor=2.0)


def as_input(images: Tensor) -> Tensor:
    """Turn bytes [N, 64, 64, 3] into the network's input [N, 3, 64, 64], in [-2, 2]."""
    return images.permute(0, 3, 1, 2).float().sub_(128).div_(64)


@torch.no_grad()
def calibrate(network: PanopticNetwork, images: Tensor) -> PanopticNetwork:
    """Take the statistics of all normalisations from images [N, 3, 64, 64]; return the network in evaluation mode."""
    network.train()(images)
    return network.eval()
