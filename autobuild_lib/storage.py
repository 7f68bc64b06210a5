"""Files written whole: weights as safetensors, text, JSON; each replaced so that readers see the old or the new one."""

import glob
import hashlib
import json
import math
import os
import shutil
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_bytes, save as to_bytes
from torch import Tensor, nn

if sys.platform != "win32":
    import fcntl

PARTIAL = ".partial"  # after the name of what is being written


def replace_bytes(path: Path, content: bytes) -> None:
    """Write a file, and its folder, so that readers see the old or the new one, never a part, also after a power loss.

    What killed writers of the same file have left is removed.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished(path, Path.touch) as partial:
            with partial.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None


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


# -------------------------------------------------------------------- locks


@contextmanager
def unfinished(path: Path, make: Callable[[Path], None]) -> Iterator[Path]:
    """Give a new file or folder beside `path`, locked while it is written; it goes unless it has been moved away.

    What killed writers of the same path have left is removed. make: creates the empty file or folder.
    """
    remove_abandoned(path.parent, f"{glob.escape(path.name)}{PARTIAL}*")
    partial, held = path, -1
    while held < 0:  # another may take what is not locked yet for abandoned
        partial = path.with_name(f"{path.name}{PARTIAL}{uuid.uuid4().hex[:16]}")
        make(partial)
        held = _lock(partial)
    try:
        yield partial
    finally:
        _remove(partial)
        os.close(held)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder while a part of the program runs; wait for others who do.

    The system lets go of it when the process ends. Where a system or a drive has no such locks, there is no waiting.
    """
    held = _lock(folder)
    try:
        yield
    finally:
        if held >= 0:
            os.close(held)


def remove_abandoned(folder: Path, pattern: str) -> None:
    """Remove the unfinished files and folders of a pattern whose writers, which lock them, are gone."""
    for path in folder.glob(pattern):
        with suppress(OSError):  # locked by its writer, or gone
            held = _lock(path, wait=False)
            _remove(path)
            os.close(held)


def _lock(path: Path, wait: bool = True) -> int:
    """Return an open descriptor that locks a path, -1 when the path is gone; `OSError` when others hold it."""
    if sys.platform == "win32":  # has no such locks
        if not wait:
            raise OSError(f"{path}: nobody knows who writes it")
        return os.open(os.devnull, os.O_RDONLY)
    try:
        held = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return -1
    try:
        fcntl.flock(held, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        if not wait:
            os.close(held)
            raise
    if path.exists():
        return held
    os.close(held)
    return -1


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


# -------------------------------------------------------------------- weights


def weights_bytes(network: nn.Module) -> bytes:
    """Return a network's weights in the safetensors format: numbers, no code."""
    return to_bytes({name: tensor.contiguous() for name, tensor in network.state_dict().items()})


def load_weights(network: nn.Module, path: Path, sha256: str) -> None:
    """Read weights strictly: the checksum must hold, and the tensors must be those of the network."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path}: not a readable safetensors file ({error})") from None
    fill(network, read_tensors(path, content, sha256), path)


def read_tensors(path: Path, content: bytes, sha256: str) -> dict[str, Tensor]:
    """Return the tensors that are the content of a file; its checksum must hold."""
    if (found := hashlib.sha256(content).hexdigest()) != sha256:
        raise ValueError(f"{path}: sha256 is {found}, expected {sha256}; the file is damaged or of another save")
    try:
        return load_bytes(content)
    except SafetensorError as error:
        raise ValueError(f"{path}: not a readable safetensors file ({error})") from None


def fill(network: nn.Module, given: dict[str, Tensor], path: Path) -> None:
    """Give a network the tensors of a file: each of its own, with shape and type, and no other."""
    expected = network.state_dict()
    if missing := sorted(set(expected) - set(given)):
        raise ValueError(f"{path}: weights are missing: {', '.join(missing[:5])}")
    if unknown := sorted(set(given) - set(expected)):
        raise ValueError(f"{path}: unknown weights: {', '.join(unknown[:5])}")
    for name, tensor in expected.items():
        if (there := _describe(given[name])) != (needed := _describe(tensor)):
            raise ValueError(f"{path}: {name} has {there}, expected finite numbers of {needed}")
        if not torch.isfinite(given[name]).all():
            raise ValueError(f"{path}: {name} has non-finite numbers, expected finite ones")
    network.load_state_dict(given)


def _describe(tensor: Tensor) -> str:
    return f"shape {tuple(tensor.shape)} and type {str(tensor.dtype).removeprefix('torch.')}"
