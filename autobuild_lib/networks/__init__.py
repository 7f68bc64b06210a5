"""The once-for-all networks: modules, parameters and multiply-adds of any architecture of both families.

Their spaces live in `spaces`, their op-level graphs in `graphs`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)  # counts need no modules
