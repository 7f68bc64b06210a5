"""Graphs of architectures: a path of layers (paper, Section 3.1), or the op-level IR graph of a network."""

from autobuild_lib.graphs.ir import OPERATIONS, IRGraph, IRNode, graph_of
from autobuild_lib.graphs.ofa_ir import ir_graph
from autobuild_lib.graphs.path import PathGraphs, path_graphs, path_graphs_from_codes
from autobuild_lib.graphs.trace import ir_from_module

__all__ = [
    "OPERATIONS",
    "IRGraph",
    "IRNode",
    "PathGraphs",
    "graph_of",
    "ir_from_module",
    "ir_graph",
    "path_graphs",
    "path_graphs_from_codes",
]
