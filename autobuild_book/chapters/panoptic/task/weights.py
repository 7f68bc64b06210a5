"""Trained networks in folders: weights as safetensors, and a description of how they came about as JSON."""

import hashlib
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from autobuild_book.chapters.panoptic.task.lessons import LossWeights
from autobuild_book.chapters.panoptic.task.network import PanopticNetwork
from autobuild_book.chapters.panoptic.task.space import backbone_space, largest
from autobuild_lib.data.files import FILES
from autobuild_lib.spaces import Architecture
from autobuild_lib.storage import read_json, replace_bytes, replace_json
from autobuild_lib.weights import load_weights, weights_bytes

CONFIG, WEIGHTS = "config.json", "weights.safetensors"
BUNDLED = "panoptic_supernet"
FINISHED = "weights_sha256"  # the entry that only finished trainings have


@dataclass(frozen=True)
class Recipe:
    """How a network is trained; the defaults are behind every committed number of a supernet."""

    steps: int = 12_900
    batch_size: int = 16
    learning_rate: float = 8e-3  # the highest; falls to 0 along half a cosine
    warm_up: int = 100  # steps in which it rises
    weight_decay: float = 0.01
    images: int = 8_000
    largest: float = 0.3  # part of the steps that train the largest architecture
    smallest: float = 0.1
    loss: LossWeights = field(default_factory=LossWeights)

    def __post_init__(self) -> None:
        if min(self.steps, self.batch_size, self.images, self.warm_up) < 1 or not self.learning_rate > 0:
            raise ValueError(f"{self}: whole numbers must be at least 1, learning_rate above 0")
        if min(self.largest, self.smallest) < 0 or self.largest + self.smallest > 1:
            raise ValueError(f"{self}: largest and smallest must be parts of 1")

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step."""
        cosine = (1 + math.cos(math.pi * step / self.steps)) / 2
        return self.learning_rate * min(cosine, (step + 1) / self.warm_up)


@dataclass(frozen=True, eq=False)
class TrainedNetwork:
    """A trained network: a supernet, or one `architecture` alone; `sha256` is that of its weights."""

    network: PanopticNetwork
    architecture: Architecture | None
    seed: int
    recipe: Recipe
    sha256: str

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits that name the weights."""
        return self.sha256[:12]


def settings_of(seed: int, architecture: Architecture | None, recipe: Recipe) -> dict[str, Any]:
    """Return the description of a training that is not finished."""
    alone = None if architecture is None else str(backbone_space().adopt(architecture))
    return {"space": backbone_space().name, "architecture": alone, "seed": seed, "recipe": asdict(recipe)}


def begin(folder: Path, settings: dict[str, Any]) -> bool:
    """Prepare a folder for a training with these settings; return whether it is finished there.

    Raises `ValueError` where the folder holds a training with other settings.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / CONFIG
    if not path.is_file():
        replace_json(path, settings)
        return False
    before = _read_config(path)
    if different := [name for name in settings if before.get(name) != settings[name]]:
        both = "; ".join(f"{name} {before.get(name)}, now {settings[name]}" for name in different)
        raise ValueError(f"{folder}: holds a training with other settings ({both}); choose another folder")
    return FINISHED in before


def finish(folder: Path, settings: dict[str, Any], network: PanopticNetwork) -> None:
    """Write the weights of a finished training beside its description."""
    weights = weights_bytes(network)
    replace_bytes(folder / WEIGHTS, weights)
    described = settings | {FINISHED: hashlib.sha256(weights).hexdigest()}
    replace_json(folder / CONFIG, described)


def load(folder: Path) -> TrainedNetwork:
    """Read a finished training; raises `ValueError` for anything missing, unfinished or damaged."""
    return _read(folder / CONFIG, folder / WEIGHTS)


def load_bundled() -> TrainedNetwork:
    """Return the supernet that comes with the library."""
    return _read(FILES / f"{BUNDLED}.json", FILES / f"{BUNDLED}.safetensors")


def _read(config: Path, weights: Path) -> TrainedNetwork:
    if not config.is_file():
        raise FileNotFoundError(f"{config}: no such file; `autobuild task panoptic train` makes it")
    settings = _read_config(config)
    try:
        recipe = Recipe(**{**settings["recipe"], "loss": LossWeights(**settings["recipe"]["loss"])})
        alone = None if settings["architecture"] is None else backbone_space().parse(settings["architecture"])
        seed, sha256 = int(settings["seed"]), str(settings[FINISHED])
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"{config}: not the description of a finished training ({error})") from None
    network = PanopticNetwork(alone or largest())
    load_weights(network, weights, sha256)
    return TrainedNetwork(network, alone, seed, recipe, sha256)


def _read_config(path: Path) -> dict[str, Any]:
    return read_json(path, "the description of a training")
