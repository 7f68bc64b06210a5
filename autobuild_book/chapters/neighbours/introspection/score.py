"""Introspectability: how differently a network's neurons respond to the classes that it tells apart.

Carmichael, Moon and Jacobs, "Learning Interpretable Models Through Multi-Objective Neural Architecture Search", arXiv
2112.08645, 2021 (at the AutoML conference of 2023 as "Learning Debuggable Models Through Multi-Objective NAS"). As in
their code, the activations of all layers stand side by side in one vector, images are grouped by the class that the
network predicts, and introspectability is the mean cosine distance between the mean vectors of all pairs of classes.
"""

import numpy as np
import numpy.typing as npt
import torch
from scipy.spatial.distance import pdist
from torch import Tensor, nn

from autobuild_book.chapters.shared.perceptrons import ACTIVATIONS
from autobuild_lib.torch_settings import one_thread

Array = npt.NDArray[np.float64]


def introspectability(activations: Array, predicted: npt.NDArray[np.int64]) -> float:
    """Return the mean cosine distance between classes, from 0 to 2; more is easier to look into.

    Where fewer than two classes are predicted, or no class moves any neuron, nothing is told apart: 0. (The original
    has minus infinity there.)

    Args:
        activations: of all layers side by side, [N, neurons].
        predicted: the class that the network gives to each image, [N].

    Raises:
        ValueError: there is no image, or not a class for each; or an activation is not finite.
    """
    if activations.ndim != 2 or len(activations) != len(predicted) or not len(predicted):
        raise ValueError(f"activations {activations.shape} of {len(predicted)} images; allowed are [images, neurons]")
    if not np.isfinite(activations).all():
        raise ValueError(f"{(~np.isfinite(activations)).sum()} activations are not finite; allowed are finite numbers")
    means = np.array([activations[predicted == each].mean(axis=0) for each in np.unique(predicted)], dtype=np.float64)
    responding = means[np.abs(means).sum(axis=1) > 0]
    return float(pdist(responding, "cosine").mean()) if len(responding) > 1 else 0.0


@torch.no_grad()
@one_thread()
def activations_of(network: nn.Sequential, images: Tensor) -> tuple[Array, npt.NDArray[np.int64]]:
    """Return what comes out of every activation function, [N, neurons], and the predicted classes, [N]."""
    values, kept = images, []
    for layer in network:
        values = layer(values)
        if isinstance(layer, tuple(ACTIVATIONS.values())):
            kept.append(values)
    return torch.cat(kept, dim=1).double().numpy(), values.argmax(1).numpy()
