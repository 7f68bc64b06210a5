"""The sections of the chapter that are measured once and committed."""

from autobuild_book.chapters.neighbours import comparison, devices, evolution, productions, tau
from autobuild_book.chapters.neighbours.darts import measure as darts
from autobuild_book.chapters.neighbours.introspection import pool, search as introspection
from autobuild_book.chapters.neighbours.stagewise import measure as stages

_MODULES = (tau, comparison, devices, stages, pool, introspection, darts, evolution, productions)
SECTIONS = {module.SECTION.name: module.SECTION for module in _MODULES}
