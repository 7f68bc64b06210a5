"""The sections of the chapter that are measured once and committed."""

from autobuild_book.chapters.neighbours import tau

SECTIONS = {module.SECTION.name: module.SECTION for module in (tau,)}
