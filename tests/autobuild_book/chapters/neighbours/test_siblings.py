"""NN-Former: who is a sibling, by hand, and attention against a loop over nodes."""

import torch

from autobuild_book.chapters.neighbours.graphs import graphs_of
from autobuild_book.chapters.neighbours.nas_bench_201 import SPACE
from autobuild_book.chapters.neighbours.siblings import BothWaysFeedForward, SiblingAttention, masks


def test_siblings_by_hand() -> None:
    reads = graphs_of(SPACE, SPACE.sample(1, 0)).reads  # input, units 0 to 5, output
    read, read_by, share_reader, share_source = masks(reads)[0]
    assert read[6].nonzero().flatten().tolist() == [2, 3, 6], "unit 5 reads units 1 and 2"
    assert read_by[1].nonzero().flatten().tolist() == [1, 3, 5], "units 2 and 4 read unit 0"
    assert share_reader[2].nonzero().flatten().tolist() == [2, 3], "unit 5 reads unit 2 as well as unit 1"
    assert share_source[3].nonzero().flatten().tolist() == [3, 5], "unit 4 reads unit 0 as unit 2 does"


def test_attention_is_that_of_a_loop() -> None:
    torch.manual_seed(0)
    layer, graphs = SiblingAttention(8), graphs_of(SPACE, SPACE.sample(2, 1))
    values, seen = torch.randn(2, 8, 8), masks(graphs.reads)
    with torch.no_grad():
        made = layer(values, seen)
        query, key, value = layer.project(values[1]).split(8, dim=-1)
        for node in range(8):
            parts = []
            for head in range(4):
                span, others = slice(2 * head, 2 * head + 2), seen[1, head, node].nonzero().flatten()
                weights = (key[others, span] @ query[node, span] / 2**0.5).softmax(0)
                parts.append(weights @ value[others, span])
            assert torch.allclose(made[1, node], layer.join(torch.cat(parts)), atol=1e-5)


def test_feed_forward_by_hand() -> None:
    layer = BothWaysFeedForward(1)
    with torch.no_grad():
        for linear, weight in ((layer.here, 0.0), (layer.along, 1.0), (layer.against, 10.0), (layer.last, 1.0)):
            linear.weight.fill_(weight)
        layer.here.bias.fill_(-1.0)
        layer.last.bias.zero_()
        reads = torch.tensor([[[0.0, 0, 0], [1, 0, 0], [1, 1, 0]]])
        made = layer(torch.tensor([[[1.0], [2.0], [4.0]]]), reads)
    # along: 0, 1, 3; against: 60, 40, 0; each less 1 where that is more than nothing
    assert made.flatten().tolist() == [59, 39, 2]
