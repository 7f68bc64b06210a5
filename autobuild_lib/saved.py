"""Saved predictors: weights.safetensors and config.json, which has their checksum; replaced whole, read strictly."""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from torch import Tensor

from autobuild_lib.engine.encoder import Encoder
from autobuild_lib.engine.layers import LayerEncoder
from autobuild_lib.engine.operations import OperationEncoder
from autobuild_lib.predictor import NETWORK_OPTIONS, Moments, NetworkConfig, Predictor
from autobuild_lib.spaces import SequenceSpace
from autobuild_lib.spaces.features import read_object
from autobuild_lib.storage import PARTIAL, json_text, locked, parse_json, remove_abandoned, replace_bytes, replace_text
from autobuild_lib.targets import Target
from autobuild_lib.values import MALFORMED, Option, finite, integer, naming, shown
from autobuild_lib.weights import read_tensors, weights_bytes

T = TypeVar("T")
CONFIG = "config.json"
WEIGHTS = "weights.safetensors"
NEW_WEIGHTS = re.compile(r"weights-[0-9a-f]{16}\.safetensors")  # until the configuration has their checksum
LAYER_ENTRIES = {"space", "hop_moments", "unit_target_moments"}
SHA256, OWN_SHA256 = "weights_sha256", "config_sha256"
NOT_NEGATIVE, POSITIVE = Option(float, "", minimum=0), Option(float, "", above=0)
TYPES: dict[type, str] = {dict: "an object with entries", str: "a text"}
KINDS: tuple[type[Encoder[Any]], ...] = (LayerEncoder, OperationEncoder)
ENCODERS = {name: kind for kind in KINDS for name in kind.FORMATS}
UNSIGNED = [kind.FORMATS[0] for kind in KINDS]  # written before configurations had checksums
TRIES = 5  # of reading, while others write


@dataclass(frozen=True)
class Saved:
    """What a folder holds: the configuration, and the bytes (None: unreadable) of the weights in the file `path`."""

    config: dict[str, Any]
    path: Path
    content: bytes | None

    def tensors(self, smallest: int) -> dict[str, Tensor]:
        """Return the weights; they must fill `smallest` bytes, so that no larger network is made for them."""
        if self.content is None:
            raise ValueError(f"{self.path}: not a readable safetensors file")
        tensors = read_tensors(self.path, self.content, self.config[SHA256])
        if len(self.content) < smallest:
            raise ValueError(f"{self.path}: has {len(self.content):,} bytes, the network needs {smallest:,} or more")
        return tensors


def new_weights(sha256: str) -> str:
    """Return the name of the weights with this checksum until the configuration beside them states it."""
    return f"weights-{sha256[:16]}.safetensors"


# -------------------------------------------------------------------- writing


def save(predictor: Predictor, folder: Path) -> None:
    """Save a predictor: readers, and whoever comes after a kill, find the old or the new one, never parts of both.

    The weights are written first, under a name of their own; replacing config.json, which has their checksum, is what
    saves them; last, they get their usual name.
    """
    config, weights = _describe(predictor), weights_bytes(predictor.network)
    sha256 = hashlib.sha256(weights).hexdigest()
    content = _signed(config | {SHA256: sha256})
    parse_json(content)
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        replace_bytes(new := folder / new_weights(sha256), weights)
        replace_text(folder / CONFIG, content)
        os.replace(new, folder / WEIGHTS)
        remove_abandoned(folder, f"*{PARTIAL}*")  # of killed saves, as are the weights below
        for path in filter(lambda path: NEW_WEIGHTS.fullmatch(path.name), folder.iterdir()):
            path.unlink(missing_ok=True)


def _describe(predictor: Predictor) -> dict[str, Any]:
    encoder = predictor.network.encoder
    config = {
        "format": encoder.FORMATS[-1], **encoder.to_json(), "network": asdict(predictor.network.config),
        "target": predictor.target, "label_mean": predictor.label_mean, "label_sd": predictor.label_sd,
        **(_moments_json(predictor.moments) if isinstance(encoder, LayerEncoder) else {}),
        "provenance": predictor.provenance,
    }  # fmt: skip
    read_description(config)
    return config


def _moments_json(moments: Moments | None) -> dict[str, Any]:
    units = {} if moments is None else moments.units
    rows = [[*key, *value] for key, value in sorted(units.items())]
    return {"hop_moments": None if moments is None else moments.hops.tolist(), "unit_target_moments": rows}


def _signed(config: dict[str, Any]) -> str:
    """Return a configuration as text with its checksum at the end."""
    return json_text(config | {OWN_SHA256: hashlib.sha256(f"{json_text(config)}\n".encode()).hexdigest()}) + "\n"


