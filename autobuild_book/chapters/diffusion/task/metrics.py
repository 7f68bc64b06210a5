"""How good inpainted images are: Frechet distance in a classifier's features, squared error, and trivial baselines."""

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from autobuild_book.chapters.diffusion.task.images import HALF, HALVES, digits, draw_masks, draw_noise
from autobuild_book.chapters.diffusion.task.training import Batch, Recipe, flow_loss, inpaint
from autobuild_lib.extras import extra
from autobuild_lib.storage import replace_bytes
from autobuild_lib.torch_settings import one_thread
from autobuild_lib.weights import load_weights, weights_bytes

with extra("book"):
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

FEATURES = 32
WEIGHTS = Path(__file__).with_name("features.safetensors")
WEIGHTS_SHA256 = "386c9d18d17e22d1fee2c93457047a84596cf531c33db9785d60aadbcca63b64"
EPOCHS, BATCH_SIZE, LEARNING_RATE = 30, 64, 3e-3

Array = npt.NDArray[np.float64]


class FeatureNetwork(nn.Module):
    """A small classifier of digits; its last hidden layer is where distances are measured."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU(),
            nn.Flatten(), nn.Linear(32 * 16, FEATURES), nn.ReLU(),
        )  # fmt: skip
        self.output = nn.Linear(FEATURES, 10)

    def forward(self, images: Tensor) -> Tensor:
        """Map images [N, 1, 8, 8] to class scores [N, 10]."""
        scores: Tensor = self.output(self.hidden(images))
        return scores


def train_features(path: Path = WEIGHTS, seed: int = 0) -> FeatureNetwork:
    """Train the classifier on the training split, write its weights to `path` and return it (seconds on one core)."""
    data = digits()
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = FeatureNetwork()
        optimizer = torch.optim.Adam(network.parameters(), LEARNING_RATE)
        for _ in range(EPOCHS):
            for rows in torch.split(torch.randperm(len(data.train)), BATCH_SIZE):
                loss = F.cross_entropy(network(data.train[rows]), data.train_classes[rows])
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
    replace_bytes(path, weights_bytes(network))
    return network.eval()


@functools.cache
def feature_network() -> FeatureNetwork:
    """Return the classifier that comes with the library, checked against its checksum."""
    network = FeatureNetwork()
    load_weights(network, WEIGHTS, WEIGHTS_SHA256)
    return network.eval()


@torch.no_grad()
@one_thread()
def features(images: Tensor) -> Array:
    """Return the classifier's features of images [N, 1, 8, 8]: [N, 32]."""
    hidden: Tensor = feature_network().hidden(images)
    return hidden.numpy().astype(np.float64)


def frechet_distance(first: Array, second: Array) -> float:
    """Return the squared Frechet distance between Gaussians fitted to rows of features [N, C] and [M, C].

    `|m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2))` (Heusel et al., "GANs Trained by a Two Time-Scale Update Rule", 2017).
    The eigenvalues of `S1 S2` are those of the symmetric `R S2 R` with `R R = S1`.
    """
    if min(len(first), len(second)) < 2 or first.shape[1:] != second.shape[1:]:
        raise ValueError(f"features {first.shape} and {second.shape}: needs at least 2 rows each, of equal length")
    between = first.mean(0) - second.mean(0)
    first_spread, second_spread = (np.atleast_2d(np.cov(rows, rowvar=False)) for rows in (first, second))
    with threadpool_limits(1):
        values, vectors = np.linalg.eigh(first_spread)
        root = vectors * np.sqrt(values.clip(0)) @ vectors.T
        cross = np.sqrt(np.linalg.eigvalsh(root @ second_spread @ root).clip(0)).sum()
    return max(float(between @ between + np.trace(first_spread) + np.trace(second_spread) - 2 * cross), 0.0)


# -------------------------------------------------------------------- labels


def evaluation_stream(half: str, seed: int, recipe: Recipe) -> Batch:
    """Draw masks, noise and times for the images of a half, the same for every architecture."""
    images = digits().half(half).repeat(recipe.masks_per_image, 1, 1, 1)
    rng = np.random.default_rng([seed, 1 + HALVES.index(half)])
    times = rng.permutation((np.arange(len(images)) + 0.5) / len(images))  # evenly spread over [0, 1]
    size = len(images)
    return Batch(images, draw_masks(rng, size), draw_noise(rng, size), torch.from_numpy(times).float())


@one_thread()
def image_labels(inpainted: Tensor, batch: Batch, real: Tensor) -> dict[str, float]:
    """Return `log_distance` to the real images and `masked_mse`, for inpainted images of a batch [B, 1, 8, 8]."""
    distance = frechet_distance(features(real), features(inpainted))
    squared = ((inpainted - batch.images) * batch.masks).square().sum() / batch.masks.sum()
    return {"log_distance": float(np.log(max(distance, np.finfo(float).tiny))), "masked_mse": float(squared)}


@torch.no_grad()
@one_thread()
def network_labels(network: nn.Module, half: str, seed: int, recipe: Recipe) -> dict[str, float]:
    """Measure a trained network on a half: `log_distance`, `masked_mse` and `flow_loss` (all: lower is better)."""
    batch = evaluation_stream(half, seed, recipe)
    inpainted = torch.cat([inpaint(network, part, recipe.euler_steps) for part in batch.split(HALF)])
    loss = flow_loss(network, batch)
    return image_labels(inpainted, batch, digits().half(half)) | {"flow_loss": float(loss)}


# -------------------------------------------------------------------- trivial baselines


def _mean_fill(batch: Batch, _: np.random.Generator) -> Tensor:
    return digits().train.mean(0, keepdim=True).expand_as(batch.images)


def _noise_fill(batch: Batch, _: np.random.Generator) -> Tensor:
    return batch.noise.clamp(-1, 1)


def _random_fill(batch: Batch, rng: np.random.Generator) -> Tensor:
    return digits().train[rng.integers(0, len(digits().train), len(batch.images))]


@one_thread()
def _nearest_fill(batch: Batch, _: np.random.Generator) -> Tensor:
    """Return, for each image, the training image that is nearest in its visible pixels."""
    seen, trained_on = (1 - batch.masks).flatten(1), digits().train.flatten(1)
    target = batch.images.flatten(1) * seen
    squared = seen @ trained_on.square().T - 2 * target @ trained_on.T  # what depends on the training image
    return digits().train[squared.argmin(1)]


BASELINES: dict[str, Callable[[Batch, np.random.Generator], Tensor]] = {
    "mean training image": _mean_fill,
    "noise": _noise_fill,
    "random training image": _random_fill,
    "nearest training image": _nearest_fill,
}


def baselines(half: str, seed: int, recipe: Recipe | None = None) -> pd.DataFrame:
    """Fill masked pixels without any network; a row per baseline with `log_distance` and `masked_mse`.

    The nearest training image beats small networks on data this small: compare architectures with each other only.
    """
    batch, rng = evaluation_stream(half, seed, recipe or Recipe()), np.random.default_rng([seed, 1 + len(HALVES)])
    rows = {}
    for name, fill in BASELINES.items():
        filled = batch.images + (fill(batch, rng) - batch.images) * batch.masks
        rows[name] = image_labels(filled, batch, digits().half(half))
    return pd.DataFrame.from_dict(rows, orient="index")
