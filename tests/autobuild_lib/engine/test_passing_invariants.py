"""What message passing must not depend on: the order of nodes, the number of threads, equal nodes taken as one."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st
from torch import Tensor
from torch_geometric.nn import global_add_pool, global_max_pool, global_mean_pool

from autobuild_lib.engine.neighbourhoods import Neighbourhoods, neighbourhoods
from autobuild_lib.engine.passing import BatchNorm, GATv2, GraphConv, Messages, Pooling, pass_messages
from autobuild_lib.graphs import IRGraph
from tests.helpers import reference_passing as reference
from tests.helpers.passing_twins import messages_of, pooling_of
from tests.helpers.random_dags import dags
from tests.helpers.reference_passing import Graphs, random_graphs

KINDS = {"gatv2": GATv2, "graphconv": GraphConv}
PUBLIC_POOLS = {"mean": global_mean_pool, "sum": global_add_pool, "max": global_max_pool}


def seeds(*numbers: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(number) for number in numbers]


def random(*shape: int, seed: int = 9, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def close(found: Tensor, expected: Tensor, tolerance: float = 1e-9) -> None:
    torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance, check_dtype=False)


@pytest.fixture
def threads() -> Iterator[None]:
    """Keep the number of PyTorch's threads."""
    number = torch.get_num_threads()
    yield
    torch.set_num_threads(number)


# -------------------------------------------------------------------- nodes and graphs


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_nodes_and_edges_does_not_matter(kind: str, seed: int) -> None:
    graphs = random_graphs(torch.Generator().manual_seed(seed), is_simple=False)
    nodes, rng = len(graphs.graph), np.random.default_rng(seed)
    place = torch.from_numpy(rng.permutation(nodes))  # node v is row place[v]
    order = torch.from_numpy(rng.permutation(graphs.edges.shape[1]))
    moved = Graphs(place[graphs.edges[:, order]], torch.empty_like(graphs.graph).index_put_((place,), graphs.graph))
    convolution, norm = KINDS[kind](4, 4, seeds(seed)).double(), BatchNorm(4, 1).double()
    x = random(1, nodes, 4).requires_grad_()
    y = x.detach()[:, torch.argsort(place)].requires_grad_()
    here = pass_messages(convolution, norm, x, messages_of(graphs), "relu", True)
    there = pass_messages(convolution, norm, y, messages_of(moved), "relu", True)
    close(there[:, place], here)
    for total, mine in ((here.square().sum(), x), (there.square().sum(), y)):
        total.backward(inputs=[mine])
    assert x.grad is not None and y.grad is not None
    close(y.grad[:, place], x.grad)


@pytest.mark.parametrize("kind", KINDS)
def test_no_message_crosses_from_one_graph_to_another(kind: str) -> None:
    graphs = random_graphs(torch.Generator().manual_seed(3))
    convolution, norm = KINDS[kind](4, 3, seeds(0, 1)).double(), BatchNorm(3, 2).double().eval()
    x = random(2, len(graphs.graph), 4)
    before = pass_messages(convolution, norm, x, messages_of(graphs), "gelu", False)
    for number in range(len(graphs)):
        inside = graphs.graph == number
        after = pass_messages(convolution, norm, x + inside[:, None], messages_of(graphs), "gelu", False)
        assert torch.equal(after[:, ~inside], before[:, ~inside])
        assert (after[:, inside] != before[:, inside]).any()


# -------------------------------------------------------------------- pooling


@pytest.mark.parametrize("how", PUBLIC_POOLS)
def test_pooling_equals_the_public_functions(how: str) -> None:
    graphs = random_graphs(torch.Generator().manual_seed(5))
    x = random(2, len(graphs.graph), 4, dtype=torch.float32).requires_grad_()
    mine = pooling_of(graphs, torch.ones(len(graphs.graph)))(x, how)
    theirs = torch.stack([PUBLIC_POOLS[how](part, graphs.graph) for part in x])
    close(mine, theirs, 1e-6)
    upstream = random(*mine.shape, dtype=torch.float32)
    close(torch.autograd.grad(mine, x, upstream)[0], torch.autograd.grad(theirs, x, upstream)[0], 1e-6)


