"""IR graphs of once-for-all networks: the same as PyTorch's own tracers find in the real modules."""

import operator
from typing import Any

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import fx, nn
from torch.fx.passes.shape_prop import ShapeProp

import autobuild_lib as ab
from autobuild_lib.graphs import IRGraph, ir_graph

SPACES = {"mbv3": ab.spaces.ofa_mbv3((192, 208, 224)), "pn": ab.spaces.ofa_pn((192, 208, 224))}
NAMES: dict[Any, str] = {
    nn.Conv2d: "Conv", nn.BatchNorm2d: "BatchNormalization", nn.ReLU: "Relu", nn.ReLU6: "Clip",
    nn.Hardswish: "HardSwish", nn.Hardsigmoid: "HardSigmoid", nn.AdaptiveAvgPool2d: "GlobalAveragePool",
    nn.Flatten: "Flatten", nn.Linear: "Gemm", operator.add: "Add", operator.mul: "Mul",
    "placeholder": "Input", "output": "Output",
}  # fmt: skip


def draw(family: str, seed: int) -> ab.Architecture:
    return SPACES[family].sample(np.random.default_rng(seed))


def built(architecture: ab.Architecture) -> tuple[nn.Module, torch.Tensor]:
    """The real network and an image for it, without memory."""
    side = int(architecture.global_features["resolution"])
    with torch.device("meta"):
        return ab.networks.build(architecture).eval(), torch.empty(1, 3, side, side)


def as_features(shapes: list[tuple[int, ...]]) -> list[float]:
    """Channels, height and width of at most two tensors in the units of the features."""
    sizes = [[*shape[1:], 0, 0, 0][:3] for shape in [*shapes, (), ()][:2]]
    return [size / scale for row in sizes for size, scale in zip(row, (256, 128, 128), strict=True)]


def symbolic_graph(network: nn.Module, image: torch.Tensor) -> nx.DiGraph:
    """What torch.fx finds, with each node's label: operation, shapes, attributes."""
    traced = fx.symbolic_trace(network)
    ShapeProp(traced).propagate(image)
    shape = {node: tuple(node.meta["tensor_meta"].shape) for node in traced.graph.nodes}
    graph = nx.DiGraph()
    for node in traced.graph.nodes:
        module = traced.get_submodule(node.target) if node.op == "call_module" else None
        kind = type(module) if module else node.target if node.op == "call_function" else node.op
        attributes = [0.0] * 8
        if isinstance(module, nn.Conv2d):
            sides = [*np.divide(module.kernel_size, 3), 0, module.groups / module.out_channels, *module.dilation, 0]
            attributes = [*sides, module.bias is not None]
        elif isinstance(module, nn.Linear):
            attributes[-1] = module.bias is not None
        outputs = [] if node.op == "output" else [shape[node]]
        shapes = [*as_features([shape[source] for source in node.all_input_nodes]), *as_features(outputs)]
        graph.add_node(node, label=(NAMES[kind], *np.float32(shapes + attributes).tolist()))
        graph.add_edges_from((source, node) for source in node.all_input_nodes)
    return graph


def labelled(graph: IRGraph) -> nx.DiGraph:
    """The same form, from an IR graph."""
    features = np.concatenate([graph.shapes, graph.attributes], axis=1).tolist()
    made = nx.DiGraph()
    for place, (name, row) in enumerate(zip(graph.names, features, strict=True)):
        made.add_node(place, label=(name, *row))
    made.add_edges_from(graph.edges.T.tolist())
    assert made.number_of_edges() == graph.edges.shape[1]
    return made


def same(one: nx.DiGraph, other: nx.DiGraph) -> bool:
    return bool(nx.is_isomorphic(one, other, node_match=lambda a, b: a["label"] == b["label"]))


@settings(max_examples=15)
@given(st.sampled_from(sorted(SPACES)), st.integers(0, 10**6))
def test_it_is_isomorphic_to_what_torch_fx_finds_in_the_module(family: str, seed: int) -> None:
    architecture = draw(family, seed)
    assert same(labelled(ir_graph(architecture)), symbolic_graph(*built(architecture)))


CHANGES = ["operation", "input shape", "output shape", "kernel", "groups", "bias", "edge"]


