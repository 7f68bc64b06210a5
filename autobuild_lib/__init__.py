"""The library of the AutoBuild book: build neural architectures from interpretable graph embeddings.

The order of use follows the paper: a search space (`spaces`), evaluated architectures (`data`), a target equation
(`Target`), a predictor whose hop-level norms rank architectures (`fit`, `evaluate`), module scores and the reduced
spaces built from the best modules (`score_units`), surrogate labels (`surrogate`), and search (`search`). Networks
(`networks`) and their op-level graphs (`graphs`, `fit_ir`) are for any architecture of the once-for-all families.
"""

from autobuild_lib import data, graphs, losses, networks, search, spaces, surrogate
from autobuild_lib.evaluation import evaluate
from autobuild_lib.ir_predictor import IRPredictor
from autobuild_lib.ir_training import fit_ir, fit_ir_many
from autobuild_lib.jobs import FitJob, fit_jobs
from autobuild_lib.predictor import NetworkConfig, Predictor, load
from autobuild_lib.reduced import ReducedSpace
from autobuild_lib.spaces import Architecture, Continuous, SequenceSpace, SpaceError, Unit
from autobuild_lib.targets import Target
from autobuild_lib.training import TrainingConfig, fit, fit_many
from autobuild_lib.units import UnitCorpus, score_units

__version__ = "0.1.0"

__all__ = [
    "Architecture",
    "Continuous",
    "FitJob",
    "IRPredictor",
    "NetworkConfig",
    "Predictor",
    "ReducedSpace",
    "SequenceSpace",
    "SpaceError",
    "Target",
    "TrainingConfig",
    "Unit",
    "UnitCorpus",
    "data",
    "evaluate",
    "fit",
    "fit_ir",
    "fit_ir_many",
    "fit_jobs",
    "fit_many",
    "graphs",
    "load",
    "losses",
    "networks",
    "score_units",
    "search",
    "spaces",
    "surrogate",
]
