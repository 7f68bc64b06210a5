"""How many hops the units of a space ask for."""

from autobuild_lib.predictor import NetworkConfig
from autobuild_lib.spaces import SequenceSpace


def enough_hops(*spaces: SequenceSpace) -> int:
    """Return the hops of the paper, or more where units have so many layers that the norm score needs them."""
    deepest = max(group.lengths[-1] for space in spaces for group in space.scoring_groups)
    return max(NetworkConfig().hops, deepest - 1)
