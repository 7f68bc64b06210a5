from . import data, graphs, losses, networks, search, spaces, surrogate
from .evaluation import evaluate
from .ir_training import fit_ir, fit_ir_many
from .loading import load
from .predictor import NetworkConfig, Predictor
from .spaces import Architecture, Continuous, SequenceSpace, SpaceError, Unit
from .targets import Target
from .training import TrainingConfig, fit, fit_many
from .units.corpus import UnitCorpus, score_units
from .units.reduced import ReducedSpace

__version__: str

__all__ = [
    "Architecture", "Continuous", "NetworkConfig", "Predictor", "ReducedSpace", "SequenceSpace", "SpaceError",
    "Target", "TrainingConfig", "Unit", "UnitCorpus", "data", "evaluate", "fit", "fit_ir", "fit_ir_many",
    "fit_many", "graphs", "load", "losses", "networks", "score_units", "search", "spaces", "surrogate",
]  # fmt: skip
