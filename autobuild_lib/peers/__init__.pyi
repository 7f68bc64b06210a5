from .additive import AdditiveRidge
from .graf import graph_features
from .models import MODELS, find_model
from .sequence_graf import sequence_features

__all__ = ["MODELS", "AdditiveRidge", "find_model", "graph_features", "sequence_features"]
