"""The IR graph of a once-for-all network, put together from its blueprint without building the network.

It is the graph that `ir_from_module` traces from the built network, node for node.
"""

import functools
from collections.abc import Sequence

import numpy as np

from autobuild_lib.graphs.ir import IRGraph, IRNode, Shape, graph_of
from autobuild_lib.networks.blueprint import Block, Convolution, blueprint
from autobuild_lib.spaces import Architecture

ACTIVATIONS = {"relu": "Relu", "relu6": "Clip", "hard_swish": "HardSwish", "hard_sigmoid": "HardSigmoid"}


def ir_graph(architecture: Architecture) -> IRGraph:
    """Return the IR graph of an architecture's network, from an image [1, 3, resolution, resolution] to its scores.

    Raises `SpaceError` for an architecture of a space without networks.
    """
    plan = blueprint(architecture)
    parts, side = [_stem(plan.stem, plan.resolution)], plan.stem.side(plan.resolution)
    for block in plan.blocks:
        parts.append(_block(block, side))
        side = block.depthwise.side(side)
    return _join([*parts, _head(plan.expand, plan.mix, plan.classifier[1], side)])


def _join(parts: Sequence[IRGraph]) -> IRGraph:
    """Put parts in a row: node 0 of each stands for the last node of the part before."""
    places = np.cumsum([0, *(len(part) - 1 for part in parts[:-1])])  # of each part's node 0
    return IRGraph(
        np.concatenate([parts[0].operations[:1], *(part.operations[1:] for part in parts)]),
        np.concatenate([parts[0].shapes[:1], *(part.shapes[1:] for part in parts)]),
        np.concatenate([parts[0].attributes[:1], *(part.attributes[1:] for part in parts)]),
        np.concatenate([part.edges + place for part, place in zip(parts, places, strict=True)], axis=1),
    )


# -------------------------------------------------------------------- parts of a network


class _Row:
    """Operations in a row, each reading the one before; node 0 stands for what the first of them reads."""

    def __init__(self, channels: int, side: int) -> None:
        self.nodes = [IRNode("Input", output_shapes=[(1, channels, side, side)])]

    @property
    def last(self) -> int:
        """Place of the last node."""
        return len(self.nodes) - 1

    def shape(self, place: int) -> Shape:
        """Shape of what the node at a place computes."""
        return self.nodes[place].output_shapes[0]

    def add(self, operation: str, shape: Shape | None = None, reads: Sequence[int] = ()) -> None:
        """Add an operation; its output has the shape of its first input unless one is given."""
        inputs = reads or [self.last]
        shapes = [self.shape(place) for place in inputs]
        self.nodes.append(IRNode(operation, inputs, shapes, [shape or shapes[0]]))

    def convolve(self, plan: Convolution) -> None:
        """Add a convolution with its normalisation and activation."""
        before, sides = self.shape(self.last), [plan.kernel, plan.kernel]
        side = plan.side(before[2])
        after = [(1, plan.outputs, side, side)]
        self.nodes.append(IRNode("Conv", [self.last], [before], after, sides, plan.groups, [1, 1], plan.bias))
        if plan.normalised:
            self.add("BatchNormalization")
        if plan.activation:
            self.add(ACTIVATIONS[plan.activation])

    def pool(self) -> None:
        """Add a mean over the image."""
        self.add("GlobalAveragePool", (1, self.shape(self.last)[1], 1, 1))


@functools.cache
def _stem(plan: Convolution, resolution: int) -> IRGraph:
    row = _Row(plan.inputs, resolution)
    row.convolve(plan)
    return graph_of(row.nodes)


@functools.cache
def _block(plan: Block, side: int) -> IRGraph:
    row = _Row(plan.convolutions[0].inputs, side)
    if plan.expand:
        row.convolve(plan.expand)
    row.convolve(plan.depthwise)
    if plan.squeeze:
        image = row.last
        row.pool()
        for convolution in plan.squeeze:
            row.convolve(convolution)
        row.add("Mul", reads=[image, row.last])
    row.convolve(plan.project)
    if plan.residual:
        row.add("Add", reads=[0, row.last])
    return graph_of(row.nodes)


@functools.cache
def _head(expand: Convolution, mix: Convolution | None, classes: int, side: int) -> IRGraph:
    row = _Row(expand.inputs, side)
    row.convolve(expand)
    row.pool()
    if mix:
        row.convolve(mix)
    flat, scores = row.shape(row.last)[:2], (1, classes)
    row.add("Flatten", flat)
    row.nodes.append(IRNode("Gemm", [row.last], [flat], [scores], bias=True))
    row.nodes.append(IRNode("Output", [row.last], [scores]))
    return graph_of(row.nodes)
