"""AutoBuild's recipes that the chapter measures, by their names in the registry of models.

The rows of a further one are added by the commands that measured the others; what is kept is not measured again.
"""

from autobuild_book.chapters.shared.models.registry import PAPER, TUNED

AUTOBUILD = (TUNED.name,)  # of what is asked beyond the claims
# Claims are judged on the paper's preset, as in the experiments whose rules are quoted; the tuned one stands beside it.
JUDGED, BESIDE = PAPER.name, TUNED.name
PRESETS = (BESIDE, JUDGED)
