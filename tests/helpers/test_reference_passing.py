"""The reference for message passing equals public layers, in 64 bits: outputs, gradients and running statistics."""

from collections.abc import Callable, Sequence

import networkx as nx
import pytest
import torch
from torch import Tensor
from torch_geometric.nn import global_add_pool, global_max_pool, global_mean_pool

from tests.helpers.passing_twins import public_norm, public_twin
from tests.helpers.reference_passing import BatchNorm, GATv2, Graphs, hop, pool, random_convolution, random_graphs

FAN_IN, FAN_OUT = 3, 5
PUBLIC_POOLS = {"mean": global_mean_pool, "sum": global_add_pool, "max": global_max_pool}


def drawing(seed: int) -> Callable[..., Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64).requires_grad_()


def close(a: Tensor, b: Tensor) -> None:
    assert a.dtype == torch.float64
    torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)


def check_gradients(a: Tensor, of: Sequence[Tensor], b: Tensor, public: Sequence[Tensor]) -> None:
    """Compare gradients of a random sum; linear layers of PyTorch are kept transposed."""
    upstream = drawing(99)(*a.shape).detach()
    ours, theirs = torch.autograd.grad((a * upstream).sum(), of), torch.autograd.grad((b * upstream).sum(), public)
    for mine, other in zip(ours, theirs, strict=True):
        close(mine, other.T if mine.shape != other.shape and mine.dim() == 2 == other.dim() else other.view_as(mine))


@pytest.mark.parametrize("kind", ["gatv2", "graphconv"])
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("is_simple", [True, False])
def test_convolutions_equal_the_public_layers(kind: str, seed: int, is_simple: bool) -> None:
    draw, graphs = drawing(seed), random_graphs(torch.Generator().manual_seed(seed), is_simple=is_simple)
    layer = random_convolution(kind, FAN_IN, FAN_OUT, draw)
    public, ours, theirs = public_twin(layer)
    x = draw(len(graphs.graph), FAN_IN)
    mine, other = layer(x, graphs), public(x, graphs.edges)
    close(mine, other)
    check_gradients(mine, [x, *ours], other, [x, *theirs])


@pytest.mark.parametrize("kind", ["gatv2", "graphconv"])
@pytest.mark.parametrize("seed", range(5))
def test_edges_with_times_equal_edges_that_are_repeated(kind: str, seed: int) -> None:
    draw, graphs = drawing(seed), random_graphs(torch.Generator().manual_seed(seed))
    times = torch.randint(1, 5, graphs.edges.shape[1:], generator=torch.Generator().manual_seed(seed))
    layer = random_convolution(kind, FAN_IN, FAN_OUT, draw)
    public, ours, theirs = public_twin(layer)
    x = draw(len(graphs.graph), FAN_IN)
    mine, other = layer(x, graphs, times.double()), public(x, torch.repeat_interleave(graphs.edges, times, dim=1))
    close(mine, other)
    check_gradients(mine, [x, *ours], other, [x, *theirs])


@pytest.mark.parametrize("is_counted", [True, False])
def test_batch_norm_equals_the_public_layer_on_repeated_nodes(is_counted: bool) -> None:
    draw = drawing(4)
    norm = BatchNorm(draw(FAN_OUT), draw(FAN_OUT))
    public = public_norm(norm)
    for step in range(3):
        counts = torch.arange(1, 5 + step) if is_counted else torch.ones(4 + step, dtype=torch.int64)
        x = draw(len(counts), FAN_OUT)
        mine = norm(x, counts.double() if is_counted else None)
        repeated, theirs = torch.repeat_interleave(mine, counts, 0), public(torch.repeat_interleave(x, counts, 0))
        close(repeated, theirs)
        check_gradients(repeated, [x, norm.weight, norm.bias], theirs, [x, public.weight, public.bias])
        close(norm.mean, public.running_mean)
        close(norm.variance, public.running_var)
    x = draw(3, FAN_OUT)
    close(norm(x, training=False), public.eval()(x))


