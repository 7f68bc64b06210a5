"""Builds the pages of the book from the executed notebooks of one profile, and the pages that sum them up."""

from autobuild_book.pages.building import build, collect, main, report

__all__ = ["build", "collect", "main", "report"]
