"""The sections of the chapter that are measured once and committed."""

from autobuild_book.chapters.trained import (
    ablation,
    best_networks,
    effects,
    latency,
    ranking,
    regions,
    scores,
    search,
    swapped,
)

_MEASURED = (ranking, ablation, effects, scores, latency, swapped, regions, search, best_networks)
SECTIONS = {module.SECTION.name: module.SECTION for module in _MEASURED}
