"""Random graphs of operations, small enough that many neighbourhoods are equal."""

import numpy as np
from hypothesis import strategies as st

from autobuild_lib.graphs import IRGraph
from autobuild_lib.graphs.ir import ATTRIBUTES, SHAPES


def random_dag(rng: np.random.Generator, kinds: int = 4, most: int = 12) -> IRGraph:
    """A graph with several inputs, nodes without predecessors, and edges that occur more than once.

    Nodes are of `kinds` kinds; those of one kind have the same features.
    """
    nodes = int(rng.integers(1, most + 1))
    kind = rng.integers(kinds, size=nodes)
    features = np.random.default_rng(kinds).normal(size=(kinds, SHAPES + ATTRIBUTES)).astype(np.float32)
    pairs = np.array([(u, v) for v in range(nodes) for u in range(v)], dtype=np.int64).reshape(-1, 2)
    edges = pairs[np.sort(rng.integers(len(pairs), size=int(rng.integers(0, 2 * nodes))))] if len(pairs) else pairs
    return IRGraph(2 + kind // 2, features[kind, :SHAPES], features[kind, SHAPES:], edges.T)


@st.composite
def dags(draw: st.DrawFn, most: int = 6) -> list[IRGraph]:
    """One to `most` random graphs."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kinds = draw(st.sampled_from([1, 2, 5]))
    return [random_dag(rng, kinds) for _ in range(draw(st.integers(1, most)))]
