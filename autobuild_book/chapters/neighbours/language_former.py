"""LeDG-Former: operations and devices as language, and attention whose graph every node chooses (Jing et al., 2025).

The paper is known here by its abstract, a summary and its reviews: two language templates, three masks of attention,
weights of them by node, the platform in the space of the operations. How these are put together in detail is ours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from autobuild_book.chapters.neighbours.graphs import Graphs, Vocabulary, checked, chunks, graphs_of, vocabulary
from autobuild_book.chapters.neighbours.language import SIZE, choice_phrases, embed
from autobuild_book.chapters.neighbours.learning import About, GraphModel, Recipe, descend, seeded
from autobuild_lib.data.table import DataError, Table
from autobuild_lib.spaces import Architecture, SequenceSpace
from autobuild_lib.torch_settings import plain_torch

Array = npt.NDArray[np.float64]
MASKS, HEADS = 3, 4


def masks(graphs: Graphs, device: bool) -> Tensor:
    """Who attends to whom by each mask, [N, 3, tokens, tokens]: what a node reads, what reads it, and what those read.

    Every node attends to itself. A device is a last token; it attends to all nodes, and they to it.
    """
    reads = graphs.reads
    seen = torch.stack([reads, reads.mT, reads @ reads], dim=1) + torch.eye(reads.shape[-1]) > 0
    if not device:
        return seen
    seen = functional.pad(seen, (0, 1, 0, 1), value=True)
    seen[:, :, -1, :-1] = (graphs.there > 0)[:, None]
    return seen


class DynamicGraph(nn.Module):
    """Attention within each mask, mixed by weights that every node computes of itself.

    G_i = sum over masks m of softmax(W x_i)_m softmax(Q_i K^T / sqrt(d) within m), and the values are G V.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.project, self.join = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.weigh = nn.Linear(width, MASKS)

    def forward(self, values: Tensor, seen: Tensor) -> Tensor:
        """Values [N, tokens, width], masks [N, 3, tokens, tokens] -> [N, tokens, width]."""
        query, key, value = self.project(values).unflatten(-1, (3, HEADS, -1)).permute(2, 0, 3, 1, 4)
        scores = query @ key.mT / query.shape[-1] ** 0.5
        within = (scores[:, None] + torch.where(seen, 0.0, -torch.inf)[:, :, None]).softmax(-1)
        weights = self.weigh(values).softmax(-1).mT[:, :, None, :, None]
        graph = (weights * within).sum(1)
        return self.join((graph @ value).transpose(1, 2).flatten(2))  # type: ignore[no-any-return]


class LanguageFormer(nn.Module):
    """Nodes are the sum of their choices' phrases, and a device is a token beside them; layers of attention follow.

    Scored is the sum over nodes, as layers add up in a latency, and the token where there is one.
    """

    sentences: Tensor

    def __init__(self, words: Vocabulary, nodes: int, width: int = 64, layers: int = 2) -> None:
        super().__init__()
        self.register_buffer("sentences", centred(embed(choice_phrases(words))))
        self.read = nn.Linear(SIZE, width)  # the same for operations and devices
        self.attention = nn.ModuleList([DynamicGraph(width) for _ in range(layers)])
        self.forwards = nn.ModuleList(
            [nn.Sequential(nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width)) for _ in range(layers)]
        )
        self.norms = nn.ModuleList([nn.LayerNorm(width) for _ in range(2 * layers + 1)])
        self.head = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1))

    def forward(self, graphs: Graphs, device: Tensor | None = None) -> Tensor:
        """Graphs [N], and centred embeddings of devices [N, 384] if there are some -> scores [N]."""
        values, seen = graphs.features @ self.read(self.sentences), masks(graphs, device is not None)
        if device is not None:
            values = torch.cat([values, self.read(device)[:, None]], dim=1)
        *norms, last = self.norms
        layers = zip(self.attention, self.forwards, norms[::2], norms[1::2], strict=True)
        for attention, forward, before, between in layers:
            values = values + attention(before(values), seen)
            values = values + forward(between(values))
        nodes = graphs.there.shape[1]
        values = last(values)
        total = (values[:, :nodes] * graphs.there[..., None]).sum(1) / nodes + values[:, nodes:].sum(1)
        return self.head(total).squeeze(-1)  # type: ignore[no-any-return]


def centred(embeddings: Tensor) -> Tensor:
    """Embeddings [N, 384] less their mean, with squares of mean 1 unless all are the same."""
    return _scaled(embeddings, embeddings.mean(0), embeddings)


def _scaled(embeddings: Tensor, middle: Tensor, reference: Tensor) -> Tensor:
    spread = (reference - middle).square().mean().sqrt()
    return (embeddings - middle) / (spread if spread > 1e-6 else 1.0)


# -------------------------------------------------------------------- many devices


