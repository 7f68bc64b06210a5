"""The neural predictor's convolutions: by hand, and against a public dense layer."""

import torch
from torch_geometric.nn import DenseGCNConv  # type: ignore[import-untyped]

from autobuild_book.chapters.neighbours.convolutions import BothWays, normalized


def test_rows_of_a_normalized_matrix_by_hand() -> None:
    reads = torch.tensor([[[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [1.0, 1.0, 0.0]]])
    assert normalized(reads)[0, 1].tolist() == [0.5, 0.5, 0.0]
    assert torch.allclose(normalized(reads)[0, 2], torch.full((3,), 1 / 3))
    assert normalized(reads.mT)[0, 2].tolist() == [0.0, 0.0, 1.0]


def test_a_layer_by_hand() -> None:
    layer = BothWays(1, 1)
    with torch.no_grad():
        layer.along.weight.fill_(2.0)
        layer.against.weight.fill_(-1.0)
        reads = torch.tensor([[[0.0, 0.0], [1.0, 0.0]]])
        made = layer(torch.tensor([[[3.0], [-5.0]]]), normalized(reads), normalized(reads.mT))
    # along: 2 * [3, (3 - 5) / 2] -> [6, 0]; against: -1 * [(3 - 5) / 2, -5] -> [1, 5]
    assert made.flatten().tolist() == [3.5, 2.5]


def test_on_an_undirected_regular_graph_it_is_the_public_layer() -> None:
    torch.manual_seed(0)
    ring = torch.roll(torch.eye(6), 1, 0) + torch.roll(torch.eye(6), -1, 0)
    values, layer, public = torch.randn(2, 6, 3), BothWays(3, 4), DenseGCNConv(3, 4, bias=False)
    layer.along.weight = layer.against.weight = public.lin.weight
    matrix = normalized(ring.expand(2, 6, 6))
    assert torch.allclose(layer(values, matrix, matrix), public(values, ring).relu(), atol=1e-6)
