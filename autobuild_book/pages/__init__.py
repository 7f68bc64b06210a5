"""Pages of the book, from the executed notebooks of one profile: chapters, verdicts, indices, reference.

What a chapter computes lives in `chapters`; prose and the table of contents live in the folder `book`.
"""

from autobuild_book.extras import require

require("book", "jsonschema", "nbformat")
