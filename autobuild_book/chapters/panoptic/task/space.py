"""The search space of panoptic backbones, in the paper's grammar, and what each architecture costs."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_book.chapters.panoptic.task.images import CLASSES, SIDE
from autobuild_lib.spaces import Architecture, SequenceSpace, Unit
from autobuild_lib.spaces.sequence import Codes

STEM = 8  # channels of the first convolution, which has stride 2
WIDTHS, STRIDES = (8, 8, 16, 24, 32), (2, 1, 2, 1, 2)  # of the five stages
DEPTHS, EXPANSIONS, KERNELS = (2, 4), (3, 4, 6), (3, 5, 7)
EMBEDDING_WIDTHS = {"unit": 3, "index": 2, "e": 2, "k": 3}  # as in the once-for-all families
HEAD = 16  # channels in which the stages are added up, at half the image's resolution
OUTPUTS = len(CLASSES) + 3  # class scores, centre, two offsets

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Layer:
    """One MBConv layer: its expansion and its kernel."""

    expansion: int
    kernel: int


Stages = tuple[tuple[Layer, ...], ...]
HEAD_LAYER = Layer(expansion=3, kernel=5)


@functools.cache
def backbone_space() -> SequenceSpace:
    """Return the backbones: five units of 2 to 4 MBConv layers, expansion in {3, 4, 6}, kernel in {3, 5, 7}."""
    layers = {"e": EXPANSIONS, "k": KERNELS}
    return SequenceSpace("panoptic_backbones", [Unit(*DEPTHS)] * len(WIDTHS), layers, None, EMBEDDING_WIDTHS)


def _uniform(depth: int, expansion: int, kernel: int) -> Architecture:
    return backbone_space().architecture([[{"e": expansion, "k": kernel}] * depth] * len(WIDTHS))


def largest() -> Architecture:
    """Return the backbone that contains all others."""
    return _uniform(DEPTHS[-1], EXPANSIONS[-1], KERNELS[-1])


def smallest() -> Architecture:
    """Return the backbone that all others contain."""
    return _uniform(DEPTHS[0], EXPANSIONS[0], KERNELS[0])


def stages(architecture: Architecture) -> Stages:
    """Return the layers of the five stages of an architecture; one of another space is a `SpaceError`."""
    adopted = backbone_space().adopt(architecture)
    return tuple(
        tuple(Layer(EXPANSIONS[e], KERNELS[k]) for e, k in codec.layers(adopted.code[codec.place]))
        for codec in backbone_space().codecs
    )


def contains(whole: Stages, part: Stages) -> bool:
    """Whether the weights of `whole` hold those of `part`: as many layers at least, and each at least as large."""
    return all(
        len(ours) >= len(theirs)
        and all(a.expansion >= b.expansion and a.kernel >= b.kernel for a, b in zip(ours, theirs, strict=False))
        for ours, theirs in zip(whole, part, strict=True)
    )


# -------------------------------------------------------------------- costs


def costs(architectures: Sequence[Architecture]) -> pd.DataFrame:
    """Return `macs` (multiply-adds for one image, head included) and `parameters` of each network, one row each."""
    return costs_of_codes(backbone_space().to_codes(architectures))


def costs_of_codes(codes: Codes) -> pd.DataFrame:
    """Return the costs of architectures given by their codes [N, code_width]; exact, without building a network."""
    side, inputs = SIDE // 2, STEM
    totals = np.array([3 * 9 * STEM * side**2, 3 * 9 * STEM + 2 * STEM])[:, None] + _head()[:, None]
    totals = totals.repeat(len(codes), 1)  # [2, N]
    for codec, width, stride in zip(backbone_space().codecs, WIDTHS, STRIDES, strict=True):
        depths, _, layers = codec.split(codes[:, codec.place])
        for index in range(codec.depths[-1]):
            e, k = np.array(EXPANSIONS)[layers[:, index, 0]], np.array(KERNELS)[layers[:, index, 1]]
            after = side // stride if index == 0 else side
            totals += _layer(inputs, width, e, k, side, after) * (index < depths)
            side, inputs = after, width
        totals += [[width * HEAD * side**2], [(width + 1) * HEAD]]  # the stage's way into the head
    return pd.DataFrame(totals.T, columns=["macs", "parameters"])


def _layer(inputs: int, width: int, e: npt.ArrayLike, k: npt.ArrayLike, before: int, after: int) -> Numbers:
    """Count multiply-adds and parameters of MBConv layers, [2, N], between feature maps of two sides."""
    hidden, taps = inputs * np.asarray(e, np.int64), np.square(np.asarray(k, np.int64))
    macs = hidden * (inputs * before**2 + (taps + width) * after**2)
    return np.stack([macs, hidden * (inputs + taps + width) + 2 * (2 * hidden + width)])


def _head() -> Numbers:
    side = SIDE // 2
    layer = _layer(HEAD, HEAD, HEAD_LAYER.expansion, HEAD_LAYER.kernel, side, side)
    return np.add(layer, [HEAD * OUTPUTS * side**2, (HEAD + 1) * OUTPUTS])
