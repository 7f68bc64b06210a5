"""GATES: the flow by hand, on the line graph and on the cell, and what sends nothing."""

import torch

from autobuild_book.chapters.neighbours.gates import Flow, Gates
from autobuild_book.chapters.neighbours.graphs import graphs_of, vocabulary
from autobuild_book.chapters.neighbours.nas_bench_201 import OPERATIONS, SPACE, UNITS


def test_a_step_by_hand() -> None:
    step = Flow(1, 1)
    with torch.no_grad():
        step.states.weight.fill_(2.0)
        step.gates.weight.fill_(1.0)
        reads = torch.tensor([[[0.0, 0, 0], [1, 0, 0], [1, 1, 0]]])
        flow, choices = torch.tensor([[[3.0], [4.0], [9.0]]]), torch.tensor([[[0.0], [0.0], [100.0]]])
        assert step(flow, choices, torch.ones(1, 3, 1), reads).flatten().tolist() == [0, 3, 14]
        assert step(flow, choices, torch.tensor([[[1.0], [0.0], [1.0]]]), reads).flatten().tolist() == [0, 0, 14]


def test_a_step_on_the_line_graph_is_a_step_on_the_cell() -> None:
    """The paper's equation for operations on edges, as loops: x_v is the sum over edges u -> v of gate_uv * (x_u W)."""
    torch.manual_seed(1)
    step, width = Flow(5, 3), 5
    cell = SPACE.sample(1, 4)[0]
    graphs, gates = graphs_of(SPACE, [cell]), torch.rand(8, 3)
    with torch.no_grad():
        states = torch.zeros(4, width)
        states[0] = torch.randn(width)
        flow = torch.zeros(1, 8, width)
        flow[0, 0] = states[0]
        for _ in range(3):
            made = step(flow, gates[None], torch.ones(1, 8, 1), graphs.reads)
            after = torch.zeros(4, width)
            after[0] = states[0]
            for unit, (source, target) in enumerate(UNITS):
                after[target] += torch.sigmoid(step.gates(gates[unit + 1])) * step.states(states[source])
            states, flow = after, made
            flow[0, 0] = states[0]
            sums = graphs.reads[0] @ flow[0]
            assert torch.allclose(sums[7], states[3], atol=1e-6), "the output node reads from all that ends in it"


def test_what_comes_after_nothing_makes_no_difference() -> None:
    torch.manual_seed(0)
    network = Gates(vocabulary(SPACE), 8).eval()
    none, skip, conv = OPERATIONS[1], OPERATIONS[0], OPERATIONS[2]
    cut = [SPACE.parse("|".join([none, conv, none, skip, last, conv])) for last in (conv, skip)]  # node 1 gets nothing
    carrying = [SPACE.parse("|".join([conv, conv, none, skip, last, conv])) for last in (conv, skip)]
    with torch.no_grad():
        first, second = network.encode(graphs_of(SPACE, cut))
        assert torch.allclose(first, second, atol=1e-6)
        first, second = network.encode(graphs_of(SPACE, carrying))
        assert not torch.allclose(first, second, atol=1e-3)
