"""Figures of the book: each function turns a table into one figure. Nothing here reads files or keeps state."""

from autobuild_lib.extras import extra

with extra("book"):
    from autobuild_lib.plotting.comparison import run_comparison
    from autobuild_lib.plotting.data import accuracy_latency, label_distributions, noise, surrogate_fidelity
    from autobuild_lib.plotting.diffusion import (
        built_against_best,
        distance_against_macs,
        inpainted_digits,
        stage_scores,
        unet_ranks,
    )
    from autobuild_lib.plotting.ir_operations import (
        family_histograms,
        operation_effects,
        operation_importance,
        ranking_agreement,
        srcc_by_family,
    )
    from autobuild_lib.plotting.method import path_modules, soft_ranks
    from autobuild_lib.plotting.own_space import search_beside_table
    from autobuild_lib.plotting.panoptic import (
        builder_differences,
        built_front,
        label_agreement,
        panoptic_panel,
        srcc_by_size,
        stage_importance,
    )
    from autobuild_lib.plotting.pareto_regions import dominating_shares, pareto_clusters, search_curves, search_fronts
    from autobuild_lib.plotting.peers import (
        cost_and_quality,
        gains_of_combining,
        lead_of_autobuild,
        peer_curves,
        shares_by_view,
    )
    from autobuild_lib.plotting.predictor_srcc import learning_curves, srcc_by_hop
    from autobuild_lib.plotting.stable_diffusion import choice_costs, scores_against_truth
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
    "builder_differences",
    "built_against_best",
    "built_front",
    "choice_costs",
    "correlation_maps",
    "cost_and_quality",
    "distance_against_macs",
    "dominating_shares",
    "family_histograms",
    "final_measurement",
    "gains_of_combining",
    "inpainted_digits",
    "intervention_effects",
    "label_agreement",
    "label_distributions",
    "lead_of_autobuild",
    "learning_curves",
    "measurements",
    "module_chains",
    "noise",
    "note",
    "operation_effects",
    "operation_importance",
    "overlap_maps",
    "panoptic_panel",
    "pareto_clusters",
    "path_modules",
    "peer_curves",
    "plane",
    "rank_quality",
    "ranking_agreement",
    "run_comparison",
    "scores_against_truth",
    "search_beside_table",
    "search_curves",
    "search_fronts",
    "share_maps",
    "shares_by_view",
    "soft_ranks",
    "srcc_by_family",
    "srcc_by_hop",
    "srcc_by_size",
    "stage_importance",
    "stage_scores",
    "style",
    "styled",
    "surrogate_fidelity",
    "unet_ranks",
]