# -------------------------------------------------------------------- reading


@contextmanager
def read_predictor(folder: Path) -> Iterator[Saved]:
    """Give what a folder holds to the code that reads it; what is wrong with the configuration names its file."""
    path = folder / CONFIG
    try:
        with naming(f"{path}: not the configuration of a predictor", caught=MALFORMED):
            yield _read(folder)
    except (FileNotFoundError, NotADirectoryError):
        message = f"{path}: no such file; a saved predictor is a folder with {CONFIG} and weights"
        raise FileNotFoundError(message) from None


def _read(folder: Path) -> Saved:
    content = None
    for _ in range(TRIES):  # between the two files, another may save
        config = _read_config((folder / CONFIG).read_text(encoding="utf-8"))
        for name in (WEIGHTS, new_weights(config[SHA256])):  # the second after a kill
            with suppress(OSError):
                content = (folder / name).read_bytes()
                if hashlib.sha256(content).hexdigest() == config[SHA256]:
                    return Saved(config, folder / name, content)
    return Saved(config, folder / WEIGHTS, content)


def _read_config(content: str) -> dict[str, Any]:
    """Return the checked configuration, without its own checksum."""
    config: dict[str, Any] = _typed(parse_json(content), dict)
    if (name := config["format"]) not in list(ENCODERS):
        raise ValueError(f"format {name!r:.40}, readable here are {', '.join(map(repr, ENCODERS))}")
    if name not in UNSIGNED:
        stated = config.pop(OWN_SHA256)
        if content != _signed(config):
            raise ValueError(f"{OWN_SHA256} {stated!r:.80} is not that of the other entries; damaged or edited")
    of_kind = LAYER_ENTRIES if ENCODERS[name] is LayerEncoder else {"operations"}
    expected = {"format", "network", "target", "label_mean", "label_sd", "provenance", SHA256} | of_kind
    read_object("its entries", config, sorted(expected))
    if not re.fullmatch("[0-9a-f]{64}", _typed(config[SHA256], str)):
        raise ValueError(f"{SHA256} {config[SHA256]!r:.80} is no checksum")
    return config


# -------------------------------------------------------------------- what a configuration says


def read_description(config: dict[str, Any]) -> tuple[Encoder[Any], NetworkConfig, *tuple[Any, ...]]:
    """Return the encoder, the shape of the network, and what else a predictor is made of, in order."""
    encoder, shape = ENCODERS[config["format"]].from_json(config), _read_network_config(config)
    Target(target := _typed(config["target"], str))
    labels = target, finite(config["label_mean"], "label_mean"), POSITIVE.read("label_sd", config["label_sd"])
    moments = _read_moments(config, encoder.space, shape.hops) if isinstance(encoder, LayerEncoder) else None
    return encoder, shape, *labels, moments, _typed(config["provenance"], dict)


def _read_network_config(config: dict[str, Any]) -> NetworkConfig:
    shape = read_object("network", config["network"], list(NETWORK_OPTIONS))
    network = NetworkConfig(**shape)
    for name, value in asdict(network).items():
        if type(shape[name]) is not type(value):  # 2.0 and "true" are for people
            raise ValueError(f"network: {name} is {shown(shape[name])}; expected {shown(value)}")
    return network


def _read_moments(config: dict[str, Any], space: SequenceSpace, hops: int) -> Moments | None:
    name = "unit_target_moments"
    rows = [(_read_form(space, group, depth), finite(mean, name), NOT_NEGATIVE.read(name, sd))
            for group, depth, mean, sd in config[name]]  # fmt: skip
    units = {form: (mean, sd) for form, mean, sd in rows}
    if list(units) != sorted(units) or len(units) < len(rows):
        raise ValueError("unit_target_moments are not in order")
    if config["hop_moments"] is None:
        return None
    levels = np.array([[NOT_NEGATIVE.read("hop_moments", each) for each in (m, s)] for m, s in config["hop_moments"]])
    if len(levels) != hops + 1:
        raise ValueError(f"hop_moments has {len(levels)} rows, expected {hops + 1}")
    return Moments(levels, units)


def _read_form(space: SequenceSpace, group: object, depth: object) -> tuple[int, int]:
    """Return the number of a scoring group and a number of layers that it may have."""
    number = integer(group, "unit_target_moments: a group", 0, len(space.scoring_groups) - 1)
    lengths = space.scoring_groups[number].lengths
    return number, integer(depth, f"unit_target_moments: layers of group {number}", lengths[0], lengths[-1])


def _typed(value: object, kind: type[T]) -> T:
    """Return a value of exactly this type."""
    if type(value) is not kind:
        raise ValueError(f"{value!r:.60} is not {TYPES[kind]}")
    return value
