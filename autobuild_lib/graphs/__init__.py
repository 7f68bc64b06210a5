"""Graphs of architectures: a path of layers (paper, Section 3.1), or the op-level IR graph of a network.

IR graphs come from an architecture (`ir_graph`) or from any torch module (`ir_from_module`). What passes messages over
graphs lives in `engine`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)  # paths need no IR, and no tracer
