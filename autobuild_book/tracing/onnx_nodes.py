"""Op-level graphs of the released IR caches: ONNX nodes as protobuf-JSON dicts, read into the IR of this library."""

import graphlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from autobuild_lib.data.table import DataError
from autobuild_lib.graphs.ir import IRNode, Shape
from autobuild_lib.released.limits import FREE, Allowance
from autobuild_lib.released.unpickle import Graph, Node
from autobuild_lib.values import MALFORMED, naming

RENAMED = {"input_dummy": "Input", "output_dummy": "Output", "Swish": "Silu"}  # the first two stand at the ends
CONVOLUTIONS = {"Conv", "ConvTranspose"}
KERNELS = {*CONVOLUTIONS, "MaxPool", "AveragePool"}
LARGEST = 2**31  # of a size in a shape


def onnx_nodes(graph: object, place: str, allowance: Allowance | None = None) -> list[IRNode]:
    """Read an inert `Graph` of a cache as IR nodes in topological order; the file's `allowance` counts what it holds.

    What a node reads are the tensors that other nodes compute; a node that reads none takes its first input, which is
    the image. Raises `DataError`, which names the `place`, for a graph that is malformed or not acyclic.
    """
    if not isinstance(graph, Graph):
        raise DataError(f"{place}: graph is a {type(graph).__name__}; allowed: an onnx_ir.graph.Graph")
    allowance = allowance or Allowance(FREE)
    with naming(f"{place}: malformed graph", DataError, MALFORMED):
        _count(graph, allowance)
        nodes = {_text(node["str_id"]): node for node in map(_fields, _listed(vars(graph)["nodes"]))}
        readers = {_text(key): list(map(_text, _listed(keys))) for key, keys in vars(graph)["src2dst"].items()}
        edges = [(source, target) for source, targets in readers.items() for target in targets]
        if unknown := {key for edge in edges for key in edge} - set(nodes):
            raise ValueError(f"src2dst names {min(unknown)!r:.90}, which is no node")
        order = _sorted(nodes, edges)
        number = {key: index for index, key in enumerate(order)}
        computed = {_text(tensor["name"]) for node in nodes.values() for tensor in _listed(node["outputs"])}
        read: list[list[int]] = [[] for _ in order]
        for source, target in edges:
            read[number[target]].append(number[source])
        return [_read_node(nodes[key], inputs, computed) for key, inputs in zip(order, read, strict=True)]


def _count(graph: Graph, allowance: Allowance) -> None:
    """Count what is read of a graph, each part as often as it is read."""
    for node in _listed(vars(graph)["nodes"]):
        allowance.spend()
        for name in ("inputs", "outputs", "attribute", "initializer"):
            spend_tree(allowance, vars(node).get(name) if isinstance(node, Node) else None)
    spend_tree(allowance, vars(graph)["src2dst"])


def spend_tree(allowance: Allowance, value: object) -> None:
    """Count all that lists, tuples and dicts hold, shared parts each time that they are met."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            part = list(part.values())
        if isinstance(part, (list, tuple)):
            allowance.spend(len(part))
            waiting.extend(part)


def _sorted(nodes: Iterable[str], edges: Sequence[tuple[str, str]]) -> Sequence[str]:
    """Keys in topological order: as they are where that is one."""
    number = {key: index for index, key in enumerate(nodes)}
    if all(number[source] < number[target] for source, target in edges):
        return list(nodes)
    sorter: graphlib.TopologicalSorter[str] = graphlib.TopologicalSorter(dict.fromkeys(nodes, ()))
    for source, target in edges:
        sorter.add(target, source)
    return list(sorter.static_order())  # a cycle is a ValueError


def _fields(node: object) -> dict[str, Any]:
    if not isinstance(node, Node):
        raise TypeError(f"a {type(node).__name__} among the nodes")
    return vars(node)


def _read_node(node: Mapping[str, Any], inputs: Sequence[int], computed: set[str]) -> IRNode:
    operation = RENAMED.get(name := _text(node["op_type"]), name)
    attributes = {_text(entry["name"]): entry for entry in _listed(node["attribute"] or [])}
    dimensions = [len(_listed(entry["dims"])) for entry in (node["initializer"] or {}).values()]  # of parameters
    bias = min(dimensions, default=0) == 1
    shapes, outputs = _shapes(node["inputs"]), [*_shapes(node["outputs"]).values()]
    read = [shape for name, shape in shapes.items() if name in computed] or [*shapes.values()][:1]
    if operation not in KERNELS:
        return IRNode(operation, inputs, read, outputs, bias=operation == "Gemm" and bias)
    kernel = _sizes(attributes["kernel_shape"]["ints"])
    if operation not in CONVOLUTIONS:
        return IRNode(operation, inputs, read, outputs, kernel)
    if not outputs or len(outputs[0]) < 2 or outputs[0][1] == 0:
        raise ValueError(f"node {node['str_id']:.90} has no output channels")
    dilation = _sizes(attributes["dilations"]["ints"]) if "dilations" in attributes else [1] * len(kernel)
    groups = _size(attributes["group"]["i"]) if "group" in attributes else 1
    return IRNode(operation, inputs, read, outputs, kernel, groups, dilation, bias)


def _shapes(tensors: object) -> dict[str, Shape]:
    """Shapes by name of tensor, batch first; a tensor without one has no dimensions."""
    shapes: dict[str, Shape] = {}
    for tensor in _listed(tensors):
        described = tensor.get("type", {}).get("tensorType", {}).get("shape", {}).get("dim", [])
        shapes[_text(tensor["name"])] = _sizes([dimension["dimValue"] for dimension in _listed(described)])
    return shapes


def _sizes(values: object) -> list[int]:
    return [_size(value) for value in _listed(values)]


def _size(value: Any) -> int:
    if not isinstance(value, (int, str)) or not 0 <= (size := int(value)) < LARGEST:
        raise ValueError(f"size {value!r:.90}; allowed: whole numbers from 0 to {LARGEST - 1}")
    return size


def _listed(values: object) -> list[Any]:
    if not isinstance(values, (list, tuple)):
        raise TypeError(f"a {type(values).__name__}; allowed: a list")
    return list(values)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a {type(value).__name__}; allowed: text")
    return value
