"""AutoBuild's recipes that the chapter measures, by their names in the registry of models.

The rows of a further one are added by the commands that measured the others; what is kept is not measured again.
"""

from autobuild_book.chapters.shared.models.registry import TUNED

AUTOBUILD = (TUNED.name,)
