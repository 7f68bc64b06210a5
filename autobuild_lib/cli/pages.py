"""The command `autobuild book`: the pages of the book from executed notebooks."""

import argparse
from pathlib import Path

from autobuild_lib import book
from autobuild_lib.runs import PROFILES


def add_book(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `autobuild book`."""
    parser.add_argument("--profile", default="standard", choices=PROFILES, help="default: standard")
    parser.set_defaults(run=_book)


def _book(given: argparse.Namespace) -> None:
    print(book.report(book.build(given.profile, Path.cwd()), Path.cwd()))
