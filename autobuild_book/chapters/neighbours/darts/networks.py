"""Networks for series: stages of one or two layers, each an operation, and stages may add their input to their output.

The task is the digits of scikit-learn read as series: eight steps, a row of eight pixels each. The mean over steps is
classified, so that order counts only through the operations. EM-DARTS classifies people by thousands of steps of eye
movements, with cells of many operations; here all is small, for seconds on one core.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from autobuild_book.chapters.shared.lookup import look_up
from autobuild_book.chapters.shared.perceptrons import CLASSES, digits, learn
from autobuild_lib.spaces import Architecture, SequenceSpace, Unit
from autobuild_lib.torch_settings import one_thread

STEPS = INPUTS = CHANNELS = 8
OPERATIONS = ("conv1", "conv3", "conv5", "pool3")
LINKS = ("plain", "residual")  # a residual stage adds its input
STAGES, LAYERS = 3, 2  # at most LAYERS in a stage
LEARNING_RATE = 5e-3
SPACE = SequenceSpace("series", [Unit(1, LAYERS, features={"link": list(LINKS)})] * STAGES, {"op": list(OPERATIONS)})


def operation(name: str) -> nn.Module:
    """Return an operation on [N, CHANNELS, STEPS]; convolutions end in a ReLU; another name is a `ValueError`."""
    look_up("operation", name, dict.fromkeys(OPERATIONS))
    if name == "pool3":
        return nn.AvgPool1d(3, stride=1, padding=1, count_include_pad=False)
    width = int(name.removeprefix("conv"))
    return nn.Sequential(nn.Conv1d(CHANNELS, CHANNELS, width, padding=width // 2), nn.ReLU())


def first_layer() -> nn.Module:
    """Return what every network begins with: [N, INPUTS, STEPS] -> [N, CHANNELS, STEPS]."""
    return nn.Conv1d(INPUTS, CHANNELS, 1)


class Stage(nn.Module):
    """Some operations in a row, and perhaps what came in."""

    def __init__(self, operations: Sequence[str], link: str) -> None:
        super().__init__()
        self.layers, self.residual = nn.Sequential(*map(operation, operations)), link == "residual"

    def forward(self, values: Tensor) -> Tensor:
        """[N, CHANNELS, STEPS] -> [N, CHANNELS, STEPS]."""
        out: Tensor = self.layers(values)
        return out + values if self.residual else out


class Mean(nn.Module):
    """The mean over steps."""

    def forward(self, values: Tensor) -> Tensor:
        """[N, CHANNELS, STEPS] -> [N, CHANNELS]."""
        return values.mean(2)


def build(architecture: Architecture) -> nn.Sequential:
    """Return the network: series [N, INPUTS, STEPS] -> a number for each class [N, 10]."""
    stages = [Stage(unit["layers"], unit["link"]) for unit in architecture.units()]
    return nn.Sequential(first_layer(), *stages, Mean(), nn.Linear(CHANNELS, CLASSES))


def series(part: str) -> tuple[Tensor, Tensor]:
    """Return series [N, INPUTS, STEPS] and classes [N] of a part of the digits; a step is a row of the image."""
    images, classes = digits(part)
    return images.reshape(-1, STEPS, INPUTS).transpose(1, 2).contiguous(), classes


def train(architecture: Architecture, epochs: int, seed: int) -> nn.Sequential:
    """Train a network from scratch with Adam on the images to train."""
    images, classes = series("train")
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = build(architecture)
        optimizer = torch.optim.Adam(network.parameters(), LEARNING_RATE)
        learn(network, optimizer, images, classes, (torch.randperm(len(images)) for _ in range(epochs)))
    return network.eval()


@torch.no_grad()
@one_thread()
def accuracy(network: nn.Module, part: str) -> float:
    """Return the share of a part's series that a network classifies rightly."""
    images, classes = series(part)
    return float((network(images).argmax(1) == classes).double().mean())
