"""Search spaces: units in a row, each a path of layers, and the architectures in them (paper, Section 3)."""

from autobuild_lib.spaces.architecture import Architecture
from autobuild_lib.spaces.features import Category, Continuous, SpaceError
from autobuild_lib.spaces.ofa import ofa_mbv3, ofa_pn, read_space
from autobuild_lib.spaces.sequence import SequenceSpace, Unit

__all__ = [
    "Architecture",
    "Category",
    "Continuous",
    "SequenceSpace",
    "SpaceError",
    "Unit",
    "ofa_mbv3",
    "ofa_pn",
    "read_space",
]
