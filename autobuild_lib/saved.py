"""Saved predictors: weights.safetensors and config.json, which has their checksum; replaced whole, read strictly."""

import hashlib
import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from autobuild_lib.storage import PARTIAL, json_text, locked, parse_json, remove_abandoned, replace_bytes, replace_text
from autobuild_lib.targets import Target
from autobuild_lib.weights import read_tensors, weights_bytes

CONFIG = "config.json"
WEIGHTS = "weights.safetensors"
NEW_WEIGHTS = re.compile(r"weights-[0-9a-f]{16}\.safetensors")  # until the configuration has their checksum
SHA256, OWN_SHA256 = "weights_sha256", "config_sha256"
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


def write_predictor(folder: Path, network: nn.Module, config: dict[str, Any]) -> None:
    """Save a predictor: readers, and whoever comes after a kill, find the old or the new one, never parts of both.

    The weights are written first, under a name of their own; replacing config.json, which has their checksum, is what
    saves them; last, they get their usual name.
    """
    weights = weights_bytes(network)
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


def _signed(config: dict[str, Any]) -> str:
    """Return a configuration as text with its checksum at the end."""
    return _text(config | {OWN_SHA256: hashlib.sha256(_text(config).encode("utf-8")).hexdigest()})


def _text(config: dict[str, Any]) -> str:
    return json_text(config) + "\n"


# -------------------------------------------------------------------- reading


@contextmanager
def read_predictor(folder: Path, keys: Mapping[str, set[str]], unsigned: Sequence[str]) -> Iterator[Saved]:
    """Give what a folder holds to the code that reads it; what is wrong with the configuration names its file.

    keys: by format, the entries besides it and checksums. unsigned: formats without a checksum of the configuration.
    """
    path = folder / CONFIG
    try:
        yield _read(folder, keys, unsigned)
    except (FileNotFoundError, NotADirectoryError):
        message = f"{path}: no such file; a saved predictor is a folder with {CONFIG} and weights"
        raise FileNotFoundError(message) from None
    except KeyError as error:
        raise ValueError(f"{path}: not the configuration of a predictor (there is no {error})") from None
    except (TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError(f"{path}: not the configuration of a predictor ({error})") from None


def _read(folder: Path, keys: Mapping[str, set[str]], unsigned: Sequence[str]) -> Saved:
    content = None
    for _ in range(TRIES):  # between the two files, another may save
        config = _read_config((folder / CONFIG).read_text(encoding="utf-8"), keys, unsigned)
        for name in (WEIGHTS, new_weights(config[SHA256])):  # the second after a kill
            with suppress(OSError):
                content = (folder / name).read_bytes()
                if hashlib.sha256(content).hexdigest() == config[SHA256]:
                    return Saved(config, folder / name, content)
    return Saved(config, folder / WEIGHTS, content)


def _read_config(content: str, keys: Mapping[str, set[str]], unsigned: Sequence[str]) -> dict[str, Any]:
    """Return the checked configuration, without its own checksum."""
    config = entries(parse_json(content))
    if (name := config["format"]) not in list(keys):
        raise ValueError(f"format {name!r:.40}, readable here are {', '.join(map(repr, keys))}")
    if name not in unsigned:
        stated = config.pop(OWN_SHA256)
        if content != _signed(config):
            raise ValueError(f"{OWN_SHA256} {stated!r:.80} is not that of the other entries; damaged or edited")
    expected = keys[name] | {"format", SHA256}
    if missing := sorted(expected - set(config)):
        raise KeyError(missing[0])
    if unknown := sorted(set(config) - expected):
        raise ValueError(f"unknown entries {', '.join(unknown)}")
    if not re.fullmatch("[0-9a-f]{64}", text(config[SHA256])):
        raise ValueError(f"{SHA256} {config[SHA256]!r:.80} is no checksum")
    return config


# -------------------------------------------------------------------- values


def entries(value: object) -> dict[str, Any]:
    """Check an object of a configuration."""
    if type(value) is not dict:
        raise ValueError(f"{value!r:.60} is not an object with entries")
    return value


def text(value: object) -> str:
    """Return a text of a configuration."""
    if type(value) is not str:
        raise ValueError(f"{value!r:.60} is not a text")
    return value


def equation(value: object) -> str:
    """Return the text of a target equation of a configuration."""
    Target(expression := text(value))
    return expression


def whole(value: object) -> int:
    """Return a whole number of a configuration."""
    if type(value) is not int:
        raise ValueError(f"{value!r:.60} is not a whole number")
    return value


def finite(value: object, above: float = -math.inf) -> float:
    """Return a finite number, above a limit, of a configuration."""
    if type(value) not in (int, float) or not above < (number := float(value)) < math.inf:  # type: ignore[arg-type]
        limit = "" if above < 0 else f" above {above:g}"
        raise ValueError(f"{value!r:.60} is not a finite number{limit}")
    return number


def not_negative(value: object) -> float:
    """Return a finite number of at least 0 of a configuration."""
    if (number := finite(value)) < 0:
        raise ValueError(f"{value!r:.60} is negative")
    return number
