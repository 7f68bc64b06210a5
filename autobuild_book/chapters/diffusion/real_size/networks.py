"""The U-Nets of the space as diffusers' own modules; needs `pip install 'autobuild-book[sd]'`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from autobuild_book.chapters.diffusion.real_size.counting import CONTEXT, INPUTS, OUTPUTS, SIDE, TOKENS
from autobuild_book.chapters.diffusion.real_size.extra import UNet2DConditionModel
from autobuild_book.chapters.diffusion.real_size.files import weights_file
from autobuild_book.chapters.diffusion.real_size.space import stages
from autobuild_lib.spaces import Architecture
from autobuild_lib.storage import read_json

# What no architecture changes. `attention_head_dim` is diffusers' name for the number of heads of such U-Nets.
FIXED: Mapping[str, Any] = {
    "sample_size": SIDE,
    "in_channels": INPUTS,
    "out_channels": OUTPUTS,
    "cross_attention_dim": CONTEXT,
    "attention_head_dim": 8,
    "norm_num_groups": 32,
}


def configuration(architecture: Architecture, fixed: Mapping[str, Any] = FIXED) -> dict[str, Any]:
    """Return what `UNet2DConditionModel.from_config` takes: the fixed part, and the choices of an architecture.

    Raises `ValueError` for a width that the number of groups or of attention heads does not divide.
    """
    levels, middle = stages(architecture)
    widths = [level.width for level in levels]
    for name in ("norm_num_groups", "attention_head_dim"):
        if np.any(np.remainder(widths, fixed[name])):
            raise ValueError(f"{architecture}: widths {widths} must be multiples of {name}={fixed[name]}")
    down = ["CrossAttnDownBlock2D" if level.encoder else "DownBlock2D" for level in levels]
    up = ["CrossAttnUpBlock2D" if level.decoder else "UpBlock2D" for level in reversed(levels)]
    return {
        **fixed,
        "block_out_channels": widths,
        "layers_per_block": [level.blocks for level in levels],
        "down_block_types": down,
        "up_block_types": up,
        "mid_block_type": "UNetMidBlock2DCrossAttn" if middle else "UNetMidBlock2D",
    }


def build(
    architecture: Architecture, device: torch.device | str = "meta", fixed: Mapping[str, Any] = FIXED
) -> nn.Module:
    """Return the U-Net of an architecture as a `UNet2DConditionModel` with random weights, in evaluation mode.

    Args:
        architecture: of any `unet_space`.
        device: "meta" gives shapes without memory; the original's weights take 3.4 GB elsewhere.
        fixed: the rest of the configuration, by default that of the real U-Net.
    """
    with torch.device(device):
        network: nn.Module = UNet2DConditionModel.from_config(configuration(architecture, fixed))
    return network.eval()


def count(architecture: Architecture) -> tuple[int, int]:
    """Return multiply-adds and parameters as PyTorch counts them on the meta device: slow, but independent of `costs`.

    PyTorch counts matrix products, convolutions and attention, two operations per multiply-add.
    """
    network = build(architecture)
    latents = torch.empty(1, INPUTS, SIDE, SIDE, device="meta")
    text = torch.empty(1, TOKENS, CONTEXT, device="meta")
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(latents, torch.empty((), device="meta"), text)
    return counter.get_total_flops() // 2, sum(p.numel() for p in network.parameters())


def inherit(architecture: Architecture, weights: Path, seed: int) -> tuple[nn.Module, float]:
    """Build a U-Net and give it the weights of a pipeline's U-Net where they fit; return it and their share.

    A tensor is copied when the given U-Net has one of the same name and shape: stages that keep their width, number of
    blocks and attention, next to stages that keep their width, are inherited whole. All others stay random, drawn by
    `seed`: such a network has to be fine-tuned before its quality means anything. The share is that of its parameters.

    Raises:
        ValueError: when `weights` is not the folder of a pipeline with an inpainting U-Net.
    """
    fixed = read_configuration(weights / "unet" / "config.json")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = build(architecture, "cpu", fixed)
    state = network.state_dict()
    path = weights_file(weights / "unet")
    try:
        with safe_open(path, "pt") as file:
            names = set(file.keys()) & state.keys()
            fitting = [n for n in sorted(names) if file.get_slice(n).get_shape() == list(state[n].shape)]
            copied = {name: file.get_tensor(name) for name in fitting}
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path}: not a readable safetensors file ({error})") from None
    network.load_state_dict({**state, **copied})
    return network, sum(tensor.numel() for tensor in copied.values()) / sum(tensor.numel() for tensor in state.values())


def read_configuration(path: Path) -> dict[str, Any]:
    """Read the configuration of an inpainting `UNet2DConditionModel`; anything else is a `ValueError`."""
    try:
        described = read_json(path, "a configuration")
    except OSError as error:
        raise ValueError(f"{path}: not a readable configuration ({error})") from None
    if (kind := described.get("_class_name")) != "UNet2DConditionModel":
        raise ValueError(f"{path}: describes a {kind}, expected a UNet2DConditionModel")
    config = {**FIXED, **described}
    if config["in_channels"] != 2 * config["out_channels"] + 1:
        channels = f"{config['in_channels']} input and {config['out_channels']} output channels"
        raise ValueError(f"{path}: {channels}; for inpainting, the input is noisy latents, mask and visible latents")
    return config
