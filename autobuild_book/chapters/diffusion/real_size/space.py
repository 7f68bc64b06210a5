"""The search space around the U-Net of Stable Diffusion v1 for inpainting (paper, Section 5.3).

A level is what works at one resolution: an encoder stage and the decoder stage that takes up its skip connections. In
diffusers' `UNet2DConditionModel` both have the same width, and the decoder one residual block more; attention is free.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

from autobuild_lib.spaces import Architecture, SequenceSpace, Unit

LEVELS = ("L1", "L2", "L3", "L4")
MIDDLE = "M"
STAGES = (*LEVELS, MIDDLE)
NAME = "stable_diffusion_unets"
# Three fifths, four fifths and all of the original's channels: multiples of 32, the number of groups of every
# normalisation, and so of the 8 attention heads.
WIDTHS = ((192, 256, 320), (384, 512, 640), (768, 1024, 1280), (768, 1024, 1280))
ATTENTION = ("no", "yes")
BLOCKS = 3  # residual blocks of an encoder stage, at most


@functools.cache
def unet_space(widths: tuple[tuple[int, ...], ...] = WIDTHS, name: str = NAME) -> SequenceSpace:
    """Return the 36^4 x 2 U-Nets: four levels of 1 to 3 residual blocks, and a middle stage.

    A level chooses its width, and transformer blocks behind the residual blocks of its encoder (`encoder`) and of its
    decoder (`decoder`). The middle stage is one residual block, or two with a transformer block between them.

    Args:
        widths: channels that each level can have, from the finest resolution down.
        name: of the space.
    """
    levels = [Unit(1, BLOCKS, {"width": channels, "encoder": ATTENTION, "decoder": ATTENTION}) for channels in widths]
    return SequenceSpace(name, [*levels, Unit(1, 1, {"middle": ATTENTION})], {"block": ["residual"]})


@dataclass(frozen=True)
class Stage:
    """What one level is made of; the decoder has one residual block more than the encoder."""

    width: int
    blocks: int
    encoder: bool
    decoder: bool


def stages(architecture: Architecture) -> tuple[tuple[Stage, ...], bool]:
    """Return the levels of an architecture of any `unet_space`, and whether its middle stage has attention."""
    *levels, middle = architecture.units()
    parts = (Stage(u["width"], len(u["layers"]), u["encoder"] == "yes", u["decoder"] == "yes") for u in levels)
    return tuple(parts), middle["middle"] == "yes"


def original() -> Architecture:
    """Return the U-Net of Stable Diffusion v1: two blocks per level, attention everywhere but in the fourth level.

    Source: R. Rombach et al., "High-Resolution Image Synthesis with Latent Diffusion Models", 2022, and the published
    configuration of its U-Net.
    """
    return of_stages([Stage(channels[-1], 2, level < 3, level < 3) for level, channels in enumerate(WIDTHS)], True)


def of_stages(levels: Sequence[Stage], middle: bool) -> Architecture:
    """Return the architecture of these levels and this middle stage; `SpaceError` when it is not in the space."""
    units: list[dict[str, object]] = [
        {
            "width": level.width,
            "encoder": ATTENTION[level.encoder],
            "decoder": ATTENTION[level.decoder],
            "layers": ["residual"] * level.blocks,
        }
        for level in levels
    ]
    return unet_space().architecture([*units, {"middle": ATTENTION[middle], "layers": ["residual"]}])