@pytest.mark.parametrize("how", PUBLIC_POOLS)
def test_pooling_of_counted_nodes_equals_the_reference(how: str) -> None:
    graphs = random_graphs(torch.Generator().manual_seed(6))
    counts = torch.randint(1, 9, (len(graphs.graph),), generator=torch.Generator().manual_seed(0)).float()
    x, pooling = random(1, len(counts), 3).requires_grad_(), pooling_of(graphs, counts)
    close(pooling(x, how)[0], reference.pool(x[0], graphs, how, counts.double()), 1e-6 if how == "mean" else 1e-12)
    assert torch.autograd.gradcheck(lambda x: pooling(x, how), (x,), eps=1e-6, atol=1e-7)


# -------------------------------------------------------------------- classes of equal nodes


def laid_end_to_end(graphs: Sequence[IRGraph]) -> Graphs:
    sizes = torch.tensor([len(graph) for graph in graphs])
    starts = (sizes.cumsum(0) - sizes).tolist()
    edges = [torch.from_numpy(graph.edges) + start for graph, start in zip(graphs, starts, strict=True)]
    return Graphs(torch.cat(edges, dim=1), torch.repeat_interleave(sizes))


def class_of_nodes(graphs: Sequence[IRGraph], found: Neighbourhoods) -> Tensor:
    """Which class of hop 0 every node is of, by its features."""
    rows = torch.cat([torch.from_numpy(np.column_stack([g.operations, g.shapes, g.attributes])) for g in graphs])
    classes = torch.cat([found.operations[:, None], found.shapes, found.attributes], dim=1)
    return (rows[:, None] == classes).all(2).long().argmax(1)


def hops(
    x: Tensor, convolutions: Sequence[GATv2 | GraphConv], norms: Sequence[BatchNorm], messages: Sequence[Messages],
    poolings: Sequence[Pooling],
) -> list[Tensor]:  # fmt: skip
    """Sums over the nodes of each graph at hop 1, 2, ..."""
    pooled = []
    for place, layers in enumerate(zip(convolutions, norms, messages, strict=True)):
        x = pass_messages(*layers[:2], x, layers[2], "relu", place > 0)
        pooled.append(poolings[place](x, "sum"))
    return pooled


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("training", [True, False])
@given(data=st.data())
def test_classes_equal_the_nodes_that_they_stand_for(data: st.DataObject, kind: str, training: bool) -> None:
    graphs = data.draw(dags())
    found = neighbourhoods(graphs, 3)
    messages, poolings = found.structure()
    plain, each = laid_end_to_end(graphs), torch.ones(sum(map(len, graphs)))
    convolutions = [KINDS[kind](fan_in, 4, seeds(hop)).double() for hop, fan_in in enumerate((3, 4, 4))]
    norms = [BatchNorm(4, 1).double().train(training) for _ in convolutions]
    twins = [BatchNorm(4, 1).double().train(training) for _ in convolutions]
    x = random(1, len(found.operations), 3).requires_grad_()
    nodes = x.index_select(1, class_of_nodes(graphs, found))
    mine = hops(x, convolutions, norms, messages, poolings[1:])
    theirs = hops(nodes, convolutions, twins, [messages_of(plain)] * 3, [pooling_of(plain, each)] * 3)
    for ours, other in zip(mine, theirs, strict=True):
        close(ours, other, 1e-8)
    parameters = [x, *(p for module in convolutions for p in module.parameters())]
    gradients = [torch.autograd.grad(sum((h * h.detach().cos()).sum() for h in pooled), parameters)
                 for pooled in (mine, theirs)]  # fmt: skip
    for ours, other in zip(*gradients, strict=True):
        close(ours, other, 1e-7)
    for norm, twin in zip(norms, twins, strict=True):
        close(norm.mean, twin.mean)
        close(norm.variance, twin.variance)


