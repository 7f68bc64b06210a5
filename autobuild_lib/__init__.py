"""The library of the AutoBuild book: build neural architectures from interpretable graph embeddings.

The order of use follows the paper: a search space (`spaces`), evaluated architectures (`data`), a target equation
(`Target`), a predictor whose hop-level norms rank architectures (`fit`, `evaluate`), module scores and the reduced
spaces built from the best modules (`score_units`), surrogate labels (`surrogate`), and search (`search`). Networks
(`networks`) and their op-level graphs (`graphs`, `fit_ir`) are for any architecture of the once-for-all families.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)  # `autobuild --help` needs no torch
__version__ = "0.1.0"
