"""What experts chose per stage and device: fewer layers, smaller depths, other mutation probabilities."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from autobuild_book.layer_mutation import LayerMutation
from autobuild_lib.data.files import FILES
from autobuild_lib.spaces import SequenceSpace
from autobuild_lib.storage import read_json


@dataclass(frozen=True)
class Insights:
    """Per stage: the candidate layers (full names), the largest depth, and the probability that it mutates."""

    candidates: tuple[tuple[str, ...], ...]
    max_layers: tuple[int, ...]
    probability: tuple[float, ...]


def expert_insights(family: str, device: str) -> Insights:
    """Return what Block Profiling (Mills et al., CIKM 2021, arXiv 2109.12426) found, as in the AutoBuild repository.

    Args:
        family: "ofa_mbv3" or "ofa_pn".
        device: "gpu", "cpu", "npu", "note10" (ofa_mbv3 only) or "max_acc".
    """
    families: dict[str, Any] = read_json(FILES / "expert_insights.json")["families"]
    if family not in families:
        raise ValueError(f"no expert insights for space {family!r}; choose from {', '.join(families)}")
    if device not in families[family]:
        raise ValueError(f"no expert insights for {family} on {device!r}; choose from {', '.join(families[family])}")
    entry = families[family][device]
    candidates = tuple(tuple(names) for names in entry["candidates"])
    return Insights(candidates, tuple(entry["max_layers"]), tuple(entry["probability"]))


def expert_mutation(space: SequenceSpace, device: str) -> LayerMutation:
    """Return mutations within the layers, depths and probabilities that experts chose per stage for a device."""
    insights = expert_insights(space.name, device)
    units = zip(space.codecs, insights.candidates, strict=True)
    layers = tuple(np.array([codec.encode_layer(name) for name in names], dtype=np.uint8) for codec, names in units)
    limits = zip(space.codecs, insights.max_layers, strict=True)
    depths = tuple(range(codec.depths[0], most + 1) for codec, most in limits)
    return LayerMutation(space, layers, depths, np.array(insights.probability))
