"""The command `autobuild trained measure`: what the chapter on trained networks commits, measured again."""

import argparse
from pathlib import Path

from autobuild_book.arguments import check_file, whole
from autobuild_book.chapters.trained.registry import SECTIONS
from autobuild_book.chapters.trained.sections import Section
from autobuild_book.measured.parts import cost, kept_beside, measure_all, write_rows


def add_trained(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `autobuild trained`."""
    actions = parser.add_subparsers(required=True, metavar="action")
    measure = actions.add_parser("measure", help="measure a section on the benchmark tables")
    sections = measure.add_subparsers(required=True, metavar="section")
    for section in SECTIONS.values():
        _add_section(sections.add_parser(section.name, help=section.text), section)


def _add_section(parser: argparse.ArgumentParser, section: Section) -> None:
    if section.sizes:
        text = f"rows to learn from (default: {' '.join(map(str, section.sizes))})"
        parser.add_argument("--sizes", nargs="+", type=whole(1), default=section.sizes, metavar="ROWS", help=text)
    if section.seeds:
        text = f"training subsets (default: {len(section.seeds)})"
        parser.add_argument("--seeds", type=whole(1, 100), default=len(section.seeds), help=text)
    parser.add_argument("--workers", type=whole(1), default=1, help="processes of one thread each (default: 1)")
    parser.add_argument("--plan", action="store_true", help="only say what would run, and what it would cost")
    text = "a CSV file; finished parts are kept beside it, in a folder of that name with .parts, and not repeated: "
    text += "delete it when the code of a measurement has changed"
    parser.add_argument("--out", type=Path, required=True, help=text)
    parser.set_defaults(run=_measure, section=section, sizes=section.sizes, seeds=len(section.seeds), keeps="out")


def _measure(arguments: argparse.Namespace) -> None:
    parts = arguments.section.plan(arguments.sizes, range(arguments.seeds))
    print(cost(parts), flush=True)
    if arguments.plan:
        return
    check_file(arguments.out)
    rows = measure_all(parts, arguments.section.name, kept_beside(arguments.out), arguments.workers)
    print(write_rows(rows, arguments.out))
