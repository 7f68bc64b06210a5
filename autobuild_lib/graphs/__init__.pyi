from .ir import OPERATIONS, IRGraph, IRNode, graph_of
from .ofa_ir import ir_graph
from .path import PathGraphs, path_graphs, path_graphs_from_codes
from .trace import ir_from_module

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
