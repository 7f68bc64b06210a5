"""CARL: masks, a part and the loss by hand, and interventions that change nothing where nothing is redundant."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from autobuild_book.chapters.neighbours.causal import CARL, CARL_ALONE, Causal, Masks, Part, intervened
from autobuild_book.chapters.neighbours.graphs import Graphs, graphs_of, vocabulary
from autobuild_book.chapters.neighbours.nas_bench_201 import SPACE


@pytest.fixture
def network() -> Causal:
    torch.manual_seed(0)
    return Causal(vocabulary(SPACE), 8).eval()


def column(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float32)[:, None]


def test_masks_are_the_softmax_over_critical_and_redundant(network: Causal) -> None:
    with torch.no_grad():
        values = network.encode(graphs_of(SPACE, SPACE.sample(3, 1)))
        masks = network.masks(values)
        rest = masks.rest()
        assert torch.allclose(masks.nodes + rest.nodes, torch.ones(3, 8, 1))
        assert torch.allclose(masks.edges + rest.edges, torch.ones(3, 8, 8))
        odds = torch.cat([network.nodes(values), torch.zeros(3, 8, 1)], dim=-1)
        assert torch.allclose(torch.softmax(odds, dim=-1)[..., :1], masks.nodes, atol=1e-6)
        ends = torch.cat([values[1, 5], values[1, 2]])  # node 5 reads node 2
        odd = torch.cat([network.readers.weight[0], network.sources.weight[0]]) @ ends
        odds = torch.cat([odd + network.readers.bias + network.sources.bias, torch.zeros(1)])
        assert torch.softmax(odds, 0)[0].item() == pytest.approx(masks.edges[1, 5, 2].item())


def test_a_part_by_hand() -> None:
    part, there = Part(1), torch.tensor([[1.0, 1.0, 0.0]])
    reads = torch.zeros(1, 3, 3)
    reads[0, 1, 0] = 1
    graphs = Graphs(torch.zeros(1, 3, 2), reads, there)
    values, masks = torch.tensor([[[2.0], [4.0], [0.0]]]), Masks(torch.tensor([[[0.5], [1.0], [1.0]]]), reads / 2)
    with torch.no_grad():
        part.layer.along.weight.fill_(1.0)
        part.layer.against.weight.fill_(0.0)
        made = part(graphs, values, masks)
    # masked values 1 and 4; the second node has (1 * 0.5 + 4) / 1.5 = 3; half of both, then the mean over two nodes
    assert made.item() == pytest.approx((1 / 2 + 3 / 2) / 2)


def test_whole_masks_leave_a_graph_as_it_is(network: Causal) -> None:
    graphs = graphs_of(SPACE, SPACE.sample(4, 2))
    values = torch.rand(4, 8, 64)
    whole = Masks(torch.ones(4, 8, 1), torch.ones(4, 8, 8))
    with torch.no_grad():
        nothing = network.critical(graphs, values, whole.rest())
        assert nothing.abs().max() == 0 and network.critical(graphs, values, whole).std(0).max() > 0


def test_interventions_by_hand() -> None:
    critical, redundant = column(1, 2, 3), column(10, 20, 30)
    partners = torch.tensor([[0, 1, 2], [2, 0, 1]])
    assert intervened(critical, redundant, partners)[..., 0].tolist() == [[11, 22, 33], [31, 12, 23]]
    alike = torch.full((3, 1), 7.0)
    assert torch.equal(*intervened(critical, alike, partners)), "where all have the same redundant part"


def fixed(critical: Tensor, redundant: Tensor) -> Any:
    """A module whose parts are given, and whose scores are its parts."""
    first = torch.nn.Flatten(-2)
    return SimpleNamespace(
        parts=lambda graphs: (critical, redundant), score=first, score_redundant=first, score_pair=first
    )


def test_the_loss_by_hand() -> None:
    module, target = fixed(column(1, 2), column(3, 3)), torch.tensor([0.0, 2.0])
    # critical: (1 + 0) / 2; redundant: 9, half of it; pairs 4 and 5: (16 + 9) / 2, half of it
    assert CARL.loss(module, [0, 1], target).item() == pytest.approx(0.5 + 4.5 + 6.25)  # type: ignore[arg-type]
    assert CARL_ALONE.loss(module, [0, 1], target).item() == pytest.approx(5.0)  # type: ignore[arg-type]


def test_partners_matter_only_where_redundant_parts_differ() -> None:
    def losses(redundant: Tensor) -> list[float]:
        module, target = fixed(column(*range(8)), redundant), torch.zeros(8)
        found = []
        for seed in range(3):
            torch.manual_seed(seed)
            found.append(round(CARL.loss(module, range(8), target).item(), 4))  # type: ignore[arg-type]
        return found

    assert len(set(losses(torch.ones(8, 1)))) == 1
    assert len(set(losses(column(*range(8))))) == 3


def test_the_redundant_part_has_no_say_in_predictions(network: Causal) -> None:
    graphs = graphs_of(SPACE, SPACE.sample(5, 3))
    with torch.no_grad():
        before = network(graphs)
        for parameter in [*network.redundant.parameters(), *network.score_redundant.parameters()]:
            parameter.normal_()
        assert torch.equal(network(graphs), before) and before.std() > 0
