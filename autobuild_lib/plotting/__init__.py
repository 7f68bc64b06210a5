"""Figures of the book: each function turns a table into one figure. Nothing here reads files or keeps state."""

from autobuild_lib.plotting.data import accuracy_latency, label_distributions, noise, surrogate_fidelity
from autobuild_lib.plotting.method import path_modules, soft_ranks
from autobuild_lib.plotting.predictor_srcc import learning_curves, srcc_by_hop
from autobuild_lib.plotting.style import PALETTE, Picture, note, style, styled

__all__ = [
    "PALETTE",
    "Picture",
    "accuracy_latency",
    "label_distributions",
    "learning_curves",
    "noise",
    "note",
    "path_modules",
    "soft_ranks",
    "srcc_by_hop",
    "style",
    "styled",
    "surrogate_fidelity",
]
