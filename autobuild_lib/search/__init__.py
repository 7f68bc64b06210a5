"""Search with any evaluator: evolution by mutations, a log that survives kills, fronts and hypervolumes.

Other searches to compare with, and what experts chose, live in the companion's chapter on regions.
"""

from autobuild_lib.search.evaluation import Evaluator, evaluate_all
from autobuild_lib.search.evolution import evolve
from autobuild_lib.search.log import Evaluation, EvaluationLog
from autobuild_lib.search.mutations import LayerMutation, Mutation, StageMutation
from autobuild_lib.search.pareto import costs, front, hypervolume_curve

__all__ = [
    "Evaluation", "EvaluationLog", "Evaluator", "LayerMutation", "Mutation", "StageMutation", "costs", "evaluate_all",
    "evolve", "front", "hypervolume_curve",
]  # fmt: skip
