"""The sections of the chapter that are measured once and committed."""

from autobuild_book.chapters.trained import effects, ranking

SECTIONS = {section.name: section for section in (ranking.SECTION, effects.SECTION)}
