"""Graphs of architectures: a path of layers (paper, Section 3.1), or the op-level IR graph of a network.

What passes messages over graphs lives in `engine`; graphs of any torch module are traced by the companion.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)  # paths need no IR
