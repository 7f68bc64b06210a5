"""Modules: the corpus of all unit contents, their scores (norm, effect), and the spaces reduced to the best."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)  # the norm score needs no effects
