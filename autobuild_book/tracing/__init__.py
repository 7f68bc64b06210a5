"""Op-level graphs of any torch module, by tracing it: a tool for networks of your own.

Graphs of once-for-all networks are made without tracing, in `autobuild_lib.graphs`, which also has the nodes and edges,
and the reader of ONNX files.
"""

from autobuild_book.tracing.folding import fold_batch_norm
from autobuild_book.tracing.trace import ir_from_module

__all__ = ["fold_batch_norm", "ir_from_module"]