@pytest.mark.parametrize("kind", ["gatv2", "graphconv"])
@pytest.mark.parametrize("how", PUBLIC_POOLS)
@pytest.mark.parametrize("training", [True, False])
def test_hops_of_counted_nodes_equal_those_of_repeated_graphs(kind: str, how: str, training: bool) -> None:
    """Two hops and pooling, where every graph stands for itself and copies of it, against public layers on all."""
    draw, graphs = drawing(7), random_graphs(torch.Generator().manual_seed(7))
    copies = torch.arange(1, len(graphs) + 1)
    whole, node_of = repeated(graphs, copies)
    layers = [random_convolution(kind, FAN_IN, FAN_OUT, draw), random_convolution(kind, FAN_OUT, FAN_OUT, draw)]
    x = draw(len(graphs.graph), FAN_IN)
    h, expected = x, x[node_of]
    for place, layer in enumerate(layers):
        norm = BatchNorm(draw(FAN_OUT), draw(FAN_OUT))
        public = public_norm(norm).train(training)
        h = hop(h, graphs, layer, norm, torch.relu, place > 0, counts=copies[graphs.graph].double(), training=training)
        convolved = public(layer(expected, whole)).relu()  # which equals a public layer, as tested above
        expected = convolved + expected if place > 0 else convolved
    close(h[node_of], expected)
    pooled, theirs = pool(h, graphs, how), PUBLIC_POOLS[how](expected, whole.graph)
    close(torch.repeat_interleave(pooled, copies, 0), theirs)
    assert pool(h, graphs, how, torch.full((len(h),), 3.0)).allclose(pooled * (3 if how == "sum" else 1))
    parameters = [tensor for layer in layers for tensor in vars(layer).values()]
    every = torch.repeat_interleave(pooled, copies, 0)
    check_gradients(every, [x, *parameters], theirs, [x, *parameters])


def repeated(graphs: Graphs, copies: Tensor) -> tuple[Graphs, Tensor]:
    """Copies of every graph, end to end, and which node each of the nodes is a copy of."""
    edges, nodes, members, total = [], [], [], 0
    for number, count in enumerate(copies.tolist()):
        own = (graphs.graph == number).nonzero().flatten()
        inside = graphs.edges[:, graphs.graph[graphs.edges[0]] == number] - own[0]
        for _ in range(count):
            edges.append(inside + total)
            nodes.append(own)
            members.append(torch.full((len(own),), len(members)))
            total += len(own)
    return Graphs(torch.cat(edges, dim=1), torch.cat(members)), torch.cat(nodes)


def test_random_graphs_have_what_is_hard() -> None:
    several = repeats = 0
    for seed in range(20):
        graphs = random_graphs(torch.Generator().manual_seed(seed), is_simple=seed % 2 == 0)
        network = nx.MultiDiGraph(graphs.edges.T.tolist())
        assert nx.is_directed_acyclic_graph(network) and len(graphs) == 6
        sizes = torch.bincount(graphs.graph)
        assert sizes[0] == 1 and sizes[1:].min() > 1
        assert (graphs.graph[graphs.edges[0]] == graphs.graph[graphs.edges[1]]).all()
        assert not (graphs.graph[graphs.edges] < 2).any()
        simple = torch.unique(graphs.edges, dim=1)
        several += int((torch.bincount(simple[1]) > 1).sum())
        repeats += graphs.edges.shape[1] - simple.shape[1]
        assert seed % 2 or graphs.edges.shape == simple.shape
    assert several > 50 and repeats > 50


def test_attention_by_hand() -> None:
    """Node 1 reads itself (l = 1, r = 1, logit 2) and node 0 twice (l = -3, -3 + 1 = -2, leaky: logit -0.4)."""
    one, nothing = torch.ones(1, 1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    layer = GATv2(one, nothing, one, nothing, one[0], nothing + 10)
    graphs = Graphs(torch.tensor([[0, 0], [1, 1]]), torch.tensor([0, 0]))
    new = layer(torch.tensor([[-3.0], [1.0]], dtype=torch.float64), graphs)
    itself, other = torch.tensor([2.0, -0.4], dtype=torch.float64).exp()
    close(new, torch.stack([nothing + 7, (itself - 6 * other) / (itself + 2 * other) + 10 + nothing]))
