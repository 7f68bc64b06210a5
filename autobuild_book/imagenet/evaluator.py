"""An evaluator for searches: any network of a supernet, on a folder of images."""

import functools
import hashlib
import time
import timeit
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from autobuild_book.imagenet import images
from autobuild_book.imagenet.moments import measure_moments
from autobuild_book.parallel import cores
from autobuild_book.runs.origins import processor
from autobuild_lib.networks import Supernet, blueprint
from autobuild_lib.progress import progress_bar
from autobuild_lib.spaces import Architecture
from autobuild_lib.values import integer

LATENCY = {"cpu": "latency_cpu", "cuda": "latency_gpu"}  # by kind of device
WARM_UP, CALLS = 5, 20  # forward passes that are not timed, and that are


class ImageNetEvaluator:
    """Top-1 accuracy (fraction) and latency (ms) of parts of a supernet, as an `Evaluator`.

    For each architecture it cuts the network out, measures the moments of its batch normalisation on training images,
    counts the validation images whose highest score is that of their class, and takes the median time of a forward pass
    of one image. Images are cut to the architecture's resolution. The accuracy depends on these settings alone, up to
    what a GPU's sums differ in.

    Args:
        supernet: from `ab.networks.Supernet.load`.
        folder: with folders `train` and `val`, in each a folder of images for each class of the supernet, in the order
            of names.
        calibration: training images for the moments, at most.
        validation: validation images, at most; 0 takes all.
        device: "cpu", "cuda" or "cuda:1"; by default the first GPU where there is one.
        batch: images at once.
        threads: that read images; by default one for each core.
        seed: of the choice of images, and of the random parts of training images.
        progress: show a bar with the time left for each architecture.

    Raises:
        ValueError: for a folder without images or with other classes, and for a device that is not there.
    """

    def __init__(
        self, supernet: Supernet, folder: Path | str, *, calibration: int = 2000, validation: int = 0,
        device: str | None = None, batch: int = 100, threads: int | None = None, seed: int = 0, progress: bool = True,
    ) -> None:  # fmt: skip
        self.supernet, self.progress = supernet, progress
        self.batch = integer(batch, "batch", 1)
        self.threads = cores() if threads is None else integer(threads, "threads", 1)
        self.seed, self.device = integer(seed, "seed", 0), _device(device)
        self.labels, self.folder = ("acc", LATENCY[self.device.type]), Path(folder)
        (classes, training), (others, held_out) = (images.list_images(Path(folder) / part) for part in ("train", "val"))
        if unshared := sorted(set(classes) ^ set(others)):
            raise ValueError(f"{folder}: class {unshared[0]} is in one of train and val only")
        if len(classes) != supernet.classes:
            raise ValueError(f"{folder}: {len(classes):,} classes; the supernet tells {supernet.classes:,} apart")
        self.training = images.choose(training, integer(calibration, "calibration", 1), self.seed)
        self.validation = images.choose(held_out, integer(validation, "validation", 0), self.seed)

    @functools.cached_property
    def key(self) -> str:
        """A short text that changes with whatever the accuracy depends on, for the name of a log.

        Images count by their places in the folder, which may itself be anywhere, their classes and sizes, and the first
        and last 64 KiB of each, which are read once. Raises `ValueError` for an image that is no longer a file.
        """
        training, validation = map(self._described, (self.training, self.validation))
        digest = hashlib.sha256(repr((self.seed, self.batch, self.labels, training, validation)).encode())
        for name, weights in sorted(self.supernet.weights.items()):
            digest.update(name.encode() + weights.numpy().tobytes())
        return digest.hexdigest()[:16]

    @functools.cached_property
    def fingerprint(self) -> str:
        """By which the log of a search remembers it: what the accuracy depends on, and whose latencies these are."""
        device = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else processor()
        return f"{type(self).__name__} {self.key} on {device}"

    def _described(self, labelled: list[images.Labelled]) -> list[tuple[str, int, str]]:
        """Return the place of each image in the folder, its class, and its checksum."""
        with ThreadPoolExecutor(self.threads) as pool:
            checksums = pool.map(images.checksum, (path for path, _ in labelled))
            places = [(path.relative_to(self.folder).as_posix(), number) for path, number in labelled]
            return [(*place, checksum) for place, checksum in zip(places, checksums, strict=True)]

    def __call__(self, architectures: list[Architecture], /) -> pd.DataFrame:
        """Return columns acc, and latency_cpu or latency_gpu."""
        return pd.DataFrame([self._evaluate(architecture) for architecture in architectures], columns=self.labels)

    def _evaluate(self, architecture: Architecture) -> tuple[float, float]:
        side = blueprint(architecture).resolution
        network = self.supernet.subnet(architecture).to(self.device)
        total = len(self.training) + len(self.validation)
        with progress_bar(total=total, desc="images", unit="image", leave=False, disable=not self.progress) as bar:

            def read(labelled: list[images.Labelled], cut: images.Cut) -> images.Batches:
                for pixels, classes in images.batches(labelled, cut, self.batch, self.threads):
                    yield images.normalised(pixels.to(self.device)), classes.to(self.device)
                    bar.update(len(classes))

            def part(picture: images.Picture, place: int) -> images.Picture:
                return images.random_part(picture, side, np.random.default_rng([self.seed, side, place]))

            measure_moments(network, (batch for batch, _ in read(self.training, part)))
            correct = 0
            with torch.inference_mode():
                for batch, classes in read(self.validation, lambda picture, _: images.centre(picture, side)):
                    correct += _correct(network(batch), classes)
        return correct / len(self.validation), self._latency(network, side)

    def _latency(self, network: nn.Module, side: int) -> float:
        """Return the median time of one image, in ms."""
        image = torch.zeros(1, 3, side, side, device=self.device)

        def forward() -> None:
            network(image)
            if self.device.type == "cuda":
                torch.cuda.synchronize(self.device)

        with torch.inference_mode():
            seconds = timeit.Timer(forward, timer=time.perf_counter).repeat(WARM_UP + CALLS, number=1)[WARM_UP:]
        return float(np.median(seconds)) * 1000


def _correct(scores: Tensor, classes: Tensor) -> int:
    if not scores.isfinite().all():
        raise ValueError("the network gives scores that are not finite")
    return int((scores.argmax(1) == classes).sum())


def _device(name: str | None) -> torch.device:
    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    kind, _, number = name.partition(":")
    there = {"cpu": 1, "cuda": torch.cuda.device_count()}
    if kind not in there or not (number or "0").isdecimal() or int(number or 0) >= there[kind]:
        count = f"{there['cuda']} GPUs" if there["cuda"] != 1 else "1 GPU"
        raise ValueError(f"device {name!r}; there is cpu, and cuda with {count}")
    return torch.device(name)
