"""Tables of evaluated architectures: bundled, your own, or from released caches; and tables of networks as IR graphs.

How a cache is read without running it lives in `released`, what a row's architecture is in `spaces` and `graphs`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)  # a table needs no graphs and no caches
