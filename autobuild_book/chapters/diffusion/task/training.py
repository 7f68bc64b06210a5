"""Training one U-Net by flow matching, and inpainting with it.

Flow matching (Lipman et al., 2023): along `x_t = (1 - t) noise + t image` the velocity is `image - noise`. Only masked
pixels move; the visible ones are an input.
"""

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from autobuild_book.chapters.diffusion.task.images import digits, draw_masks, draw_noise
from autobuild_book.chapters.diffusion.task.unet import UNet
from autobuild_lib.progress import progress_bar
from autobuild_lib.spaces import Architecture
from autobuild_lib.torch_settings import one_thread

TRAINING_STREAM = 0  # numbers of independent random streams of one seed


@dataclass(frozen=True)
class Recipe:
    """How a U-Net is trained and used; the defaults are behind every committed number."""

    steps: int = 700
    batch_size: int = 64
    learning_rate: float = 3e-3
    betas: tuple[float, float] = (0.9, 0.99)
    warm_up: int = 50  # steps
    decay: float = 0.4  # the last part of the steps, in which the learning rate falls linearly
    gradient_clip: float = 1.0
    weight_average: float = 0.99  # of the exponential moving average
    euler_steps: int = 10
    masks_per_image: int = 4  # when it is evaluated

    def __post_init__(self) -> None:
        least = min(self.steps, self.batch_size, self.warm_up, self.euler_steps, self.masks_per_image)
        if least < 1 or not self.learning_rate > 0 or not self.decay > 0:
            raise ValueError(f"{self}: whole numbers must be at least 1, learning_rate and decay above 0")

    @property
    def id(self) -> str:
        """Eight hexadecimal digits that change with every setting."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:8]

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step as a part of the highest."""
        left = (self.steps - step) / (self.decay * self.steps)
        return min(1.0, (step + 1) / self.warm_up, left)


@dataclass(frozen=True)
class Batch:
    """Images, masks and noise, each [B, 1, 8, 8], and times [B]."""

    images: Tensor
    masks: Tensor
    noise: Tensor
    times: Tensor

    def split(self, size: int) -> Iterator["Batch"]:
        """Yield batches of `size` in order."""
        parts = (torch.split(part, size) for part in (self.images, self.masks, self.noise, self.times))
        return (Batch(*part) for part in zip(*parts, strict=True))


def training_stream(seed: int, recipe: Recipe) -> Batch:
    """Draw everything a training sees, the same for every architecture: whole passes over the training images."""
    rng, images, size = np.random.default_rng([seed, TRAINING_STREAM]), digits().train, recipe.steps * recipe.batch_size
    order = np.concatenate([rng.permutation(len(images)) for _ in range(math.ceil(size / len(images)))])[:size]
    times = torch.from_numpy(rng.random(size, dtype=np.float32))
    return Batch(images[order], draw_masks(rng, size), draw_noise(rng, size), times)


def flow_loss(network: nn.Module, batch: Batch) -> Tensor:
    """Mean squared error of the velocity over the masked pixels of a batch."""
    times = batch.times[:, None, None, None]
    noisy = (1 - times) * batch.noise + times * batch.images
    predicted = network(noisy * batch.masks, batch.masks, batch.images * (1 - batch.masks), batch.times)
    wrong: Tensor = (predicted - (batch.images - batch.noise)) * batch.masks
    return wrong.square().sum() / batch.masks.sum()


def train(architecture: Architecture, seed: int, recipe: Recipe | None = None, progress: bool = False) -> UNet:
    """Train a U-Net from scratch and return the moving average of its weights.

    The same seed gives every architecture the same images, masks, noise and times, and the same architecture the same
    weights to the last bit on one machine. One thread. Raises `ValueError` when the training diverges.
    """
    recipe = recipe or Recipe()
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = UNet(architecture).train()
        averaged = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(recipe.weight_average))  # type: ignore[no-untyped-call]
        optimizer = torch.optim.AdamW(network.parameters(), recipe.learning_rate, betas=recipe.betas, fused=True)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, recipe.rate_at)
        batches = training_stream(seed, recipe).split(recipe.batch_size)
        for batch in progress_bar(batches, str(architecture), total=recipe.steps, unit="step", disable=not progress):
            loss = flow_loss(network, batch)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            norm = nn.utils.clip_grad_norm_(network.parameters(), recipe.gradient_clip, foreach=True)
            optimizer.step()
            schedule.step()
            averaged.update_parameters(network)
        if not torch.isfinite(norm + loss):
            raise ValueError(f"{architecture}, seed {seed}: the training diverged (loss {loss.item():g})")
    network.load_state_dict(averaged.module.state_dict())
    return network.eval()


@torch.no_grad()
@one_thread()
def inpaint(network: nn.Module, batch: Batch, euler_steps: int) -> Tensor:
    """Fill the masked pixels of a batch from its noise by Euler steps; images [B, 1, 8, 8] in [-1, 1]."""
    masks, visible = batch.masks, batch.images * (1 - batch.masks)
    state = batch.noise * masks
    for step in range(euler_steps):
        times = torch.full_like(batch.times, step / euler_steps)
        state = state + network(state, masks, visible, times) * masks / euler_steps
    return visible + state.clamp(-1, 1) * masks
