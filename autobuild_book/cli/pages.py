"""The command `autobuild book`: the pages of the book from executed notebooks."""

import argparse
from pathlib import Path

from autobuild_book.pages import building, claims, elsewhere
from autobuild_book.pages.states import read_chapters
from autobuild_book.runs.recording import PROFILES


def add_book(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `autobuild book`."""
    parser.add_argument("--profile", default="standard", choices=PROFILES, help="default: standard")
    text = f"instead of building, keep the verdicts of this run as those of this PROCESSOR in {elsewhere.FILE}"
    parser.add_argument("--record", metavar="PROCESSOR", help=text)
    parser.set_defaults(run=_book)


def build(profile: str) -> None:
    """Build the book in the current folder, and say where it lies and which chapters have no results."""
    print(building.report(building.build(profile, Path.cwd()), Path.cwd()))


def _book(options: argparse.Namespace) -> None:
    if not options.record:
        return build(options.profile)
    verdicts = claims.in_short(read_chapters(options.profile, Path.cwd()))
    elsewhere.record(Path.cwd(), options.profile, options.record, verdicts)
    print(f"{len(verdicts)} verdicts of {options.record} are in {elsewhere.FILE}")
