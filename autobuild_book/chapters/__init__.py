"""One package for each chapter: its task, experiment, figures, commands and verdict.

What several chapters use lives in `shared`. A chapter imports no other chapter.
"""

from autobuild_book.extras import require

require("book", "matplotlib", "seaborn", "sklearn")
