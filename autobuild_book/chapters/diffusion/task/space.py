"""The search space of inpainting U-Nets, and what each architecture costs (paper, Section 5.3, at a laptop's size)."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_lib.spaces import Architecture, SequenceSpace, Unit
from autobuild_lib.spaces.sequence import Codes

STAGES = ("D1", "D2", "M", "U2", "U1")
SIDES = (8, 4, 2, 4, 8)  # pixels along a side of each stage's feature maps
WIDTHS, ATTENTION = (16, 32, 48), ("no", "yes")
INPUTS, STEM, TIME, TIME_WAVES = 3, 16, 64, 32  # channels of the input, the stem and the time embedding

Numbers = npt.NDArray[np.int64]


@functools.cache
def unet_space() -> SequenceSpace:
    """Return the 18^5 U-Nets: five stages of 1 to 3 residual blocks, each with a width and with attention or not."""
    stage = Unit(min_layers=1, max_layers=3, features={"width": WIDTHS, "attention": ATTENTION})
    return SequenceSpace("diffusion_unets", [stage] * len(STAGES), {"block": ["residual"]})


@dataclass(frozen=True)
class Stage:
    """What one stage is made of."""

    width: int
    blocks: int
    attention: bool


def stages(architecture: Architecture) -> tuple[Stage, ...]:
    """Return the five stages of an architecture; one of another space is a `SpaceError`."""
    units = unet_space().adopt(architecture).units()
    return tuple(Stage(unit["width"], len(unit["layers"]), unit["attention"] == "yes") for unit in units)


def costs(architectures: Sequence[Architecture]) -> pd.DataFrame:
    """Return `macs` (of one network call on one image) and `parameters` of each architecture, one row each."""
    return costs_of_codes(unet_space().to_codes(architectures))


def costs_of_codes(codes: Codes) -> pd.DataFrame:
    """Return the costs of architectures given by their codes [N, code_width]; exact, without building a network."""
    blocks = unet_space().depths(codes).T  # [5, N]
    width, attention = unet_space().unit_choices(codes).T  # [5, N]; the position of attention is 0 or 1
    widths = np.array(WIDTHS)[width]
    macs = np.full(len(codes), 9 * INPUTS * STEM * SIDES[0] ** 2 + (TIME_WAVES + TIME) * TIME)
    parameters = np.full(len(codes), (9 * INPUTS + 1) * STEM + (TIME_WAVES + 1 + TIME + 1) * TIME)
    for inputs, width, n, has, side in zip(_stage_inputs(widths), widths, blocks, attention, SIDES, strict=True):
        first, later = _block_costs(inputs, width, has, side), _block_costs(width, width, has, side)
        macs += first[0] + (n - 1) * later[0]
        parameters += first[1] + (n - 1) * later[1]
    macs += 9 * widths[-1] * SIDES[-1] ** 2
    parameters += 11 * widths[-1] + 1  # normalisation and the last convolution
    return pd.DataFrame({"macs": macs, "parameters": parameters})


def _stage_inputs(widths: Numbers) -> tuple[Numbers, ...]:
    """Channels that enter each stage: widths [5, N] -> five times [N]."""
    d1, d2, middle, u2, _ = widths
    return np.full_like(d1, STEM), d1, d2, middle + d2, u2 + d1


def _block_costs(inputs: Numbers, width: Numbers, attention: Numbers, side: int) -> tuple[Numbers, Numbers]:
    """Multiply-adds and parameters of one residual block, with its attention if it has one."""
    pixels, shortcut, square = side**2, inputs * width * (inputs != width), width**2
    macs = (9 * (inputs * width + square) + shortcut) * pixels + TIME * width
    macs += attention * (4 * square * pixels + 2 * width * pixels**2)
    parameters = 9 * (inputs * width + square) + shortcut + TIME * width
    parameters += 2 * inputs + (5 + (inputs != width)) * width  # normalisations and biases
    return macs, parameters + attention * (4 * square + 6 * width)