# -------------------------------------------------------------------- threads, sizes


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [32, 33])
def test_threads_and_repetition_change_no_byte(kind: str, width: int) -> None:
    graphs = random_graphs(torch.Generator().manual_seed(1), graphs=120, most=30)
    x = random(2, len(graphs.graph), width, dtype=torch.float32)
    messages, pooling = messages_of(graphs), pooling_of(graphs, torch.ones(len(graphs.graph)))
    results = []
    for number in (1, 2, 1, 2):
        torch.set_num_threads(number)
        convolution, norm = KINDS[kind](width, width, seeds(0, 1)), BatchNorm(width, 2)
        y = x.clone().requires_grad_()
        new = pass_messages(convolution, norm, y, messages, "relu", True)
        pooled = [pooling(new, how) for how in ("mean", "sum")]
        sum(part.square().sum() for part in pooled).backward()
        tensors = [new, *pooled, y.grad, *(p.grad for p in convolution.parameters()), norm.mean, norm.variance]
        results.append([tensor.detach().numpy().tobytes() for tensor in tensors])
    assert results[0] == results[1] == results[2] == results[3]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", PUBLIC_POOLS)
def test_no_graphs_give_nothing(kind: str, how: str) -> None:
    nothing = torch.zeros(0, dtype=torch.int64)
    messages = Messages(torch.zeros(1, dtype=torch.int64), nothing, torch.zeros(0), torch.zeros(0))
    convolution, norm = KINDS[kind](3, 5, seeds(0, 1)), BatchNorm(5, 2).eval()
    with torch.inference_mode():
        new = pass_messages(convolution, norm, torch.zeros(2, 0, 3), messages, "relu", False)
        assert new.shape == (2, 0, 5)
        assert Pooling.of(nothing, nothing, torch.zeros(0))(new, how).shape == (2, 0, 5)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_finite_spreads_to_its_readers_alone(kind: str) -> None:
    graphs = Graphs(torch.tensor([[0, 1], [1, 2]]), torch.tensor([0, 0, 0, 1]))
    convolution, norm = KINDS[kind](3, 3, seeds(0)), BatchNorm(3, 1).eval()
    x = random(1, 4, 3, dtype=torch.float32)
    x[0, 0] = torch.nan
    new = pass_messages(convolution, norm, x, messages_of(graphs), "relu", True)
    assert new.isnan().all(2).tolist() == [[True, True, False, False]] and not new[:, 2:].isnan().any()


@pytest.mark.parametrize("kind", KINDS)
def test_an_array_may_be_a_view(kind: str) -> None:
    graphs = random_graphs(torch.Generator().manual_seed(2))
    wide = random(1, 4, len(graphs.graph)).mT
    convolution, norm = KINDS[kind](4, 4, seeds(0)).double(), BatchNorm(4, 1).double()
    results = []
    for x in (wide.requires_grad_(), wide.detach().contiguous().requires_grad_()):
        new = pass_messages(convolution, norm, x, messages_of(graphs), "relu", True)
        (of_x,) = torch.autograd.grad(new.mT.mT, x, random(*new.mT.shape).mT)
        results.append((new, of_x))
    for view, plain in zip(*results, strict=True):
        close(view, plain)


def test_running_statistics_move_as_pytorchs() -> None:
    """Of nodes that stand for several, step by step, towards the variance of a sample."""
    convolution, norm = GraphConv(3, 3, seeds(0)).double(), BatchNorm(3, 1).double()
    with torch.no_grad():
        for parameter in convolution.parameters():
            parameter.zero_()
        convolution.root += torch.eye(3)
    public = torch.nn.BatchNorm1d(3).double()
    for step in range(3):
        counts = torch.arange(1, 6 + step)
        x = random(len(counts), 3, seed=step) * 3 + step
        alone = replace(messages_of(Graphs(torch.zeros(2, 0, dtype=torch.int64), torch.zeros_like(counts))),
                        counts=counts.float())  # fmt: skip
        new = pass_messages(convolution, norm, x[None], alone, "leaky_relu", False)
        expected = torch.nn.functional.leaky_relu(public(torch.repeat_interleave(x, counts, 0)))
        close(torch.repeat_interleave(new[0], counts, 0), expected)
        close(norm.mean[0, 0], public.running_mean)
        close(norm.variance[0, 0], public.running_var)
