"""Surrogate labels: small networks that imitate the published predictors, not measurements; and those predictors.

How surrogates were distilled, and what their teachers state of themselves, lives in the companion.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)  # labels need no checkpoints
