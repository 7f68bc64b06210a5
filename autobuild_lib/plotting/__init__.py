"""Figures of the book: each function turns a table into one figure. Nothing here reads files or keeps state."""

from autobuild_lib.plotting.data import accuracy_latency, label_distributions, noise, surrogate_fidelity
from autobuild_lib.plotting.ir_operations import (
    family_histograms,
    operation_effects,
    operation_importance,
    ranking_agreement,
    srcc_by_family,
)
from autobuild_lib.plotting.method import path_modules, soft_ranks
from autobuild_lib.plotting.pareto_regions import dominating_shares, pareto_clusters, search_curves, search_fronts
from autobuild_lib.plotting.predictor_srcc import learning_curves, srcc_by_hop
from autobuild_lib.plotting.style import PALETTE, Picture, note, style, styled
from autobuild_lib.plotting.subgraph_ranking import (
    agreement_by_task,
    agreement_of_seeds,
    correlation_maps,
    intervention_effects,
    module_chains,
    overlap_maps,
    share_maps,
)
from autobuild_lib.plotting.your_machine import final_measurement, measurements, plane, rank_quality

__all__ = [
    "PALETTE",
    "Picture",
    "accuracy_latency",
    "agreement_by_task",
    "agreement_of_seeds",
    "correlation_maps",
    "dominating_shares",
    "family_histograms",
    "final_measurement",
    "intervention_effects",
    "label_distributions",
    "learning_curves",
    "measurements",
    "module_chains",
    "noise",
    "note",
    "operation_effects",
    "operation_importance",
    "overlap_maps",
    "pareto_clusters",
    "path_modules",
    "plane",
    "rank_quality",
    "ranking_agreement",
    "search_curves",
    "search_fronts",
    "share_maps",
    "soft_ranks",
    "srcc_by_family",
    "srcc_by_hop",
    "style",
    "styled",
    "surrogate_fidelity",
]
