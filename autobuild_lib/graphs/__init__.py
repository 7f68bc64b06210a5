"""Graphs of architectures: a path of layers (paper, Section 3.1), or the op-level IR graph of a network."""

from autobuild_lib.graphs.ir import OPERATIONS, IRGraph
from autobuild_lib.graphs.path import PathGraphs, path_graphs, path_graphs_from_codes

__all__ = ["OPERATIONS", "IRGraph", "PathGraphs", "path_graphs", "path_graphs_from_codes"]
