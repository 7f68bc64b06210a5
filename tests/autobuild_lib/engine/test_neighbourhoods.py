"""Classes of equal neighbourhoods: the right ones, counted rightly, whatever is taken of the graphs."""

from collections import Counter
from collections.abc import Hashable, Sequence
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

from autobuild_lib.engine import neighbourhoods as module
from autobuild_lib.engine.neighbourhoods import Neighbourhoods, neighbourhoods
from autobuild_lib.graphs import IRGraph
from tests.helpers.random_dags import dags

Form = Hashable


def forms_of_nodes(graph: IRGraph, hops: int) -> list[list[Form]]:
    """Per hop, every node's neighbourhood written out: its own form at the hop before, and its predecessors'."""
    features = [graph.operations[:, None], graph.shapes, graph.attributes]
    levels: list[list[Form]] = [[tuple(row) for row in np.concatenate(features, axis=1).tolist()]]
    for _ in range(hops):
        last = levels[-1]
        read = [sorted((hash(last[u]), last[u]) for u, v in graph.edges.T if v == node) for node in range(len(graph))]
        levels.append([(last[node], tuple(read[node])) for node in range(len(graph))])
    return levels


def forms_of_classes(found: Neighbourhoods) -> list[list[Form]]:
    """The same for classes, from how they are described."""
    features = [found.operations[:, None], found.shapes, found.attributes]
    levels: list[list[Form]] = [[tuple(row) for row in torch.cat(features, dim=1).double().tolist()]]
    for level in found.levels:
        last = levels[-1]
        forms: list[Form] = []
        for start, end in pairwise(level.starts):
            itself, *read = (last[source] for source in level.sources[start:end])
            often = level.times[start + 1 : end].int().tolist()
            multiset = [(hash(form), form) for form, times in zip(read, often, strict=True) for _ in range(times)]
            forms.append((itself, tuple(sorted(multiset))))
        levels.append(forms)
    return levels


def check(found: Neighbourhoods, graphs: Sequence[IRGraph], hops: int) -> None:
    """Every class is a different neighbourhood, and every graph has as many nodes of each as it should."""
    of_class = forms_of_classes(found)
    wanted = [forms_of_nodes(graph, hops) for graph in graphs]
    messages, poolings = found.structure()
    assert len(found) == len(graphs) and len(messages) == hops and len(poolings) == len(of_class) == hops + 1
    for hop, (forms, pooling) in enumerate(zip(of_class, poolings, strict=True)):
        assert len(set(forms)) == len(forms) == found.classes[hop]
        everywhere: Counter[Form] = Counter()
        for number, (start, end) in enumerate(pairwise(pooling.starts)):
            counted: Counter[Form] = Counter()
            for member, nodes in zip(pooling.members[start:end], pooling.nodes[start:end], strict=True):
                counted[forms[member]] += int(nodes)
            assert counted == Counter(wanted[number][hop])
            assert pooling.shares[start:end].tolist() == pytest.approx(pooling.nodes[start:end] / len(graphs[number]))
            everywhere += counted
        if hop:
            assert dict(zip(forms, messages[hop - 1].counts.tolist(), strict=True)) == everywhere


def test_two_small_graphs_by_hand() -> None:
    """a -> b -> c, and a, a -> b (the same one twice) -> c; nodes of one letter have equal features."""
    first = letters("abc", [(0, 1), (1, 2)])
    second = letters("aabc", [(0, 2), (0, 2), (2, 3)])
    found = neighbourhoods([first, second], 2)
    assert found.classes == [3, 4, 5]  # b of the two differ from hop 1 on, c from hop 2 on; a never
    level = found.levels[0]
    rows = [list(zip(level.sources.tolist(), level.times.tolist(), strict=True))[start:end]
            for start, end in pairwise(level.starts)]  # fmt: skip
    itself = [row[0][0] for row in rows]
    assert level.before == 3 and itself == sorted(itself) and all(row[0][1] == 1 for row in rows)
    a, b, c = (found.operations.tolist().index(ord(name) - ord("a")) for name in "abc")
    assert sorted(itself) == sorted([a, b, b, c])
    pairs = [(source, row[0][0], times) for row in rows for source, times in row[1:]]
    assert sorted(pairs) == sorted([(a, b, 1), (a, b, 2), (b, c, 1)])
    assert found.lengths.tolist() == [3, 3] and sorted(found.counts.tolist()) == [1, 1, 1, 1, 1, 2]
    check(found, [first, second], 2)


def letters(names: str, edges: list[tuple[int, int]]) -> IRGraph:
    operations = np.array([ord(name) - ord("a") for name in names])
    count = len(names)
    return IRGraph(operations, np.zeros((count, 12), np.float32), np.zeros((count, 8), np.float32), np.array(edges).T)


@given(st.data())
def test_classes_are_the_different_neighbourhoods(data: st.DataObject) -> None:
    graphs = data.draw(dags())
    hops = data.draw(st.integers(1, 4))
    check(neighbourhoods(graphs, hops), graphs, hops)


@given(st.data())
def test_taking_and_splitting_keep_each_graph(data: st.DataObject) -> None:
    graphs = data.draw(dags())
    order = data.draw(st.permutations(range(len(graphs))))
    size = data.draw(st.integers(1, 4))
    taken = neighbourhoods(graphs, 3).take(torch.tensor(order))
    check(taken.compact(), [graphs[i] for i in order], 3)
    batches = list(taken.split(size))
    assert [len(batch) for batch in batches] == [len(part) for part in torch.arange(len(graphs)).split(size)]
    for number, batch in enumerate(batches):
        chosen = [graphs[i] for i in order[number * size :][:size]]
        check(batch, chosen, 3)
        assert batch.classes == neighbourhoods(chosen, 3).classes  # none but its own


def test_colliding_hashes_do_not_merge_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    graphs = [letters("abcab", [(0, 1), (1, 2), (0, 3), (3, 4)]), letters("bac", [(0, 1), (1, 2)])]
    monkeypatch.setattr(module, "_MULTIPLIERS", np.zeros(64, dtype=np.uint64))
    check(neighbourhoods(graphs, 3), graphs, 3)
