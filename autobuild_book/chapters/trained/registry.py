"""The sections of the chapter that are measured once and committed."""

from autobuild_book.chapters.trained import best_networks, effects, ranking, regions, search

_ALL = (ranking.SECTION, effects.SECTION, regions.SECTION, search.SECTION, best_networks.SECTION)
SECTIONS = {section.name: section for section in _ALL}
