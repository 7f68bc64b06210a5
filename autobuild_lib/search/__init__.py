"""Search with any evaluator: evolution by mutations, a log that survives kills, and fronts.

Searches to compare with (by layers, as experts chose), and hypervolumes live in the companion.
"""

from autobuild_lib.search.evaluation import Evaluator, evaluate_all, fingerprint
from autobuild_lib.search.evolution import evolve
from autobuild_lib.search.log import Evaluation, EvaluationLog
from autobuild_lib.search.mutations import Mutation, StageMutation
from autobuild_lib.search.pareto import costs, front

__all__ = [
    "Evaluation", "EvaluationLog", "Evaluator", "Mutation", "StageMutation", "costs", "evaluate_all",
    "evolve", "fingerprint", "front",
]  # fmt: skip
