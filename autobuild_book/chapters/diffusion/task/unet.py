"""The U-Nets of the space as PyTorch modules: residual blocks, self-attention, two skip connections.

The blocks are those of Ho et al., "Denoising Diffusion Probabilistic Models", 2020.
"""

import math

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from autobuild_book.chapters.diffusion.task.space import INPUTS, STEM, TIME, TIME_WAVES, Stage, stages
from autobuild_lib.spaces import Architecture

GROUPS = 8
SLOWEST = 1e-3  # frequency of the slowest wave of the time embedding, of the fastest


class Attention(nn.Module):
    """Self-attention of one head over all pixels, added to its input [B, C, H, W]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(GROUPS, width)
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map x [B, C, H, W] to the same shape."""
        tokens = self.norm(x).flatten(2).transpose(1, 2)  # [B, HW, C]
        q, k, v = self.queries_keys_values(tokens).chunk(3, -1)
        weights = (q @ k.transpose(1, 2) / math.sqrt(x.shape[1])).softmax(-1)  # [B, HW, HW]
        added: Tensor = self.output(weights @ v).transpose(1, 2)
        return x + added.reshape(x.shape)


class Block(nn.Module):
    """Two convolutions around a shortcut, told the time, and attention behind them if the stage has it."""

    def __init__(self, inputs: int, width: int, attention: bool) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.GroupNorm(GROUPS, inputs), nn.SiLU(), nn.Conv2d(inputs, width, 3, padding=1))
        self.time = nn.Linear(TIME, width)
        self.second = nn.Sequential(nn.GroupNorm(GROUPS, width), nn.SiLU(), nn.Conv2d(width, width, 3, padding=1))
        self.shortcut = nn.Conv2d(inputs, width, 1) if inputs != width else nn.Identity()
        self.attention = Attention(width) if attention else nn.Identity()

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """Map x [B, inputs, H, W] and time [B, TIME] to [B, width, H, W]."""
        h = self.first(x) + self.time(time)[:, :, None, None]
        out: Tensor = self.attention(self.shortcut(x) + self.second(h))
        return out


class UNetStage(nn.Module):
    """The residual blocks of one stage, one after the other."""

    def __init__(self, inputs: int, stage: Stage) -> None:
        super().__init__()
        fan_ins = [inputs] + [stage.width] * (stage.blocks - 1)
        self.blocks = nn.ModuleList(Block(n, stage.width, stage.attention) for n in fan_ins)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """Map x [B, inputs, H, W] to [B, width, H, W]."""
        for block in self.blocks:
            x = block(x, time)
        return x


class UNet(nn.Module):
    """Velocity of masked pixels from the noisy pixels, the mask and the visible pixels."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        d1, d2, middle, u2, u1 = stages(architecture)
        self.stem = nn.Conv2d(INPUTS, STEM, 3, padding=1)
        self.time = nn.Sequential(nn.Linear(TIME_WAVES, TIME), nn.SiLU(), nn.Linear(TIME, TIME), nn.SiLU())
        self.d1, self.d2 = UNetStage(STEM, d1), UNetStage(d1.width, d2)
        self.middle = UNetStage(d2.width, middle)
        self.u2, self.u1 = UNetStage(middle.width + d2.width, u2), UNetStage(u2.width + d1.width, u1)
        self.head = nn.Sequential(nn.GroupNorm(GROUPS, u1.width), nn.SiLU(), nn.Conv2d(u1.width, 1, 3, padding=1))
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # a tenth faster with attention

    def forward(self, noisy: Tensor, mask: Tensor, visible: Tensor, times: Tensor) -> Tensor:
        """Map three times [B, 1, 8, 8] and times [B] in [0, 1] to a velocity [B, 1, 8, 8]."""
        time = self.time(waves(times))
        x = torch.cat([noisy, mask, visible], 1).contiguous(memory_format=torch.channels_last)
        first = self.d1(self.stem(x), time)
        second = self.d2(F.avg_pool2d(first, 2), time)
        x = self.middle(F.avg_pool2d(second, 2), time)
        x = self.u2(torch.cat([F.interpolate(x, scale_factor=2.0), second], 1), time)
        x = self.u1(torch.cat([F.interpolate(x, scale_factor=2.0), first], 1), time)
        velocity: Tensor = self.head(x)
        return velocity


def waves(times: Tensor) -> Tensor:
    """Return sines and cosines of times [B] at 16 frequencies, [B, 32] (Vaswani et al., 2017)."""
    frequencies = torch.logspace(0, math.log10(SLOWEST), TIME_WAVES // 2, device=times.device) / SLOWEST
    angles = times[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], 1)
