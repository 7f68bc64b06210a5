from .ir import OPERATIONS as OPERATIONS, IRGraph as IRGraph, IRNode as IRNode, graph_of as graph_of
from .ofa_ir import ir_graph as ir_graph
from .onnx_ir import ir_from_onnx as ir_from_onnx
from .path import PathGraphs as PathGraphs, path_graphs as path_graphs, path_graphs_from_codes as path_graphs_from_codes
