"""Moments of batch normalisation, measured again: those of a supernet belong to no network in it."""

from collections.abc import Iterable
from contextlib import ExitStack
from functools import partial

import torch
from torch import Tensor, nn


def measure_moments(network: nn.Module, images: Iterable[Tensor]) -> None:
    """Give every batch normalisation the mean and the variance of what reaches it, and leave the network in `eval`.

    Each batch [N, 3, side, side] passes normalised by its own moments; kept are the means of these moments over
    batches, weighted by their images, as in the once-for-all project. Raises `ValueError` where there are no images.
    """
    layers = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    sums = [torch.zeros(2, layer.num_features, dtype=torch.float64) for layer in layers]
    count = 0
    with ExitStack() as hooks, torch.inference_mode():
        for layer, total in zip(layers, sums, strict=True):
            hooks.enter_context(layer.register_forward_pre_hook(partial(_add, total)))
        network.train()
        for batch in images:
            network(batch)
            count += len(batch)
    if not count:
        raise ValueError("there are no images to measure moments on")
    for layer, total in zip(layers, sums, strict=True):
        mean, variance = (total / count).float()
        layer.load_state_dict(layer.state_dict() | {"running_mean": mean, "running_var": variance})
    network.eval()


def _add(total: Tensor, layer: nn.Module, inputs: tuple[Tensor]) -> None:
    """Add the moments of one batch, times its images."""
    (x,) = inputs
    variance, mean = torch.var_mean(x, dim=(0, 2, 3), correction=0)
    total += len(x) * torch.stack([mean, variance]).double().cpu()
