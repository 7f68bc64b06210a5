"""Network graphs: properties of an architecture's graph predict how good it is, and rewiring searches (Huang et al.).

Huang et al., Network Graph Based Neural Architecture Search, arXiv 2112.07805 (2021); GRAF (Kadlecova et al., 2024)
counts operations as well. Properties are those of the graph of all nodes that send anything, or
also those of the graphs that the nodes of each choice make with the input and the output.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from autobuild_book.chapters.neighbours.graphs import INPUT, OUTPUT, Graphs, chunks, vocabulary
from autobuild_book.chapters.neighbours.labels import labels_of
from autobuild_book.chapters.neighbours.learning import About
from autobuild_book.chapters.shared.models.learners import Forest
from autobuild_lib.data.table import Table
from autobuild_lib.spaces import Architecture, SequenceSpace
from autobuild_lib.spaces.sequence import Codes
from autobuild_lib.torch_settings import plain_torch

Array = npt.NDArray[np.float64]
PROPERTIES = (
    "nodes", "edges", "degree", "spread of degrees", "largest degree", "path length", "diameter", "efficiency",
    "clustering", "transitivity", "spectral radius", "connectivity", "depth", "shortest way", "ways",
)  # fmt: skip
NONE = -1.0  # of a way where there is none


def properties(reads: Tensor, alive: Tensor, first: Tensor, last: Tensor) -> Tensor:
    """Return the properties of graphs, [N, properties], in the order of `PROPERTIES`.

    Path length, diameter, efficiency, clustering and spectra are those of the graph without directions; depth, shortest
    way and the logarithm of the number of ways (+ 1) are about directed ways from the input to the output, in edges.

    Args:
        reads: adjacency [N, nodes, nodes], 1 where the node of the row reads the node of the column.
        alive: [N, nodes], 1 for nodes that count. first, last: [N, nodes], 1 for the input, and for the output.
    """
    reads = reads * alive[:, None] * alive[..., None]
    both = ((reads + reads.mT) > 0).float()
    degrees, nodes = both.sum(-1), alive.sum(-1)
    mean = degrees.sum(-1) / nodes
    spread = (((degrees - mean[:, None]) * alive).square().sum(-1) / nodes).sqrt()
    basic = [nodes, reads.sum((-1, -2)), mean, spread, degrees.amax(-1)]
    parts = [*basic, *_lengths(both, nodes), *_triangles(both, degrees, nodes), *_spectra(both, degrees, alive)]
    return torch.stack([*parts, *_ways(reads, first, last)], dim=-1)


def _lengths(both: Tensor, nodes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean distance of connected pairs, the largest, and the mean of inverse distances over all pairs."""
    size = both.shape[-1]
    distance, reached = torch.zeros_like(both), torch.eye(size).expand_as(both)
    for step in range(1, size):
        grown = ((reached @ both + reached) > 0).float()
        distance, reached = distance + step * (grown - reached), grown
    there = (distance > 0).float()
    pairs, inverse = there.sum((-1, -2)).clamp(min=1), there / distance.clamp(min=1)
    possible = (nodes * (nodes - 1)).clamp(min=1)
    return distance.sum((-1, -2)) / pairs, distance.amax((-1, -2)), inverse.sum((-1, -2)) / possible


def _triangles(both: Tensor, degrees: Tensor, nodes: Tensor) -> tuple[Tensor, Tensor]:
    """Mean over nodes of the share of their pairs of neighbours that are joined, and that share over all pairs."""
    closed, pairs = torch.diagonal(both @ both @ both, dim1=-2, dim2=-1), degrees * (degrees - 1)
    return (closed / pairs.clamp(min=1)).sum(-1) / nodes, closed.sum(-1) / pairs.sum(-1).clamp(min=1)


def _spectra(both: Tensor, degrees: Tensor, alive: Tensor) -> tuple[Tensor, Tensor]:
    """Largest eigenvalue of the adjacency matrix, and the second smallest of the Laplacian."""
    far = (1 - alive) * 1e3  # puts what is no node behind all others
    laplacian = torch.diag_embed(degrees + far) - both
    return torch.linalg.eigvalsh(both)[:, -1], torch.linalg.eigvalsh(laplacian)[:, 1]


