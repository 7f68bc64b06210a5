"""The commands `autobuild neighbours ...`: what the chapter on neighbours commits, made again."""

import argparse

from autobuild_book.arguments import add_folder, add_measure, check_writable
from autobuild_book.chapters.neighbours import language
from autobuild_book.chapters.neighbours.sections import SECTIONS


def add_neighbours(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `autobuild neighbours`."""
    actions = parser.add_subparsers(required=True, metavar="action")
    add_measure(actions.add_parser("measure", help="measure a section on tables of trained networks"), SECTIONS)
    embed = actions.add_parser("embed", help="encode the phrases of choices and devices (needs the extra language)")
    add_folder(embed)
    embed.set_defaults(run=_embed)


def _embed(arguments: argparse.Namespace) -> None:
    check_writable(arguments.folder)
    print(language.write(arguments.folder))
