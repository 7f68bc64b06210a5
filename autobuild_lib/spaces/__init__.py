"""Search spaces: units, each a path of layers, in a row or linked otherwise, and architectures (paper, Section 3).

Which byte of an architecture's code holds what is known here alone (`Layout`, `ScoringGroup`). Graphs of architectures
live in `graphs`, spaces reduced to the best modules in `units`.
"""

from autobuild_lib.spaces.features import Category, Continuous, SpaceError, Unit
from autobuild_lib.spaces.groups import ScoringGroup
from autobuild_lib.spaces.ofa import ofa_mbv3, ofa_pn, read_space
from autobuild_lib.spaces.sequence import Architecture, Codes, SequenceSpace

__all__ = [
    "Architecture", "Category", "Codes", "Continuous", "ScoringGroup", "SequenceSpace", "SpaceError", "Unit",
    "ofa_mbv3", "ofa_pn", "read_space",
]  # fmt: skip
