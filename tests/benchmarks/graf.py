"""Graph features: of all graphs at once, or with networkx, one graph and one set of operations at a time."""

from typing import Any

import numpy as np

import autobuild_lib as ab
from autobuild_book.chapters.shared.models.graf import graph_features, operations_of
from autobuild_book.chapters.shared.models.sequence_graf import features_of_codes
from tests.benchmarks.plain_graf import plain_graf
from tests.benchmarks.timing import timed

FEW, MANY, CODES = 10, 1000, 50_000


def graf_of_graphs() -> dict[str, Any]:
    """Compute the features of 10 op-level graphs of MobileNetV3, and of many."""
    space = ab.spaces.ofa_mbv3()
    graphs = [ab.graphs.ir_graph(one) for one in space.sample(np.random.default_rng(0), MANY)]
    few, kinds = graphs[:FEW], operations_of(graphs)
    ours = min(timed(lambda: graph_features(few, kinds)) for _ in range(3))
    rate = MANY / min(timed(lambda: graph_features(graphs)) for _ in range(3))
    plain = timed(lambda: [plain_graf(graph, kinds) for graph in few])
    return {"name": f"graph features of {FEW} op-level graphs", "ours_s": ours, "baseline_s": plain,
            "ours_per_s": round(rate)}  # fmt: skip


def graf_of_sequences() -> dict[str, Any]:
    """Compute the features of sequence architectures: many at once, or each by a call of its own."""
    space, few = ab.spaces.ofa_mbv3(), 200
    codes = space.sample_codes(np.random.default_rng(0), CODES)
    features_of_codes(space, codes[:few])
    ours = min(timed(lambda: features_of_codes(space, codes[:few])) for _ in range(3))
    rate = CODES / min(timed(lambda: features_of_codes(space, codes)) for _ in range(3))
    plain = timed(lambda: [features_of_codes(space, code[None]) for code in codes[:few]])
    return {"name": f"graph features of {few} sequence architectures", "ours_s": ours, "baseline_s": plain,
            "ours_per_s": round(rate)}  # fmt: skip
