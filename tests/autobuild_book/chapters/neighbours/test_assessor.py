"""The semi-supervised assessor: its graph and its convolution by hand, and what networks without labels change."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor
from torch_geometric.nn import GCNConv  # type: ignore[import-untyped]
from torch_geometric.utils import dense_to_sparse  # type: ignore[import-untyped]

from autobuild_book.chapters.neighbours import assessor
from autobuild_book.chapters.neighbours.assessor import ASSESSOR, ASSESSOR_ALONE, Assessor, AssessorModel, similarities
from autobuild_book.chapters.neighbours.graphs import graphs_of, joined, vocabulary
from autobuild_book.chapters.neighbours.learning import Recipe
from autobuild_book.chapters.neighbours.nas_bench_201 import SPACE
from autobuild_lib.data.table import Table, make_table

QUICK = Recipe(120, 32, 1e-2)


def column(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float32)[:, None]


@pytest.fixture
def network() -> Assessor:
    torch.manual_seed(0)
    return Assessor(vocabulary(SPACE), 8).eval()


@pytest.fixture(scope="module")
def table() -> Table:
    drawn = list(dict.fromkeys(map(SPACE.canonical, SPACE.sample(24, 0))))
    labels = {"y": [float(str(cell).count("nor_conv")) for cell in drawn]}
    return make_table(SPACE, drawn, labels, source="counted", kind="yours")


def module_of(model: AssessorModel, table: Table) -> Assessor:
    (learnt,) = model.fit_many(table, ["y"])
    assert isinstance(learnt.module, Assessor)
    return learnt.module


def test_similarities_by_hand() -> None:
    edges = similarities(column(0, 2, 6), column(0, 2, 8.5))
    near, far = math.exp(-0.5), math.exp(-(6**2) / 8)  # at distances 2 and 6; 6.5 is too far for an edge
    expected = [[1, near, 0], [near, 1, 0], [far, math.exp(-2), math.exp(-(2.5**2) / 8)]]
    assert np.allclose(edges.numpy(), expected, rtol=1e-4)
    plane = torch.tensor([[3.0, 4.0], [5.0, 6.0]])
    assert similarities(plane, plane)[0, 1].item() == pytest.approx(math.exp(-1), rel=1e-4)


def test_a_convolution_by_hand(network: Assessor) -> None:
    network.layers = torch.nn.ModuleList([torch.nn.Linear(1, 1)])
    with torch.no_grad():
        network.layers[0].weight.fill_(2.0)
        network.layers[0].bias.fill_(0.5)
        # sums of rows 1.5, 1.5 and 1: the first becomes 2 * (1 / 1.5 + 0.5 * 4 / 1.5) + 0.5
        made = network.convolve(column(1, 4, -9), torch.tensor([[1, 0.5, 0], [0.5, 1, 0], [0, 0, 1]]))[1]
    assert made[:, 0].tolist() == pytest.approx([4.5, 6.5, 0])


def test_a_convolution_is_the_public_one(network: Assessor) -> None:
    embedded = torch.randn(9, 16)
    edges = similarities(embedded, embedded)
    public = GCNConv(16, 64)
    public.lin.weight = network.layers[0].weight
    public.bias = network.layers[0].bias
    with torch.no_grad():
        expected = public(embedded, *dense_to_sparse(edges - torch.diag(edges.diagonal()))).relu()
        assert 0 < (edges == 0).sum() < 72, "some are similar"
        assert torch.allclose(network.convolve(embedded, edges)[1], expected, atol=1e-5)


def test_a_network_that_is_like_none_is_scored_by_itself(network: Assessor) -> None:
    cells = graphs_of(SPACE, SPACE.sample(3, 1))
    with torch.no_grad():
        alone = network(cells)
        network.store(graphs_of(SPACE, SPACE.sample(20, 2)))
        near = network(cells)
        network.stored[0] = network.stored[0] + 100
        assert torch.allclose(network(cells), alone, atol=1e-6) and not torch.allclose(near, alone, atol=1e-4)


def test_joining_is_the_convolution_of_a_graph_that_does_not_read_it(network: Assessor) -> None:
    stored, cell = graphs_of(SPACE, SPACE.sample(6, 3)), graphs_of(SPACE, SPACE.sample(1, 4))
    with torch.no_grad():
        network.store(stored)
        values = torch.cat([network.embed(cell), network.stored[0]])
        edges = similarities(values, values)
        edges[1:, 0] = 0  # nobody reads the one that joins
        degrees = edges.sum(1)
        for layer in network.layers:
            values = layer(edges / (degrees[:, None] * degrees).sqrt() @ values).relu()
        assert torch.allclose(network(cell), network.head(values[:1])[0], atol=1e-5)
        both = joined(cell, stored)
        assert torch.allclose(network(both)[0], network(cell)[0], atol=1e-6), "nor does anything else of a batch"


def test_what_is_given_back_is_judged_node_by_node(network: Assessor) -> None:
    graphs = graphs_of(SPACE, SPACE.sample(2, 7))
    truth = torch.cat([graphs.features, graphs.reads], dim=-1).flatten(1)
    with torch.no_grad():
        network.decoder = torch.nn.Identity()
        assert network.astray(graphs, truth).item() == 0
        wrong = truth.clone()
        wrong[0, 3] += 2  # one choice of sixteen nodes
        assert network.astray(graphs, wrong).item() == pytest.approx(4 / 16)


def test_both_losses_count(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half the squared error of the rows of a batch, and half of what the whole batch gives back wrong."""
    losses: list[Callable[[Tensor], Tensor]] = []
    monkeypatch.setattr(assessor, "descend", lambda module, rows, recipe, seed, loss_of: losses.append(loss_of))
    module = module_of(replace(ASSESSOR, unlabelled=30, beside=9), table)
    monkeypatch.setattr(module, "assess", lambda embedded: torch.full((len(embedded),), 5.0))
    monkeypatch.setattr(module, "astray", lambda batch, embedded: torch.tensor(100.0 + len(batch)))
    y = table.labels["y"].to_numpy()
    target, rows = (y - y.mean()) / y.std(), torch.tensor([1, 3])
    expected = 0.5 * np.mean((5 - target[[1, 3]]) ** 2) + 0.5 * (100 + 2 + 9)
    assert losses[0](rows).item() == pytest.approx(expected, rel=1e-5)


def test_networks_without_labels_join_the_graph(table: Table) -> None:
    model = replace(ASSESSOR, recipe=Recipe(2, 8), unlabelled=30)
    assert len(module_of(model, table).degrees) == len(table) + 30
    assert len(module_of(replace(ASSESSOR_ALONE, recipe=Recipe(2, 8)), table).degrees) == len(table)
    assert ASSESSOR.describe()["unlabelled"] > 0 == ASSESSOR_ALONE.describe()["unlabelled"]


def test_networks_without_labels_teach_how_to_give_networks_back(table: Table) -> None:
    unseen, errors = graphs_of(SPACE, SPACE.sample(200, 9)), []
    for model in (ASSESSOR, ASSESSOR_ALONE):
        module = module_of(replace(model, recipe=QUICK), table)
        with torch.no_grad():
            errors.append(module.astray(unseen, module.embed(unseen)).item())
    mean = (unseen.features - unseen.features.mean(0)).square().sum() / unseen.there.sum()
    assert errors[0] < 0.8 * errors[1] and errors[0] < 0.8 * mean.item()
