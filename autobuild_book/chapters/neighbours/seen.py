"""What systems make of networks: the matrices, vectors and clouds that the chapter draws."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from autobuild_book.chapters.neighbours.graphs import INPUT, OUTPUT, Graphs, graphs_of, vocabulary
from autobuild_book.chapters.neighbours.kernel_process import occurrences
from autobuild_book.chapters.neighbours.siblings import masks
from autobuild_book.chapters.neighbours.weisfeiler_lehman import Kernel
from autobuild_lib.data.table import Table
from autobuild_lib.spaces import Architecture, SequenceSpace
from autobuild_lib.torch_settings import plain_torch

Array = npt.NDArray[np.float64]
HEADS = ("what it reads", "what reads it", "same reader", "same source")


def node_names(space: SequenceSpace, architecture: Architecture) -> list[str]:
    """Return what stands at each node of a network of one choice a layer, such as "1 gat", between input and output."""
    names = values_of(space)
    features = graphs_of(space, [architecture]).features[0]
    layers = [names[int(row[:INPUT].argmax())] for row in features[1:] if row[:OUTPUT].any() and not row[INPUT:].any()]
    return ["input", *(f"{n} {name}" for n, name in enumerate(layers, 1)), "output"]


def values_of(space: SequenceSpace) -> list[str]:
    """Return the choices of a layer of a space, in the order of a node's features."""
    words = vocabulary(space)
    return [str(value) for column in words.columns for value in space.categories[column].values]


def attention_masks(space: SequenceSpace, architecture: Architecture) -> dict[str, Array]:
    """Return who attends to whom in NN-Former's heads, by head: [nodes, nodes]."""
    graphs, nodes = _single(space, architecture)
    seen = masks(graphs.reads)[0, :, :nodes, :nodes]
    return {name: head.double().numpy() for name, head in zip(HEADS, seen, strict=True)}


def mixing(space: SequenceSpace, architecture: Architecture, normalized: Any) -> dict[str, Array]:
    """Return how much of each node a graph convolution takes, along the edges and against them: [nodes, nodes] each."""
    graphs, nodes = _single(space, architecture)
    both = {"along the edges": graphs.reads, "against them": graphs.reads.mT}
    return {name: normalized(reads)[0, :nodes, :nodes].double().numpy() for name, reads in both.items()}


def gates(module: Any, space: SequenceSpace) -> Array:
    """Return how wide GATES opens for every operation, channels sorted by the first: [operations, channels]."""
    choices = torch.eye(vocabulary(space).width)[: len(values_of(space))]
    with plain_torch():
        opened = torch.sigmoid(module.layers[0].gates(choices @ module.choices.vectors))
    rows = opened.double().numpy()
    return rows[:, np.argsort(rows.mean(0), kind="stable")]


def principal(vectors: Array) -> Array:
    """Return the first two principal components of vectors, [N, width] -> [N, 2]."""
    centred = vectors - vectors.mean(0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    largest = np.abs(directions).argmax(1)
    signs = np.sign(directions[np.arange(len(directions)), largest])  # which sign comes out is chance
    return np.asarray(centred @ (signs[:, None] * directions)[:2].T, dtype=np.float64)


def operation_vectors(module: Any, space: SequenceSpace) -> Array:
    """Return the learnt vectors of operations in two dimensions, [operations, 2]."""
    return principal(module.choices.vectors[: len(values_of(space))].detach().double().numpy())


def jittered(points: Array, seed: int, share: float = 0.03) -> Array:
    """Return points [N, 2] moved at random by a share of their range, so that equal ones do not hide each other."""
    return np.asarray(points + share * np.ptp(points, axis=0) * np.random.default_rng(seed).normal(size=points.shape))


def spread_over(table: Table, label: str, count: int) -> list[Architecture]:
    """Return `count` networks of a table from its worst to its best, in even steps of the rank."""
    order = np.argsort(table.labels[label].to_numpy(), kind="stable")
    return [table.architectures[row] for row in order[np.linspace(0, len(order) - 1, count).round().astype(int)]]


def true_ranks(table: Table, label: str, networks: Sequence[Architecture]) -> list[int | None]:
    """Return the rank of each network among the rows of a table, 1 for the highest; none for what is no row."""
    order = np.argsort(-table.labels[label].to_numpy(), kind="stable")
    canonical = table.space.canonical
    ranks = {canonical(table.architectures[row]): rank for rank, row in enumerate(order, 1)}
    return [ranks.get(canonical(network)) for network in networks]


def chances(learnt: Any, architectures: Sequence[Architecture], log_odds: Any) -> Array:
    """Return the probability that each network is at least as good as each other, as CTNAS says: [N, N]."""
    with plain_torch():
        numbers: Tensor = learnt.comparator(graphs_of(learnt.space, architectures))
        return np.asarray(log_odds(numbers, numbers).double().sigmoid().numpy(), dtype=np.float64)


def similar(learnt: Any, architectures: Sequence[Architecture], similarities: Any) -> Array:
    """Return the edges that the assessor sees between networks, 0 to 1: [N, N]."""
    with plain_torch():
        embedded = learnt.module.embed(graphs_of(learnt.space, architectures))
        return np.asarray(similarities(embedded, embedded).double().numpy(), dtype=np.float64)


def critical(learnt: Any, architecture: Architecture) -> dict[str, Array]:
    """Return how critical CARL holds each edge of a network, and each node (diagonal), to be: [nodes, nodes]."""
    graphs, nodes = _single(learnt.space, architecture)
    with plain_torch():
        masks = learnt.module.masks(learnt.module.encode(graphs))
    shares = masks.edges * graphs.reads + torch.diag_embed(masks.nodes[..., 0] * graphs.there)
    return {"how critical": shares[0, :nodes, :nodes].double().numpy()}


def cosines(vectors: Tensor) -> Array:
    """Return how alike vectors [N, width] are once their mean is taken out, as cosines: [N, N]."""
    centred = (vectors - vectors.mean(0)).double()
    centred = centred / centred.norm(dim=1, keepdim=True).clamp(min=1e-12)
    return np.asarray((centred @ centred.T).numpy(), dtype=np.float64)


def kernels(space: SequenceSpace, architectures: Sequence[Architecture], rounds: Sequence[int]) -> dict[str, Array]:
    """Return the Weisfeiler-Lehman kernel of networks with each other after some rounds: [N, N] each."""
    levels = list(occurrences(space, architectures))
    matrices = Kernel.of(levels).to(levels)
    return {f"after {n} rounds" if n else "operations alone": matrices[n] for n in rounds}


def adjacency(wiring: Any) -> tuple[Array, list[str]]:
    """Return which operation of a flattened network reads which, [nodes, nodes], and what the nodes are."""
    names = wiring.labels()
    matrix = np.zeros((len(names), len(names)))
    matrix[tuple(np.array(wiring.readers()).T)] = 1
    return matrix, [name.removeprefix("nor_").removesuffix("_connect") for name in names]


def shortened(model: Any, steps: int) -> Any:
    """Return a model that takes at most so many steps, for a page that is made in a hurry."""
    recipe = getattr(model, "recipe", None)
    return model if recipe is None else replace(model, recipe=replace(recipe, steps=min(steps, recipe.steps)))


def _single(space: SequenceSpace, architecture: Architecture) -> tuple[Graphs, int]:
    graphs = graphs_of(space, [architecture])
    return graphs, int(graphs.there.sum())
