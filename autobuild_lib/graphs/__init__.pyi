from .ir import OPERATIONS as OPERATIONS, IRGraph as IRGraph, IRNode as IRNode, graph_of as graph_of
from .layers import (
    LayerGraphs as LayerGraphs,
    layer_graphs as layer_graphs,
    layer_graphs_from_codes as layer_graphs_from_codes,
)
from .ofa_ir import ir_graph as ir_graph
from .onnx_ir import ir_from_onnx as ir_from_onnx
