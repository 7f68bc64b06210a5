"""The command `autobuild book`: the pages of the book from executed notebooks."""

import argparse
from pathlib import Path

from autobuild_book import pages
from autobuild_book.runs.recording import PROFILES


def add_book(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `autobuild book`."""
    parser.add_argument("--profile", default="standard", choices=PROFILES, help="default: standard")
    parser.set_defaults(run=_book)


def _book(given: argparse.Namespace) -> None:
    print(pages.report(pages.build(given.profile, Path.cwd()), Path.cwd()))
