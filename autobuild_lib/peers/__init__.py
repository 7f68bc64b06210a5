"""Other ways to predict the same labels, to compare with: graph features, zero-cost proxies and simple models."""

from autobuild_lib.peers.additive import AdditiveRidge
from autobuild_lib.peers.graf import graph_features
from autobuild_lib.peers.models import MODELS, find_model
from autobuild_lib.peers.sequence_graf import sequence_features

__all__ = ["MODELS", "AdditiveRidge", "find_model", "graph_features", "sequence_features"]
