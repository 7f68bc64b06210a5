"""Other ways to predict the same labels, to compare with: graph features, zero-cost proxies and simple models."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)  # features and proxies need no scikit-learn
