"""Multiply-adds and parameters of any U-Net of the space, counted for thousands at once without building one.

Counted are the weights and biases of every layer, and the multiply-adds of all convolutions, linear layers and
attention products of one call on one image: 64 x 64 latents of 9 channels and a text of 77 tokens. Normalisations,
activations, additions and the time's sines count parameters only.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_book.chapters.diffusion.real_size.space import LEVELS, unet_space
from autobuild_lib.spaces import Architecture
from autobuild_lib.spaces.features import values_of
from autobuild_lib.spaces.sequence import Codes

INPUTS, OUTPUTS = 9, 4  # channels: noisy latents, mask and visible latents; predicted noise
SIDE = 64  # of the latents
CONTEXT, TOKENS = 768, 77  # of the text
TIME = 4  # width of the time embedding, in widths of the first level
HIDDEN = 4  # width of a transformer block's hidden layer, in its own; gated, so computed twice

Numbers = npt.NDArray[np.int64]  # channels, or blocks, or 0 and 1: [N]
Cost = npt.NDArray[np.int64]  # multiply-adds and parameters [2, N]


def costs(architectures: Sequence[Architecture]) -> pd.DataFrame:
    """Return `macs` (of one network call on one image) and `parameters` of each architecture, one row each."""
    return costs_of_codes(unet_space().to_codes(architectures))


def costs_of_codes(codes: Codes) -> pd.DataFrame:
    """Return the costs of architectures given by their codes [N, code_width]; exact, without building a network."""
    space = unet_space()
    blocks, (place, encoder, decoder, middle) = space.depths(codes).T, space.unit_choices(codes).T  # [5, N] each
    widths = np.array(values_of(dict(space.unit_features)["width"]), dtype=np.int64)[place[:-1]]  # of the levels
    first, time = widths[0], TIME * widths[0]
    total = _convolution(INPUTS, first, 3, SIDE**2) + _norm(first) + _convolution(first, OUTPUTS, 3, SIDE**2)
    total += _linear(first, time) + _linear(time, time)
    total += _middle(widths[-1], time, middle[-1])
    for level in range(len(LEVELS)):
        above, width, below = widths[max(level - 1, 0)], widths[level], widths[min(level + 1, len(LEVELS) - 1)]
        pixels = SIDE**2 // 4**level
        total += _encoder(above, width, time, blocks[level], encoder[level], pixels)
        total += _decoder(above, width, below, time, blocks[level], decoder[level], pixels)
        if level > 0:  # on the way down its input comes by a strided convolution of the level above, which it is to be
            total += _convolution(above, above, 3, pixels)
            total += _convolution(width, width, 3, 4 * pixels)  # on the way up its output is enlarged first
    return pd.DataFrame({"macs": total[0], "parameters": total[1]})


def _encoder(above: Numbers, width: Numbers, time: Numbers, blocks: Numbers, attention: Numbers, pixels: int) -> Cost:
    cost: Cost = _residual(above, width, time, pixels) + (blocks - 1) * _residual(width, width, time, pixels)
    cost += blocks * attention * _transformer(width, pixels)
    return cost


def _decoder(
    above: Numbers, width: Numbers, below: Numbers, time: Numbers, blocks: Numbers, attention: Numbers, pixels: int
) -> Cost:
    """Its first block takes the output of the level below; each takes a skip connection, the last one from above."""
    first, last = _residual(below + width, width, time, pixels), _residual(width + above, width, time, pixels)
    cost: Cost = first + (blocks - 1) * _residual(2 * width, width, time, pixels) + last
    cost += (blocks + 1) * attention * _transformer(width, pixels)
    return cost


def _middle(width: Numbers, time: Numbers, attention: Numbers) -> Cost:
    pixels = SIDE**2 // 4 ** (len(LEVELS) - 1)
    residual = _residual(width, width, time, pixels)
    return residual + attention * (residual + _transformer(width, pixels))


# -------------------------------------------------------------------- blocks and layers


def _residual(inputs: Numbers, width: Numbers, time: Numbers, pixels: int) -> Cost:
    """Two convolutions told the time, around a shortcut that is a convolution where the width changes."""
    cost: Cost = _norm(inputs) + _convolution(inputs, width, 3, pixels) + _linear(time, width)
    cost += _norm(width) + _convolution(width, width, 3, pixels)
    cost += (inputs != width) * _convolution(inputs, width, 1, pixels)
    return cost


def _transformer(width: Numbers, pixels: int) -> Cost:
    """Attention to the image, attention to the text and a gated hidden layer, between two 1x1 convolutions."""
    square, hidden = _linear(width, width, pixels), HIDDEN * width
    without_bias = _linear(width, width, pixels, bias=False)
    cost = 4 * _norm(width) + 2 * square  # around all of it
    cost += 3 * without_bias + square + _products(width, pixels, pixels)
    cost += without_bias + 2 * _linear(CONTEXT, width, TOKENS, bias=False) + square + _products(width, pixels, TOKENS)
    return cost + _linear(width, 2 * hidden, pixels) + _linear(hidden, width, pixels)


def _products(width: Numbers, queries: int, keys: int) -> Cost:
    """Queries times keys, and weights times values; the number of heads makes no difference."""
    return np.stack([2 * width * queries * keys, np.zeros_like(width)])


def _convolution(inputs: Numbers | int, outputs: Numbers | int, kernel: int, pixels: int) -> Cost:
    weights = np.asarray(kernel**2 * inputs * outputs)
    return np.stack([weights * pixels, weights + outputs])


def _linear(inputs: Numbers | int, outputs: Numbers, times: int = 1, bias: bool = True) -> Cost:
    weights = inputs * outputs
    return np.stack([weights * times, weights + bias * outputs])


def _norm(width: Numbers) -> Cost:
    return np.stack([np.zeros_like(width), 2 * width])
