"""Figures of the book: each function turns a table into one figure. Nothing here reads files or keeps state."""

from autobuild_book.extras import require

require("book", "matplotlib", "seaborn")
