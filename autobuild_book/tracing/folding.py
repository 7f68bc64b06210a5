"""Batch normalisation folded into the operation before it, as exporters of networks do."""

import numpy as np

from autobuild_lib.graphs.ir import PLACES, IRGraph

LINEAR = ("Conv", "ConvTranspose", "Gemm")


def fold_batch_norm(graph: IRGraph) -> IRGraph:
    """Return the graph of a network whose batch normalisation is folded into the linear operation before it.

    That operation has a bias then; an operation that something else reads too stays as it is. So graphs of modules and
    of `ab.graphs.ir_graph` become those of exported files, but for the biases of zeros that PyTorch's newer exporter
    drops: an untrained network has no other biases after folding.
    """
    source, target = graph.edges
    readers, reads = (np.bincount(ends, minlength=len(graph)) for ends in graph.edges)
    linear = np.isin(graph.operations, [PLACES[name] for name in LINEAR]) & (readers == 1)
    normalisation = (graph.operations == PLACES["BatchNormalization"]) & (reads == 1)
    pairs = graph.edges[:, linear[source] & normalisation[target]]
    attributes, stands_for = graph.attributes.copy(), np.arange(len(graph))
    attributes[pairs[0], -1] = 1
    stands_for[pairs[1]] = pairs[0]
    kept = np.delete(np.arange(len(graph)), pairs[1])
    edges = np.searchsorted(kept, stands_for[graph.edges[:, ~np.isin(target, pairs[1])]])
    return IRGraph(graph.operations[kept], graph.shapes[kept], attributes[kept], edges)
