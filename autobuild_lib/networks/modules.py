"""The networks themselves, as PyTorch modules with untrained weights."""

from collections import OrderedDict
from collections.abc import Callable

from torch import Tensor, nn

from autobuild_lib.networks.blueprint import Block, Blueprint, Convolution, blueprint
from autobuild_lib.spaces import Architecture

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU, "relu6": nn.ReLU6, "hard_swish": nn.Hardswish, "hard_sigmoid": nn.Hardsigmoid,
}  # fmt: skip


def layers(plan: Convolution) -> list[nn.Module]:
    """Return a convolution with its batch normalisation and activation."""
    sizes = plan.inputs, plan.outputs, plan.kernel, plan.stride, plan.kernel // 2
    convolution = nn.Conv2d(*sizes, groups=plan.groups, bias=plan.bias)
    normalisation = [nn.BatchNorm2d(plan.outputs)] if plan.normalised else []
    return [convolution, *normalisation, *([ACTIVATIONS[plan.activation]()] if plan.activation else [])]


class SqueezeExcitation(nn.Module):
    """Multiply every channel by a weight in [0, 1] that depends on the means of all channels.

    Hu et al., "Squeeze-and-Excitation Networks" (CVPR 2018). Shapes: x [N, C, H, W] -> [N, C, H, W].
    """

    def __init__(self, reduce: Convolution, restore: Convolution) -> None:
        super().__init__()
        self.weight = nn.Sequential(nn.AdaptiveAvgPool2d(1), *layers(reduce), *layers(restore))

    def forward(self, x: Tensor) -> Tensor:
        """Return the reweighted channels."""
        product: Tensor = x * self.weight(x)
        return product


class MBConv(nn.Module):
    """A mobile inverted bottleneck. Shapes: x [N, C, H, W] -> [N, C', H / stride, W / stride].

    Sandler et al., "MobileNetV2" (CVPR 2018); with squeeze-and-excitation Howard et al., "MobileNetV3" (ICCV 2019).
    """

    def __init__(self, plan: Block) -> None:
        super().__init__()
        expand = layers(plan.expand) if plan.expand else []
        depthwise = layers(plan.depthwise)  # in this order, which is that of the weights' random draws
        squeeze = [SqueezeExcitation(*plan.squeeze)] if plan.squeeze else []
        self.body = nn.Sequential(*expand, *depthwise, *squeeze, *layers(plan.project))
        self.residual = plan.residual

    def forward(self, x: Tensor) -> Tensor:
        """Return the projected channels, plus the input where shapes allow it."""
        y: Tensor = self.body(x)
        return x + y if self.residual else y


def build(architecture: Architecture) -> nn.Sequential:
    """Return the network of an architecture: images [N, 3, resolution, resolution] -> class scores [N, 1000].

    Parts: `stem`, `first`, `units` (a sequence per unit, a block per layer), `head`, `classifier`; weights from
    PyTorch's global generator. Raises `SpaceError` for an architecture of a space without networks.
    """
    return network(blueprint(architecture))


def network(plan: Blueprint) -> nn.Sequential:
    """Return the network of a blueprint, as `build` does."""
    head = [*layers(plan.expand), nn.AdaptiveAvgPool2d(1), *(layers(plan.mix) if plan.mix else []), nn.Flatten()]
    stem, first = nn.Sequential(*layers(plan.stem)), MBConv(plan.first)
    units = nn.Sequential(*(nn.Sequential(*map(MBConv, unit)) for unit in plan.units))
    parts = {"stem": stem, "first": first, "units": units, "head": nn.Sequential(*head)}
    return nn.Sequential(OrderedDict(parts, classifier=nn.Linear(*plan.classifier)))
