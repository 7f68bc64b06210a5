"""Files in the layout of the published once-for-all supernets, with weights that a test chooses."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor


@dataclass(frozen=True)
class Layout:
    """Widths of a published supernet, written down by hand; the last unit of ProxylessNAS has one block."""

    stem: int
    first: int
    units: tuple[int, ...]
    blocks: int
    squeezed: tuple[int, ...]
    final: int
    mixed: int = 0


LAYOUTS = {
    "mbv3_w1.0": Layout(16, 16, (24, 40, 80, 112, 160), 20, (1, 3, 4), 960, 1280),
    "mbv3_w1.2": Layout(24, 24, (32, 48, 96, 136, 192), 20, (1, 3, 4), 1152, 1536),
    "proxyless_w1.3": Layout(40, 24, (32, 56, 104, 128, 248, 416), 21, (), 1664),
}


def shapes(layout: Layout, classes: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield names and shapes as the published package names them."""
    yield from _normalised("first_conv", "", layout.stem, 3, 3)
    yield from _normalised("blocks.0.conv.depth_conv", "", layout.stem, 1, 3)
    yield from _normalised("blocks.0.conv.point_linear", "", layout.first, layout.stem, 1)
    inputs = layout.first
    for number in range(layout.blocks):
        name, unit = f"blocks.{number + 1}.conv", number // 4
        outputs, middle = layout.units[unit], 6 * inputs
        yield from _normalised(f"{name}.inverted_bottleneck", "conv.", middle, inputs, 1, "bn.")
        yield from _normalised(f"{name}.depth_conv", "conv.", middle, 1, 7, "bn.")
        yield f"{name}.depth_conv.conv.7to5_matrix", (25, 25)
        yield f"{name}.depth_conv.conv.5to3_matrix", (9, 9)
        if unit in layout.squeezed:
            reduced = (middle // 4 + 4) // 8 * 8  # none of these widths is rounded down by a tenth
            for part, shape in {"reduce": (reduced, middle), "expand": (middle, reduced)}.items():
                yield f"{name}.depth_conv.se.fc.{part}.weight", (*shape, 1, 1)
                yield f"{name}.depth_conv.se.fc.{part}.bias", shape[:1]
        yield from _normalised(f"{name}.point_linear", "conv.", outputs, middle, 1, "bn.")
        inputs = outputs
    yield from _normalised("final_expand_layer" if layout.mixed else "feature_mix_layer", "", layout.final, inputs, 1)
    if layout.mixed:
        yield "feature_mix_layer.conv.weight", (layout.mixed, layout.final, 1, 1)
    yield "classifier.linear.weight", (classes, layout.mixed or layout.final)
    yield "classifier.linear.bias", (classes,)


def _normalised(
    name: str, inner: str, outputs: int, inputs: int, kernel: int, normalisation: str = ""
) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield f"{name}.conv.{inner}weight", (outputs, inputs, kernel, kernel)
    for part in ("weight", "bias", "running_mean", "running_var"):
        yield f"{name}.bn.{normalisation}{part}", (outputs,)
    yield f"{name}.bn.{normalisation}num_batches_tracked", ()


def random_state(kind: str, classes: int = 1000, seed: int = 0) -> dict[str, Tensor]:
    """Return random weights of a published supernet, which keep the size of what passes through them."""
    generator, state = torch.Generator().manual_seed(seed), {}
    for name, shape in shapes(LAYOUTS[kind], classes):
        if not shape:
            state[name] = torch.tensor(3)
        elif name.endswith("matrix"):
            state[name] = torch.eye(*shape) + 0.1 * torch.randn(shape, generator=generator)
        elif len(shape) > 1:
            state[name] = torch.randn(shape, generator=generator) * torch.Size(shape[1:]).numel() ** -0.5
        elif name.endswith(("running_mean", "classifier.linear.bias")):
            state[name] = 0.1 * torch.randn(shape, generator=generator)
        else:
            state[name] = torch.rand(shape, generator=generator) + 0.5
    return state


def in_older_names(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the same weights as the project's first files name them."""
    return {re.sub(r"^(blocks\.\d+)\.conv\.", r"\1.mobile_inverted_conv.", name): w for name, w in state.items()}


def write_supernet(path: Path, state: dict[str, Tensor], zipped: bool = True) -> Path:
    """Write a file as the project does; its first files are not zipped, as those of PyTorch before 1.6."""
    torch.save({"state_dict": state}, path, _use_new_zipfile_serialization=zipped)
    return path
