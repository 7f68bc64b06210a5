"""The sections of the chapter that are measured once and committed."""

from autobuild_book.chapters.trained import best_networks, effects, latency, ranking, regions, scores, search, swapped

_MODULES = (ranking, effects, scores, regions, search, best_networks, latency, swapped)
SECTIONS = {module.SECTION.name: module.SECTION for module in _MODULES}
