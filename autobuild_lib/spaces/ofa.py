"""The two families of the paper: once-for-all MobileNetV3 and ProxylessNAS (paper, Section 4)."""

import functools
from collections.abc import Iterable, Sequence
from pathlib import Path

from autobuild_lib.spaces.features import Continuous, Features, SpaceError, Unit
from autobuild_lib.spaces.sequence import SequenceSpace
from autobuild_lib.storage import read_json
from autobuild_lib.values import integer, naming, shown

RESOLUTIONS = (192, 208, 224)  # of the public implementation's predictors
ALLOWED = range(128, 225, 4)  # of the once-for-all networks
ALLOWED_TEXT = f"{ALLOWED[0]} to {ALLOWED[-1]} in steps of {ALLOWED.step}"
WIDTHS = {"unit": 3, "index": 2, "op": 2, "e": 2, "k": 3, "resolution": 3}
OPERATIONS = {"ofa_mbv3": "mbconv3", "ofa_pn": "mbconv2"}
TAILS: dict[str, list[Unit]] = {"ofa_mbv3": [], "ofa_pn": [Unit(1, 1, score_with_previous=True)]}


def ofa_mbv3(resolutions: Sequence[int] = (224,)) -> SequenceSpace:
    """Return OFA-MobileNetV3: 5 units of 2 to 4 MBConv layers, expansion in {3, 4, 6}, kernel in {3, 5, 7}."""
    return _family("ofa_mbv3", _whole(resolutions))


def ofa_pn(resolutions: Sequence[int] = (224,)) -> SequenceSpace:
    """Return OFA-ProxylessNAS: as OFA-MobileNetV3 plus a sixth unit of one layer, scored as the tail of the fifth."""
    return _family("ofa_pn", _whole(resolutions))


@functools.cache
def _family(name: str, resolutions: tuple[int, ...]) -> SequenceSpace:
    if not resolutions or not set(resolutions) <= set(ALLOWED):
        raise SpaceError(f"{name}: resolutions {shown(list(resolutions))}; allowed are {ALLOWED_TEXT}")
    resolution = Continuous(values=resolutions, offset=192, scale=32)
    layers: Features = {"op": [OPERATIONS[name]], "e": [3, 4, 6], "k": [3, 5, 7]}
    return SequenceSpace(name, [*[Unit(2, 4)] * 5, *TAILS[name]], layers, {"resolution": resolution}, WIDTHS)


def _whole(resolutions: object) -> tuple[int, ...]:
    if isinstance(resolutions, str) or not isinstance(resolutions, Iterable):
        raise SpaceError(f"resolutions={shown(resolutions)}; give a list; allowed are {ALLOWED_TEXT}")
    with naming("", SpaceError):
        return tuple(integer(resolution, "resolution") for resolution in resolutions)


def read_space(name: str) -> SequenceSpace:
    """Return the space "ofa_mbv3" or "ofa_pn", or the one described in a JSON file (`SequenceSpace.to_json`)."""
    if name in OPERATIONS:
        return _family(name, (224,))
    if not Path(name).is_file():
        raise SpaceError(f"space {name!r}: neither {' nor '.join(OPERATIONS)}, nor a JSON file that is there")
    description = read_json(name, "a description of a space", SpaceError)
    with naming(name, SpaceError):
        return SequenceSpace.from_json(description)
