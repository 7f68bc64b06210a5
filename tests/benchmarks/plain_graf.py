"""Graph features the plain way: networkx, one graph and one set of operations at a time."""

from collections.abc import Sequence

import networkx as nx

from autobuild_book.chapters.shared.models.graf import MOST_KINDS, NO_PATH
from autobuild_lib.graphs import IRGraph

ENDS = ("Input", "Output")


def plain_graf(graph: IRGraph, kinds: Sequence[str]) -> dict[str, float]:
    """The features of one graph by name, as defined in `autobuild_book.chapters.shared.models.graf`."""
    network = _network(graph)
    kind = nx.get_node_attributes(network, "kind")
    inputs, outputs = ([node for node in network if kind[node] == end] for end in ENDS)
    found: dict[str, float] = {f"count[{one}]": sum(k == one for k in kind.values()) for one in kinds}
    for name, chosen in _sets(kinds).items():
        kept = network.subgraph([node for node in network if kind[node] in chosen or kind[node] in ENDS])
        found[f"shortest[{name}]"] = min(
            (nx.shortest_path_length(kept, a, b) for a in inputs for b in outputs if nx.has_path(kept, a, b)),
            default=NO_PATH,
        )
        found[f"longest[{name}]"] = _longest(kept, inputs, outputs)
        sources = [kind[a] for a, _ in network.edges()]
        targets = [kind[b] for _, b in network.edges()]
        found[f"input[{name}]"] = sum(kind[b] in chosen for node in inputs for _, b in network.out_edges(node))
        found[f"output[{name}]"] = sum(kind[a] in chosen for node in outputs for a, _ in network.in_edges(node))
        found[f"average_in[{name}]"] = sum(k in chosen for k in sources) / len(network)
        found[f"average_out[{name}]"] = sum(k in chosen for k in targets) / len(network)
    return found


def _network(graph: IRGraph) -> nx.MultiDiGraph:
    network = nx.MultiDiGraph()
    network.add_nodes_from((node, {"kind": name}) for node, name in enumerate(graph.names))
    network.add_edges_from(graph.edges.T.tolist())
    if "Input" not in graph.names:
        first = [node for node in network if network.in_degree(node) == 0]
        network.add_node("in", kind="Input")
        network.add_edges_from(("in", node) for node in first)
    if "Output" not in graph.names:
        last = [node for node in network if network.out_degree(node) == 0]
        network.add_node("out", kind="Output")
        network.add_edges_from((node, "out") for node in last)
    return network


def _sets(kinds: Sequence[str]) -> dict[str, set[str]]:
    if len(kinds) > MOST_KINDS:
        return {one: {one} for one in kinds} | {f"not {one}": set(kinds) - {one} for one in kinds}
    found = {}
    for bits in range(1, 2 ** len(kinds)):
        chosen = [one for place, one in enumerate(kinds) if bits >> place & 1]
        found["+".join(chosen)] = set(chosen)
    return found


def _longest(kept: nx.MultiDiGraph, inputs: Sequence[object], outputs: Sequence[object]) -> int:
    """Most operations on a path: node by node in topological order."""
    most: dict[object, int] = {}
    for node in nx.topological_sort(kept):
        before = [most[a] for a in kept.predecessors(node) if a in most]
        if node in inputs:
            before.append(0)
        if before:
            most[node] = max(before) + (kept.nodes[node]["kind"] not in ENDS)
    return max((most[node] for node in outputs if node in most), default=NO_PATH)
