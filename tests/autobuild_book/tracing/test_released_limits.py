"""Released caches of graphs that are small and would cost minutes or gigabytes: refused by what they hold."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autobuild_book.tracing.onnx_nodes import spend_tree
from autobuild_book.tracing.released import load_ir
from autobuild_lib.data import DataError
from autobuild_lib.released.limits import Allowance
from autobuild_lib.released.unpickle import Graph, Node
from tests.autobuild_lib.released.test_limits import onnx_ir  # noqa: F401  # a fixture
from tests.autobuild_lib.released.test_unpickle import write

DIMENSIONS = [{"dimValue": "1"}] * 1000
TENSOR = {"name": "a", "type": {"tensorType": {"shape": {"dim": DIMENSIONS}}}}


def node(**attributes: Any) -> Node:
    made = Node()
    usual = {"str_id": "a", "op_type": "Relu", "inputs": [], "outputs": [], "attribute": [], "initializer": {}}
    vars(made).update(usual | attributes)
    return made


def graph(nodes: list[Node], readers: Any = None) -> Graph:
    made = Graph()
    vars(made).update(nodes=nodes, src2dst=readers or {})
    return made


GRAPHS: dict[str, Callable[[], Graph]] = {
    "nodes": lambda: graph([node(inputs=[TENSOR] * 100)] * 100),
    "tensors": lambda: graph([node(outputs=[TENSOR] * 10_000)]),
    "attributes": lambda: graph([node(attribute=[{"name": "a"}] * 100_000)] * 20),
    "edges": lambda: graph([node()], {str(i): EDGES for i in range(50)}),
}
EDGES = ["a"] * 100_000


@pytest.mark.usefixtures("onnx_ir")
@pytest.mark.parametrize("kind", GRAPHS)
def test_shared_parts_of_graphs_are_counted(tmp_path: Path, kind: str) -> None:
    entry = {"net": [224, [["mbconv3_e6_k7"]]], "acc": 0.5, "graph": GRAPHS[kind]()}
    path = write(tmp_path, pickle.dumps([entry]))
    with pytest.raises(DataError, match="objects and references") as caught:
        load_ir(path)
    assert f"{path}: entry 0" in str(caught.value)


@pytest.mark.usefixtures("onnx_ir")
def test_graphs_shared_by_entries_are_counted_for_the_file(tmp_path: Path) -> None:
    shared = graph([node(outputs=[TENSOR] * 450)])
    path = write(tmp_path, pickle.dumps([{"net": [224, [["mbconv3_e6_k7"]]], "graph": shared}] * 3))
    with pytest.raises(DataError, match="entry 1"):
        load_ir(path)


def test_an_allowance_counts_shared_parts_each_time_and_ends_in_circles() -> None:
    shared, round_trip = [1, 2, 3], list[Any]()
    allowance = Allowance(20)
    spend_tree(allowance, {"a": [shared, shared], "b": (shared,)})
    assert allowance.spent == 2 + 2 + 3 + 3 + 1 + 3
    round_trip.append(round_trip)
    with pytest.raises(ValueError, match="more than 20 objects"):
        spend_tree(allowance, round_trip)
