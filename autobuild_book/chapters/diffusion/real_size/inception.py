"""The Inception network in whose features the usual FID is measured, without torchvision.

Architecture: C. Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", 2016. Names of weights
and the three changes of pooling are those of the port of the original FID weights to PyTorch
(https://github.com/mseitzer/pytorch-fid).
"""

import functools
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

FILE = "pt_inception-2015-12-05-6726825d.pth"
URL = f"https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/{FILE}"
SHA256 = "6726825d"  # its first digits, as in the file's name
SIDE, FEATURES, CLASSES = 299, 2048, 1008
Pool = Callable[[Tensor], Tensor]

average: Pool = functools.partial(F.avg_pool2d, kernel_size=3, stride=1, padding=1, count_include_pad=False)
largest: Pool = functools.partial(F.max_pool2d, kernel_size=3, stride=1, padding=1)
halve: Pool = functools.partial(F.max_pool2d, kernel_size=3, stride=2)


class Step(NamedTuple):
    """A layer of a branch: its name, output channels, kernel and stride."""

    name: str
    outputs: int
    rows: int
    columns: int
    stride: int = 1


class Branch(NamedTuple):
    """Layers one after the other, and then one or more side by side."""

    row: tuple[Step, ...]
    ends: tuple[Step, ...]


class Layer(nn.Module):
    """Convolution, normalisation, ReLU; padded to keep the size unless it has a stride."""

    def __init__(self, inputs: int, step: Step, padded: bool = True) -> None:
        super().__init__()
        kernel = step.rows, step.columns
        padding = (step.rows // 2, step.columns // 2) if padded and step.stride == 1 else (0, 0)
        self.conv = nn.Conv2d(inputs, step.outputs, kernel, step.stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(step.outputs, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        """Map x [B, inputs, H, W] to [B, outputs, H', W']."""
        return F.relu(self.bn(self.conv(x)))


class Mixed(nn.Module):
    """Branches side by side, and the pooled input through a 1x1 convolution, or as it is where `pooled` is 0."""

    def __init__(self, inputs: int, branches: Sequence[Branch], pool: Pool, pooled: int = 0) -> None:
        super().__init__()
        self.branches, self.pool, self.pooled = tuple(branches), pool, pooled
        for row, ends in branches:
            width = inputs
            for step in row:
                self.add_module(step.name, Layer(width, step))
                width = step.outputs
            for step in ends:
                self.add_module(step.name, Layer(width, step))
        if pooled:
            self.branch_pool = Layer(inputs, Step("branch_pool", pooled, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Map x [B, inputs, H, W] to [B, outputs, H', W']."""
        branches = []
        for row, ends in self.branches:
            h = x
            for step in row:
                h = self.get_submodule(step.name)(h)
            branches += [self.get_submodule(step.name)(h) for step in ends]
        pooled = self.pool(x)
        return torch.cat([*branches, self.branch_pool(pooled) if self.pooled else pooled], 1)


def _one(name: str, outputs: int) -> Step:
    return Step(name, outputs, 1, 1)


def _branch(*steps: Step) -> Branch:
    return Branch(steps[:-1], steps[-1:])


def _wide(inputs: int, pooled: int) -> Mixed:
    five = _branch(_one("branch5x5_1", 48), Step("branch5x5_2", 64, 5, 5))
    double = [_one("branch3x3dbl_1", 64), Step("branch3x3dbl_2", 96, 3, 3), Step("branch3x3dbl_3", 96, 3, 3)]
    return Mixed(inputs, [_branch(_one("branch1x1", 64)), five, _branch(*double)], average, pooled)


def _first_reduction() -> Mixed:
    double = [_one("branch3x3dbl_1", 64), Step("branch3x3dbl_2", 96, 3, 3), Step("branch3x3dbl_3", 96, 3, 3, 2)]
    return Mixed(288, [_branch(Step("branch3x3", 384, 3, 3, 2)), _branch(*double)], halve)


def _factorised(narrow: int) -> Mixed:
    seven = [_one("branch7x7_1", narrow), Step("branch7x7_2", narrow, 1, 7), Step("branch7x7_3", 192, 7, 1)]
    double = [_one("branch7x7dbl_1", narrow), Step("branch7x7dbl_2", narrow, 7, 1)]
    double += [Step("branch7x7dbl_3", narrow, 1, 7), Step("branch7x7dbl_4", narrow, 7, 1)]
    double += [Step("branch7x7dbl_5", 192, 1, 7)]
    return Mixed(768, [_branch(_one("branch1x1", 192)), _branch(*seven), _branch(*double)], average, 192)


def _second_reduction() -> Mixed:
    three = [_one("branch3x3_1", 192), Step("branch3x3_2", 320, 3, 3, 2)]
    seven = [_one("branch7x7x3_1", 192), Step("branch7x7x3_2", 192, 1, 7), Step("branch7x7x3_3", 192, 7, 1)]
    return Mixed(768, [_branch(*three), _branch(*seven, Step("branch7x7x3_4", 192, 3, 3, 2))], halve)


def _split(inputs: int, pool: Pool) -> Mixed:
    ends = [(Step(f"{name}a", 384, 1, 3), Step(f"{name}b", 384, 3, 1)) for name in ("branch3x3_2", "branch3x3dbl_3")]
    three = Branch((_one("branch3x3_1", 384),), ends[0])
    double = Branch((_one("branch3x3dbl_1", 448), Step("branch3x3dbl_2", 384, 3, 3)), ends[1])
    return Mixed(inputs, [_branch(_one("branch1x1", 320)), three, double], pool, 192)


class Inception(nn.Module):
    """Inception v3 as FID uses it; `fc` is part of the weights file, not of the features."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = Layer(3, Step("", 32, 3, 3, 2))
        self.Conv2d_2a_3x3 = Layer(32, Step("", 32, 3, 3), padded=False)
        self.Conv2d_2b_3x3 = Layer(32, Step("", 64, 3, 3))
        self.Conv2d_3b_1x1 = Layer(64, _one("", 80))
        self.Conv2d_4a_3x3 = Layer(80, Step("", 192, 3, 3), padded=False)
        self.Mixed_5b, self.Mixed_5c, self.Mixed_5d = _wide(192, 32), _wide(256, 64), _wide(288, 64)
        self.Mixed_6a = _first_reduction()
        self.Mixed_6b, self.Mixed_6c = _factorised(128), _factorised(160)
        self.Mixed_6d, self.Mixed_6e = _factorised(160), _factorised(192)
        self.Mixed_7a = _second_reduction()
        self.Mixed_7b, self.Mixed_7c = _split(1280, average), _split(2048, largest)
        self.fc = nn.Linear(FEATURES, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        """Map images [B, 3, H, W] in [0, 1] to features [B, 2048]."""
        x = F.interpolate(images, size=(SIDE, SIDE), mode="bilinear", align_corners=False) * 2 - 1
        x = halve(self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x))))
        x = halve(self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x)))
        for name, block in self.named_children():
            if name.startswith("Mixed"):  # in the order in which they were made
                x = block(x)
        return x.mean((2, 3))


def load_inception(path: Path, sha256: str = SHA256) -> Inception:
    """Load the published weights, as numbers only; a missing or another file is a `ValueError` that says what to do."""
    if not path.is_file():
        raise ValueError(f"{path} is missing: download {URL} there, or give features=, a network of your own")
    if not (digest := hashlib.sha256(path.read_bytes()).hexdigest()).startswith(sha256):
        raise ValueError(f"{path}: sha256 is {digest[:16]}..., expected {sha256}...: not the file of {URL}")
    network = Inception()
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return network.eval().requires_grad_(False)