@dataclass(frozen=True, eq=False)
class ManyDevices:
    """One network for all devices; what it says of a device depends on its text alone.

    texts: of the devices that it has learnt, by label. lines: mean and spread of their logarithms of latency.
    """

    space: SequenceSpace
    module: nn.Module
    texts: Mapping[str, str]
    lines: Mapping[str, tuple[float, float]]
    hardware: bool

    def scores(self, architectures: Sequence[Architecture], text: str) -> Array:
        """Predict for the device of a text, also one never seen, [N]: larger is slower.

        In standard deviations of the logarithm of latency, above the mean of networks on that device.
        """
        device = _tokens([text], list(self.texts.values())) if self.hardware else None
        with plain_torch():
            parts = [self._scores(graphs, device) for graphs in chunks(self.space, architectures)]
        return torch.cat(parts).double().numpy() if parts else np.empty(0)

    def _scores(self, graphs: Graphs, device: Tensor | None) -> Tensor:
        return self.module(graphs, None if device is None else device.expand(len(graphs), -1))  # type: ignore[no-any-return]

    def predict(self, architectures: Sequence[Architecture], label: str) -> Array:
        """Predict the latency on a device that it has learnt, in label units, [N]; another is a `ValueError`."""
        if label not in self.texts:
            raise ValueError(f"no device {label!r} was learnt; choose from {', '.join(self.texts)}")
        mean, spread = self.lines[label]
        return np.exp(mean + spread * self.scores(architectures, self.texts[label]))


def _tokens(texts: Sequence[str], learnt: Sequence[str]) -> Tensor:
    """Embeddings of texts, centred and scaled as those of the devices that were learnt, [N, 384]."""
    reference = embed(learnt)
    return _scaled(embed(texts), reference.mean(0), reference)


@dataclass(frozen=True)
class DeviceModel:
    """A network that learns the latencies of several devices at once; without `hardware` it is not told which it is."""

    name: str
    about: About = field(repr=False)
    recipe: Recipe
    hardware: bool = True

    def describe(self) -> dict[str, Any]:
        """Return what the model is: name, paper, idea, how it differs, and the recipe."""
        return {"name": self.name, **vars(self.about), **vars(self.recipe), "hardware": self.hardware}

    def fit(self, table: Table, devices: Mapping[str, str], seed: int = 0) -> ManyDevices:
        """Learn from the rows of a table all labels that are devices.

        Args:
            table: networks with a latency per device, in any unit, above 0.
            devices: a text per label.
            seed: of the weights and of the order of pairs of a network and a device.

        Raises:
            ValueError: there is no device, or a latency is not above 0.
            ModuleNotFoundError: a text has no embedding, and no encoder is installed.
        """
        space, logs = checked(table).space, _logarithms(table, list(devices))
        lines = {label: (float(y.mean()), float(y.std()) or 1.0) for label, y in zip(devices, logs.T, strict=True)}
        mean, spread = np.array(list(lines.values())).T
        target = torch.from_numpy((logs - mean) / spread).float().flatten()
        graphs, many = graphs_of(space, table.architectures), len(devices)
        tokens = _tokens(list(devices.values()), list(devices.values()))

        def work(module: nn.Module) -> None:
            def loss_of(batch: Tensor) -> Tensor:
                device = tokens[batch % many] if self.hardware else None
                return functional.mse_loss(module(graphs.take(batch // many), device), target[batch])

            descend(module, len(target), self.recipe, seed, loss_of)

        def build() -> nn.Module:
            return LanguageFormer(vocabulary(space), graphs.there.shape[1])

        return ManyDevices(space, seeded(build, seed, work), dict(devices), lines, self.hardware)


def _logarithms(table: Table, labels: Sequence[str]) -> Array:
    """Logarithms of latencies, [N, devices]."""
    if not labels:
        raise ValueError("there is no device to learn; give a text per label of the table")
    if missing := [label for label in labels if label not in table.labels]:
        raise DataError(f"{table.source}: no label {missing[0]!r}; it has {', '.join(map(str, table.labels))}")
    values = table.labels[list(labels)].to_numpy(dtype=np.float64)
    if not (values > 0).all():
        label = labels[int(np.argmin((values > 0).all(0)))]
        raise DataError(f"{table.source}: a latency of {label!r} is not above 0; leave such rows out")
    return np.asarray(np.log(values))


ABOUT = About(
    "Jing et al., Language Embedding Meets Dynamic Graph: A New Exploration for Neural Architecture Representation "
    "Learning, arXiv 2506.07735, 2025",
    "operations and devices are sentences of one encoder, and every node weighs three graphs of attention: what it "
    "reads, what reads it, and what those read that it reads; a device never seen is predicted from its text",
    "after the abstract and reviews, as the paper itself was not at hand; MiniLM for BERT; a node is a sum of phrases, "
    "one per choice, for a sentence; 2 layers of 64; labels are standardised per device",
)
LEDG = GraphModel("LeDG-Former", ABOUT, LanguageFormer, Recipe(rate=2e-3, loss="squared and pairs"))
LEDG_DEVICES = DeviceModel("LeDG-Former, devices", ABOUT, Recipe(steps=250))
