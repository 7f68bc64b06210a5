"""The command `autobuild trained measure`: what the chapter on trained networks commits, measured again."""

import argparse

from autobuild_book.arguments import add_sections
from autobuild_book.chapters.trained.registry import SECTIONS


def add_trained(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `autobuild trained`."""
    add_sections(parser, SECTIONS, "measure a section on the benchmark tables")
