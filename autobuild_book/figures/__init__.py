"""Figures of the book: each function turns a table into one figure, reads no files and keeps no state.

The style of all, and what several chapters draw. Figures of one chapter live in its `figures.py`.
"""

from autobuild_book.extras import require

require("book", "matplotlib", "seaborn")
