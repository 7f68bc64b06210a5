"""The importance of stages as the original reads it: from activations, by partial least squares.

Jordao et al., ICPR 2020: the features at the end of a stage are projected on the classes, and the importance of the
stage is the mean of their *variable importance in projection*. An iteration trains the network with all stages
deepened, lets those grow whose importance has risen, and trains the grown network. Networks here are the perceptrons of
the book, whose units are the stages; the original has residual and cell modules on image sets, and 200 epochs each.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from autobuild_book.chapters.neighbours.stagewise.growth import Code, deepen, growing
from autobuild_book.chapters.shared.perceptrons import digits, train
from autobuild_lib.extras import extra
from autobuild_lib.spaces import Architecture, SequenceSpace
from autobuild_lib.torch_settings import one_thread

with extra("book"):
    from sklearn.cross_decomposition import PLSRegression

Array = npt.NDArray[np.float64]
COMPONENTS = 2  # as in the original's code


def variable_importance(features: Array, classes: npt.NDArray[np.int64], components: int = COMPONENTS) -> Array:
    """Return the importance of each feature in projection, [p]; the mean of their squares is 1.

    VIP_j^2 = p sum_h S_h w_jh^2 / sum_h S_h, where w_h is the unit vector of weights of component h, and S_h what the
    component explains of the classes, |t_h|^2 |q_h|^2 by its scores t_h and its loadings q_h.

    Args:
        features: of all samples, [N, p].
        classes: from 0 on, [N].
        components: of the projection, at most p.

    Raises:
        ValueError: features or classes are the same in all samples.
    """
    if np.ptp(classes) == 0 or not np.ptp(features, axis=0).any():
        raise ValueError(f"{len(classes)} samples with the same class or features; allowed are those that differ")
    targets = np.eye(int(classes.max()) + 1)[classes]
    projection = PLSRegression(min(components, features.shape[1])).fit(features, targets)
    explained = (projection.x_scores_**2).sum(0) * (projection.y_loadings_**2).sum(0)  # [components]
    weights = projection.x_weights_**2 / (projection.x_weights_**2).sum(0)
    return np.asarray(np.sqrt(features.shape[1] * weights @ explained / explained.sum()), dtype=np.float64)


@torch.no_grad()
@one_thread()
def importance_of_stages(network: nn.Sequential, architecture: Architecture) -> Array:
    """Return the importance of each unit of a trained perceptron, [units], on the images to train."""
    values, classes = digits("train")
    ends = np.cumsum(architecture.depths) - 1  # by number of layers
    importance, done = [], 0
    for layer in network:
        values = layer(values)
        if isinstance(layer, nn.Dropout):  # the end of a layer
            if done in ends:
                importance.append(variable_importance(values.double().numpy(), classes.numpy()).mean())
            done += 1
    return np.array(importance)


def trained_importance(space: SequenceSpace, seed: int) -> Callable[[Code], Array]:
    """Return what trains a perceptron, given by its code, and says how important its stages are."""

    def importance(code: Code) -> Array:
        (architecture,) = space.from_codes(code[None])
        return importance_of_stages(train(architecture, seed), architecture)

    return importance


def grow_by_importance(
    space: SequenceSpace, start: Code, importance: Callable[[Code], Array], iterations: int = 5
) -> list[Code]:
    """Return the networks of all iterations, the start first; it ends when no stage has become more important."""
    path, before = [start], importance(start)
    for _ in range(iterations):
        units = growing(space, path[-1])
        after = importance(deepen(space, path[-1], units)) if units else before
        rising = [unit for unit in units if after[unit] > before[unit]]
        if not rising:
            break
        path.append(deepen(space, path[-1], rising))
        before = importance(path[-1])
    return path
