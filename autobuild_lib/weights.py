"""Weights of networks as safetensors, or as PyTorch saves them: numbers, no code; read strictly."""

import hashlib
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_bytes, save as to_bytes
from torch import Tensor, nn

from autobuild_lib.values import naming

VARIANCES = ("running_var", ".variance")  # of batch normalisation: names end so in PyTorch's, and in this library's


def weights_bytes(network: nn.Module) -> bytes:
    """Return a network's weights in the safetensors format."""
    return to_bytes({name: tensor.contiguous() for name, tensor in network.state_dict().items()})


def load_weights(network: nn.Module, path: Path, sha256: str) -> None:
    """Read weights strictly: the checksum must hold, and the tensors must be those of the network."""
    with naming(f"{path}: not a readable safetensors file", caught=(OSError,)):
        content = path.read_bytes()
    fill(network, read_tensors(path, content, sha256), path)


def read_tensors(path: Path, content: bytes, sha256: str) -> dict[str, Tensor]:
    """Return the tensors that are the content of a file; its checksum must hold."""
    if (actual := hashlib.sha256(content).hexdigest()) != sha256:
        raise ValueError(f"{path}: sha256 is {actual}, expected {sha256}; the file is damaged or of another save")
    with naming(f"{path}: not a readable safetensors file", caught=(SafetensorError,)):
        return load_bytes(content)


def read_torch(path: Path) -> Any:
    """Return what `torch.save` wrote, if it is tensors and plain values; anything else is a `ValueError`."""
    with path.open("rb") as file:
        try:
            return torch.load(file, map_location="cpu", weights_only=True)
        except Exception:  # torch.load raises many kinds, with pages of advice
            raise ValueError("damaged, or more than tensors") from None


def fill(network: nn.Module, tensors: dict[str, Tensor], path: Path) -> None:
    """Give a network the tensors of a file: each of its own, with shape and type, and no other."""
    check(tensors, network.state_dict(), path)
    network.load_state_dict(tensors)


def check(tensors: dict[str, Tensor], expected: dict[str, Tensor], path: Path) -> None:
    """Raise `ValueError` unless a file has tensors of the expected names, shapes and types, and of finite numbers."""
    if missing := sorted(set(expected) - set(tensors)):
        raise ValueError(f"{path}: weights are missing: {', '.join(missing[:5])}")
    if unknown := sorted(set(tensors) - set(expected)):
        raise ValueError(f"{path}: unknown weights: {', '.join(unknown[:5])}")
    for name, tensor in expected.items():
        if (there := _describe(tensors[name])) != (needed := _describe(tensor)):
            raise ValueError(f"{path}: {name} has {there}, expected finite numbers of {needed}")
        if fault := fault_of(name, tensors[name]):
            raise ValueError(f"{path}: {name} has {fault}")


def fault_of(name: str, tensor: Tensor) -> str:
    """Say what is wrong with the numbers of a weight, "" where all are finite, and no variance is below zero."""
    if tensor.is_meta or not torch.isfinite(tensor).all():
        return f"{'no' if tensor.is_meta else 'non-finite'} numbers, expected finite ones"
    return "numbers below zero, expected variances" if name.endswith(VARIANCES) and (tensor < 0).any() else ""


def _describe(tensor: Tensor) -> str:
    return f"shape {tuple(tensor.shape)} and type {str(tensor.dtype).removeprefix('torch.')}"
