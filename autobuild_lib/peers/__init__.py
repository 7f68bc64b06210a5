"""Other ways to predict the same labels, to compare with."""

from autobuild_lib.peers.additive import AdditiveRidge

__all__ = ["AdditiveRidge"]