def _ways(reads: Tensor, first: Tensor, last: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Edges of the longest and of the shortest way from the input to the output, and log(1 + number of ways)."""
    counts, total = first, torch.zeros(len(reads))
    longest, shortest = torch.full_like(total, NONE), torch.full_like(total, NONE)
    for step in range(1, reads.shape[-1]):
        counts = (reads @ counts[..., None])[..., 0]  # ways of so many edges to each node
        arrived = (counts * last).sum(-1)
        longest = torch.where(arrived > 0, float(step), longest)
        shortest = torch.where((arrived > 0) & (shortest == NONE), float(step), shortest)
        total = total + arrived
    return longest, shortest, total.log1p()


def graph_features(space: SequenceSpace, architectures: Sequence[Architecture], choices: bool = False) -> pd.DataFrame:
    """Return the properties of architectures of a space, a row each; with `choices`, also those of each choice."""
    words = vocabulary(space)
    with plain_torch():
        rows = [_features(graphs, list(words.nothing), choices) for graphs in chunks(space, architectures)]
    scopes = ["network", *(f"choice {n}" for n in range(words.width - 2) if choices)]
    names = [f"{scope} {name}" for scope in scopes for name in PROPERTIES]
    return pd.DataFrame(torch.cat(rows).numpy() if rows else np.empty((0, len(names))), columns=names)


def _features(graphs: Graphs, nothing: list[int], choices: bool) -> Tensor:
    first, last = graphs.features[..., INPUT], graphs.features[..., OUTPUT]
    scopes = [graphs.there - graphs.features[..., nothing].sum(-1)]
    if choices:
        scopes += [first + last + made for made in graphs.features[..., :INPUT].unbind(-1)]
    return torch.cat([properties(graphs.reads, alive, first, last) for alive in scopes], dim=-1)


class Predicts(Protocol):
    """What a search asks."""

    def predict(self, architectures: Sequence[Architecture], /) -> Array:
        """Predict a target, the more the better: architectures [N] -> [N]."""


@dataclass(frozen=True, eq=False)
class OnGraphs:
    """A regression that has learnt one target from properties of graphs."""

    space: SequenceSpace
    choices: bool
    regressor: Any

    def predict(self, architectures: Sequence[Architecture]) -> Array:
        """Predict the target in label units: architectures [N] -> [N]."""
        rows = graph_features(self.space, architectures, self.choices).to_numpy()
        return np.asarray(self.regressor.predict(rows), dtype=np.float64) if len(rows) else np.empty(0)


@dataclass(frozen=True)
class NetworkGraphs:
    """A forest on properties of graphs as a model of the registry; `choices`: of the graphs of each choice as well."""

    name: str
    about: About = field(repr=False)
    choices: bool = False
    learner: Forest = Forest(0.3, 2)  # noqa: RUF009
    needs_proxies = False

    def describe(self) -> dict[str, Any]:
        """Return what the model is: name, paper, idea, how it differs, and what it looks at."""
        return {"name": self.name, **vars(self.about), "choices": self.choices, "learner": repr(self.learner)}

    def fit_many(
        self, table: Table, targets: Sequence[str], seed: int = 0, proxies: pd.DataFrame | None = None
    ) -> list[OnGraphs]:
        """Learn each target from the rows of the table; what cannot be learnt from is a `DataError`."""
        labels = labels_of(table, targets)
        rows = graph_features(table.space, table.architectures, self.choices).to_numpy()
        return [OnGraphs(table.space, self.choices, self.learner.make(seed).fit(rows, y)) for y in labels]


def rewired(space: SequenceSpace, codes: Codes, rng: np.random.Generator) -> Codes:
    """Draw one choice of each network anew, [N, code_width]: links, an operation, or how many layers follow another."""
    made, drawn = codes.copy(), space.sample_codes(rng, len(codes))
    free = np.array([place for place, column in enumerate(space.columns) if len(column.allowed) > 1])
    rows, places = np.arange(len(codes)), rng.choice(free, len(codes))
    made[rows, places] = drawn[rows, places]
    appeared = space.absent(codes) & ~space.absent(made)  # layers that a longer unit gets are drawn as well
    made[appeared] = space.choose(rng.random(codes.shape))[appeared]
    made[space.absent(made)] = 0
    return made


def search(model: Predicts, space: SequenceSpace, rng: np.random.Generator, networks: int, steps: int) -> Codes:
    """Search by rewiring: each of some networks becomes what a rewiring makes of it where that is predicted better.

    Returns the codes of the last networks, [networks, code_width], the best predicted first.
    """
    codes = space.sample_codes(rng, networks)
    worth = model.predict(space.from_codes(codes))
    for _ in range(steps):
        others = rewired(space, codes, rng)
        predicted = model.predict(space.from_codes(others))
        better = predicted > worth
        codes, worth = np.where(better[:, None], others, codes), np.where(better, predicted, worth)
    return codes[np.argsort(-worth, kind="stable")]


_PAPER = "Huang et al., Network Graph Based Neural Architecture Search, arXiv 2112.07805, 2021"
_IDEA = "properties of the graph, such as path length, clustering and degree, predict how good a network is"
NETWORK_GRAPHS = NetworkGraphs(
    "network graphs",
    About(_PAPER, _IDEA, "of the graph of layers, where the paper has one of groups of channels; a forest predicts"),
)
NETWORK_GRAPHS_OF_CHOICES = NetworkGraphs(
    "network graphs of choices", About(_PAPER, _IDEA, "also of the graphs that each choice makes with both ends"), True
)
