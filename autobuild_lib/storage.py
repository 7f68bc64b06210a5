"""Files written whole: weights as safetensors, text, JSON; each replaced so that readers see the old or the new one."""

import hashlib
import json
import math
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_bytes
from safetensors.torch import save as to_bytes
from torch import nn


def replace_bytes(path: Path, content: bytes) -> None:
    """Write a file, and its folder, so that readers see the old or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial{os.getpid()}")
    try:
        partial.write_bytes(content)
        os.replace(partial, path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        with suppress(OSError):
            partial.unlink()  # where it has not become the file


def replace_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8, as `replace_bytes` does."""
    replace_bytes(path, text.encode("utf-8"))


def json_text(value: Any, indent: int | None = 1) -> str:
    """Return a value as JSON that every program reads: numbers that are not finite, which JSON has not, are null.

    Arrays, tensors and numbers of NumPy become lists and numbers; anything else that JSON has not is a `TypeError`.
    """
    return json.dumps(_plain(value), indent=indent, allow_nan=False)


def replace_json(path: Path, value: Any) -> None:
    """Write a value as a JSON file, as `replace_bytes` and `json_text` do."""
    replace_text(path, json_text(value) + "\n")


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {key: _plain(own) for key, own in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(own) for own in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def weights_bytes(network: nn.Module) -> bytes:
    """Return a network's weights in the safetensors format: numbers, no code."""
    return to_bytes({name: tensor.contiguous() for name, tensor in network.state_dict().items()})


def load_weights(network: nn.Module, path: Path, sha256: str) -> None:
    """Read weights strictly: the checksum must hold, and every tensor must be there, with its shape, and no other."""
    try:
        content = path.read_bytes()
        if (found := hashlib.sha256(content).hexdigest()) != sha256:
            raise ValueError(f"{path}: sha256 is {found}, expected {sha256}; the file is damaged or of another save")
        given = load_bytes(content)
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path}: not a readable safetensors file ({error})") from None
    expected = network.state_dict()
    if missing := sorted(set(expected) - set(given)):
        raise ValueError(f"{path}: weights are missing: {', '.join(missing[:5])}")
    if unknown := sorted(set(given) - set(expected)):
        raise ValueError(f"{path}: unknown weights: {', '.join(unknown[:5])}")
    for name, tensor in expected.items():
        if given[name].shape != tensor.shape or not torch.isfinite(given[name]).all():
            found = "non-finite numbers" if given[name].shape == tensor.shape else f"shape {tuple(given[name].shape)}"
            raise ValueError(f"{path}: {name} has {found}, expected finite numbers of shape {tuple(tensor.shape)}")
    network.load_state_dict(given)
