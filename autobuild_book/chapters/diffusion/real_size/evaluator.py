"""An evaluator of real inpainting U-Nets, for people with the weights, images and a GPU."""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor, nn

from autobuild_book.chapters.diffusion.real_size.files import TEXT, Pictures, check_pipeline
from autobuild_book.chapters.diffusion.real_size.inception import FILE, load_inception
from autobuild_book.chapters.diffusion.real_size.inpainting import Inpainter
from autobuild_book.chapters.diffusion.real_size.networks import inherit
from autobuild_book.chapters.diffusion.task.metrics import frechet_distance
from autobuild_lib.progress import progress_bar
from autobuild_lib.spaces import Architecture

METRICS = ("fid",)
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class StableDiffusionInpainting:
    """Labels U-Nets of the space by how they inpaint: an `Evaluator` (see `autobuild_lib.search`).

    Each architecture is built, takes over the weights of the given U-Net where they fit (see `networks.inherit`), is
    fine-tuned by the reader's function, inpaints all images, and is compared with them in a feature network. Without
    `fine_tune`, all but the original U-Net contain random weights: such labels say what was broken, not what could be.
    Masks and noise are the same for all architectures. There is no guidance, and one prompt for all images.

    weights: local folder of a Stable Diffusion inpainting pipeline; safetensors only, nothing is downloaded.
    data: folder with images/NAME.png and masks/NAME.png (white is inpainted), all of one size, and with
        prompt_embeds.safetensors (see `files.read_text`).
    metric: "fid", the Frechet distance between features of the real and the inpainted images: lower is better; as a
        number to compare with others it needs thousands of images.
    features: maps images [B, 3, H, W] in [0, 1] to features [B, C]. By default Inception, whose published weights are
        to be in `weights` as well.
    fine_tune: trains a network in place, given the network and its architecture.
    steps: of the sampler. batch_size: images at once. seed: of noise, and of weights that are not inherited.
    device: where networks run.

    Raises:
        ValueError: for anything missing, with what to download from where.
    """

    weights: Path | str
    data: Path | str
    metric: str = "fid"
    features: Callable[[Tensor], Tensor] | None = None
    fine_tune: Callable[[nn.Module, Architecture], object] | None = None
    steps: int = 50
    batch_size: int = 4
    seed: int = 0
    device: str = "cpu"

    def __post_init__(self) -> None:
        if self.metric not in METRICS:
            raise ValueError(f"metric={self.metric!r}; choose from {', '.join(METRICS)}")
        if min(self.steps, self.batch_size) < 1:
            raise ValueError(f"steps={self.steps}, batch_size={self.batch_size}: both must be at least 1")
        check_pipeline(Path(self.weights))
        sides, multiple = self._pictures.size, self._inpainter.shrink  # loaded here: what is missing is an error now
        if any(side % multiple for side in sides):
            raise ValueError(f"{self.data}: images of {sides[0]} x {sides[1]} pixels, not multiples of {multiple}")
        self._features(torch.zeros(1, 3, *sides[::-1]))

    def __getstate__(self) -> dict[str, Any]:
        """Send to other processes what was given, not what was loaded."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def __call__(self, architectures: list[Architecture], /) -> pd.DataFrame:
        """Return `fid` and `inherited`, the share of the parameters that come from the given U-Net, one row each."""
        return pd.DataFrame([self._evaluate(architecture) for architecture in architectures])

    def _evaluate(self, architecture: Architecture) -> dict[str, float]:
        network, inherited = inherit(architecture, Path(self.weights), self.seed)
        network = network.to(self.device)
        if self.fine_tune is not None:
            self.fine_tune(network, architecture)
        filled = [self._features(part) for part in self._filled(network.eval().requires_grad_(False))]
        return {self.metric: frechet_distance(self._real, np.concatenate(filled)), "inherited": inherited}

    def _filled(self, network: nn.Module) -> Iterator[Tensor]:
        """Yield inpainted images in [-1, 1], batch by batch."""
        bar = progress_bar(total=len(self._pictures.files), desc="inpainting", unit="image", delay=2, leave=False)
        with bar:
            for places, images, masks in self._batches():
                noise = torch.stack([self._noise(place) for place in places]).to(self.device)
                yield self._inpainter.fill(network, images, masks, noise, self.steps)
                bar.update(len(places))

    def _batches(self) -> Iterator[tuple[range, Tensor, Tensor]]:
        """Yield places, images and masks, batch by batch."""
        size = len(self._pictures.files)
        for start in range(0, size, self.batch_size):
            places = range(start, min(start + self.batch_size, size))
            images, masks = self._pictures.read(places)
            yield places, images.to(self.device), masks.to(self.device)

    def _noise(self, place: int) -> Tensor:
        """Draw the noise of one image, [C, h, w]: it does not depend on the batch it is in."""
        width, height = (side // self._inpainter.shrink for side in self._pictures.size)
        shape = self._inpainter.vae.config.latent_channels, height, width
        return torch.from_numpy(np.random.default_rng([self.seed, place]).standard_normal(shape, dtype=np.float32))

    @torch.no_grad()
    def _features(self, images: Tensor) -> Array:
        """Return the features of images in [-1, 1], [B, C]."""
        features = self._feature_network((images.to(self.device) + 1) / 2)
        if not isinstance(features, Tensor) or features.ndim != 2 or len(features) != len(images):
            shape = tuple(features.shape) if isinstance(features, Tensor) else type(features).__name__
            raise ValueError(f"features= gave {shape} for {len(images)} images; it must give a row of numbers for each")
        return features.double().cpu().numpy()

    @functools.cached_property
    def _real(self) -> Array:
        return np.concatenate([self._features(images) for _, images, _ in self._batches()])

    @functools.cached_property
    def _pictures(self) -> Pictures:
        return Pictures.find(Path(self.data))

    @functools.cached_property
    def _inpainter(self) -> Inpainter:
        return Inpainter.load(Path(self.weights), Path(self.data) / TEXT, self.device)

    @functools.cached_property
    def _feature_network(self) -> Callable[[Tensor], Tensor]:
        network = self.features
        return load_inception(Path(self.weights) / FILE).to(self.device) if network is None else network
