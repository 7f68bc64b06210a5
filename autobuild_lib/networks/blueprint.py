"""Blueprints: the layers of a once-for-all network as plain data, from which modules, counts and graphs are made.

Widths and strides: Cai et al., "Once-for-All" (ICLR 2020), MobileNetV3 at width 1.2 and ProxylessNAS at width 1.3.
"""

import functools
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from autobuild_lib.spaces import Architecture, SequenceSpace, SpaceError, ofa_mbv3, ofa_pn
from autobuild_lib.spaces.codec import UnitCodec
from autobuild_lib.spaces.features import values_of
from autobuild_lib.spaces.ofa import ALLOWED, ALLOWED_TEXT

CLASSES = 1000


@dataclass(frozen=True)
class Stage:
    """What the layers of a unit share; the first of them changes width and resolution."""

    width: int
    stride: int
    activation: str
    squeezes: bool = False


@dataclass(frozen=True)
class Family:
    """A family of networks: stem, a first block without expansion, a stage per unit, head."""

    space: Callable[..., SequenceSpace]
    stem: int
    first: Stage
    stages: tuple[Stage, ...]
    expanded: int  # width in front of the pooling
    mixed: int | None  # width behind the pooling, where that differs
    activation: str  # of stem and head


FAMILIES = {
    "ofa_mbv3": Family(
        space=ofa_mbv3, stem=24, first=Stage(24, 1, "relu"), expanded=1152, mixed=1536, activation="hard_swish",
        stages=(
            Stage(32, 2, "relu"), Stage(48, 2, "relu", squeezes=True), Stage(96, 2, "hard_swish"),
            Stage(136, 1, "hard_swish", squeezes=True), Stage(192, 2, "hard_swish", squeezes=True),
        ),
    ),
    "ofa_pn": Family(
        space=ofa_pn, stem=40, first=Stage(24, 1, "relu6"), expanded=1664, mixed=None, activation="relu6",
        stages=tuple(Stage(w, s, "relu6") for w, s in ((32, 2), (56, 2), (104, 2), (128, 1), (248, 2), (416, 1))),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Convolution:
    """A square convolution padded by half its kernel, then batch normalisation and activation where it has them."""

    inputs: int
    outputs: int
    kernel: int = 1
    stride: int = 1
    groups: int = 1
    activation: str | None = None
    normalised: bool = True
    bias: bool = False

    def side(self, side: int) -> int:
        """Return the side of the output, in pixels, for that of an input."""
        return (side - 1) // self.stride + 1


@dataclass(frozen=True)
class Block:
    """An MBConv layer: expand, convolve each channel by itself, reweight the channels, project; add the input."""

    expand: Convolution | None
    depthwise: Convolution
    squeeze: tuple[Convolution, Convolution] | None  # from the pooled channels to a weight for each
    project: Convolution

    @property
    def convolutions(self) -> tuple[Convolution, ...]:
        """Those that see the whole image, in order."""
        return (*((self.expand,) if self.expand else ()), self.depthwise, self.project)

    @property
    def residual(self) -> bool:
        """Whether the input is added to the output, which needs the same shape."""
        return self.depthwise.stride == 1 and self.convolutions[0].inputs == self.project.outputs


@dataclass(frozen=True)
class Blueprint:
    """All layers of one network, for square images of `resolution` pixels."""

    resolution: int
    stem: Convolution
    first: Block
    units: tuple[tuple[Block, ...], ...]
    expand: Convolution
    mix: Convolution | None
    classifier: tuple[int, int]  # inputs, classes

    @property
    def blocks(self) -> Iterator[Block]:
        """Every block in order."""
        return itertools.chain([self.first], *self.units)


def round_to_eight(width: float) -> int:
    """Round to a multiple of eight, but never by more than a tenth down (the reference networks' rule)."""
    rounded = max(8, int(width + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * width else rounded + 8


@functools.cache
def make_block(inputs: int, stage: Stage, stride: int, expansion: int, kernel: int) -> Block:
    """Return a block of a stage for inputs of the given width."""
    width, activation = inputs * expansion, stage.activation
    reduced = round_to_eight(width // 4)
    reduce = Convolution(width, reduced, activation="relu", normalised=False, bias=True)
    restore = Convolution(reduced, width, activation="hard_sigmoid", normalised=False, bias=True)
    return Block(expand=Convolution(inputs, width, activation=activation) if expansion > 1 else None,
                 depthwise=Convolution(width, width, kernel, stride, groups=width, activation=activation),
                 squeeze=(reduce, restore) if stage.squeezes else None,
                 project=Convolution(width, stage.width))  # fmt: skip


def unit_block(family: Family, unit: int, index: int, expansion: int, kernel: int) -> Block:
    """Return the block at place `index` of a unit."""
    stage = family.stages[unit]
    before = (family.first, *family.stages)[unit].width
    inputs, stride = (stage.width, 1) if index else (before, stage.stride)
    return make_block(inputs, stage, stride, expansion, kernel)


def blueprint(architecture: Architecture, family: Family | None = None) -> Blueprint:
    """Return the layers of an architecture, in another family's widths if given; `SpaceError` for other spaces."""
    space, code, units = architecture.space, architecture.code, []
    usual, (resolutions, expansions, kernels) = family_of(space), choices(space)
    family = family or usual
    for unit, codec in enumerate(space.codecs):
        layers = [(expansions[e], kernels[k]) for _, e, k in codec.layers(code[codec.place])]
        units.append(tuple(unit_block(family, unit, i, e, k) for i, (e, k) in enumerate(layers)))
    return assemble(family, resolutions[code[0]], tuple(units))


def assemble(family: Family, resolution: int, units: tuple[tuple[Block, ...], ...]) -> Blueprint:
    """Put stem, first block and head of a family around the blocks of its units."""
    wide, activation = family.expanded, family.activation
    return Blueprint(
        resolution=resolution,
        stem=Convolution(3, family.stem, kernel=3, stride=2, activation=activation),
        first=make_block(family.stem, family.first, family.first.stride, 1, 3),
        units=units,
        expand=Convolution(family.stages[-1].width, wide, activation=activation),
        mix=Convolution(wide, family.mixed, activation=activation, normalised=False) if family.mixed else None,
        classifier=(family.mixed or wide, CLASSES),
    )


def choices(space: SequenceSpace) -> tuple[list[int], ...]:
    """Return resolutions (in pixels), expansions and kernels in a space with networks, in the order of its codes."""
    (resolution,), (_, expansion, kernel) = space.global_features, space.layer_features
    return tuple([int(value) for value in values_of(feature)] for _, feature in (resolution, expansion, kernel))


@functools.cache
def has_networks(space: SequenceSpace) -> bool:
    """Whether every architecture of `space` is one of a once-for-all family, at a resolution that it allows."""
    if space.name not in FAMILIES:
        return False
    whole = FAMILIES[space.name].space(resolutions=ALLOWED)
    some, every = [{name: set(values_of(c)) for name, c in s.global_features} for s in (space, whole)]
    if some.keys() != every.keys() or any(some[name] - every[name] for name in some):
        return False
    shape, whole_shape = [(s.links, len(s.units)) for s in (space, whole)]
    return shape == whole_shape and all(map(_is_part, space.codecs, whole.codecs))


def _is_part(part: UnitCodec, whole: UnitCodec) -> bool:
    some, every = [{full for _, full in codec.layer_names.values()} for codec in (part, whole)]
    return not part.unit.features and some <= every and set(part.depths) <= set(whole.depths)


def family_of(space: SequenceSpace) -> Family:
    """Return the family of a space; raises `SpaceError` where `has_networks` does not hold."""
    if not has_networks(space):
        allowed = f"{', '.join(FAMILIES)} with their own units and layers, at resolutions {ALLOWED_TEXT}"
        raise SpaceError(f"no networks for architectures of space {space.name!r}; there are for {allowed}")
    return FAMILIES[space.name]