@pytest.mark.parametrize("change", CHANGES)
def test_the_comparison_notices_every_change(change: str) -> None:
    architecture = draw("mbv3", 0)
    graph, wanted = ir_graph(architecture), symbolic_graph(*built(architecture))
    assert same(labelled(graph), wanted)
    conv = graph.names.index("Conv", 20)
    if change == "operation":
        graph.operations[graph.names.index("HardSwish")] = graph.operations[graph.names.index("Relu")]
    elif change == "edge":
        graph.edges[0, np.flatnonzero(graph.edges[1] == graph.names.index("Add"))[0]] -= 1
    else:
        place = {"input shape": ("shapes", 1), "output shape": ("shapes", 6), "kernel": ("attributes", 0),
                 "groups": ("attributes", 3), "bias": ("attributes", 7)}[change]  # fmt: skip
        getattr(graph, place[0])[conv, place[1]] += 0.25
    assert not same(labelled(graph), wanted)


def test_a_block_by_hand() -> None:
    """The second layer of MBv3's second unit: 48 channels of 28 x 28, expansion 3, kernel 5, reweighted, added."""
    stages = [["mbconv3_e3_k3"] * 2, ["mbconv3_e3_k3", "mbconv3_e3_k5"], *[["mbconv3_e3_k3"] * 2] * 3]
    graph = ir_graph(ab.spaces.ofa_mbv3().from_lists(stages))
    # Input, stem 3, first block 6; unit 0: 8 and 9 with its sum; unit 1: 13 with its five and product.
    start = 1 + 3 + 6 + 8 + 9 + 14
    names = ["Conv", "BatchNormalization", "Relu", "Conv", "BatchNormalization", "Relu", "GlobalAveragePool", "Conv",
             "Relu", "Conv", "HardSigmoid", "Mul", "Conv", "BatchNormalization", "Add"]  # fmt: skip
    assert graph.names[start : start + 15] == names
    wide, small, pooled = [144 / 256, 28 / 128, 28 / 128], [48 / 256, 28 / 128, 28 / 128], [144 / 256, 1 / 128, 1 / 128]
    none = [0.0] * 3
    np.testing.assert_allclose(graph.shapes[start + 3], [*wide, *none, *wide, *none])
    np.testing.assert_allclose(graph.shapes[start + 11], [*wide, *pooled, *wide, *none])
    np.testing.assert_allclose(graph.shapes[start + 14], [*small, *small, *small, *none])
    np.testing.assert_allclose(graph.attributes[start + 3], [5 / 3, 5 / 3, 0, 1, 1, 1, 0, 0], rtol=1e-6)
    np.testing.assert_allclose(graph.attributes[start + 7], [1 / 3, 1 / 3, 0, 1 / 40, 1, 1, 0, 1], rtol=1e-6)
    read = {place: graph.edges[0][graph.edges[1] == start + place].tolist() for place in (0, 11, 14)}
    assert read == {0: [start - 1], 11: [start + 5, start + 10], 14: [start - 1, start + 13]}


# A layer has 8 nodes, from the second of a unit on 9; six more where it squeezes (units 1, 3 and 4 of MBv3).
# Around them stand input, stem (3), first block (5, with its sum 6), and head with output (7, 2 more where it mixes).
@pytest.mark.parametrize(
    ("family", "depth", "nodes"),
    [
        ("mbv3", 2, 1 + 3 + 6 + 5 * (8 + 9) + 3 * 2 * 6 + 9),
        ("mbv3", 4, 1 + 3 + 6 + 5 * (8 + 3 * 9) + 3 * 4 * 6 + 9),
        ("pn", 2, 1 + 3 + 5 + 5 * (8 + 9) + 8 + 7),
        ("pn", 4, 1 + 3 + 5 + 5 * (8 + 3 * 9) + 8 + 7),
    ],
)
def test_number_of_nodes(family: str, depth: int, nodes: int) -> None:
    layer = {"mbv3": "mbconv3_e6_k5", "pn": "mbconv2_e6_k5"}[family]
    depths = [min(depth, unit.max_layers) for unit in SPACES[family].units]
    graph = ir_graph(SPACES[family].from_lists([[layer] * n for n in depths], resolution=192))
    assert len(graph) == nodes and graph.names[0] == "Input" and graph.names[-2:] == ["Gemm", "Output"]
    assert graph.operations.dtype == graph.edges.dtype == np.int64
    assert graph.shapes.dtype == graph.attributes.dtype == np.float32


def test_graphs_of_one_architecture_share_no_memory() -> None:
    architecture = draw("pn", 1)
    first, second = ir_graph(architecture), ir_graph(architecture)
    first.shapes[:], first.edges[:] = 0, 0
    assert second.shapes.any() and second.edges.any() and (ir_graph(architecture).shapes == second.shapes).all()


def test_architectures_of_other_spaces_are_refused(toy: ab.SequenceSpace) -> None:
    with pytest.raises(ab.SpaceError, match=r"no networks .* 'toy'"):
        ir_graph(toy.sample(np.random.default_rng(0)))
