"""The command `autobuild neighbours measure`: what the chapter on neighbours commits, measured again."""

import argparse

from autobuild_book.arguments import add_sections
from autobuild_book.chapters.neighbours.sections import SECTIONS


def add_neighbours(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `autobuild neighbours`."""
    add_sections(parser, SECTIONS, "measure a section on tables of trained networks")
