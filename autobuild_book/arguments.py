"""What several commands share: arguments, their checks, and how tables are printed."""

import argparse
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pandas as pd

from autobuild_book.measured.parts import cost, kept_beside, measure_all, write_rows
from autobuild_book.measured.sections import Section
from autobuild_lib import data
from autobuild_lib.data.files import FILES
from autobuild_lib.data.table import DUPLICATES
from autobuild_lib.spaces import SequenceSpace, read_space
from autobuild_lib.targets import Target, quoted


def add_source(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that name a table and its split."""
    text = "a table that `autobuild data list` shows, such as ofa_mbv3, or the path of a .csv or .pkl"
    parser.add_argument("--data", required=True, help=text)
    parser.add_argument("--space", help="for a CSV: ofa_mbv3, ofa_pn, or a JSON file (SequenceSpace.to_json)")
    text = "average the labels of an architecture that stands in several rows (default: refuse it)"
    parser.add_argument("--duplicates", choices=DUPLICATES, default="refuse", help=text)
    text = "leave out rows in which a label of the target is missing (default: refuse them)"
    parser.add_argument("--drop-missing", action="store_true", help=text)
    text = "of the 90/10 split, the same to fit and to evaluate (default: 12345)"
    parser.add_argument("--split-seed", type=whole(0), default=12345, help=text)


def add_out(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of a command that measures: how many processes, and where its rows go."""
    parser.add_argument("--workers", type=whole(1), default=1, help="processes of one thread each (default: 1)")
    parser.add_argument("--out", type=Path, required=True, help="a CSV file; rows that it holds are not measured again")
    parser.set_defaults(keeps="out")


def add_rows(parser: argparse.ArgumentParser, command: str = "measure") -> None:
    """Add the arguments of a command that bundles the rows of one file."""
    parser.add_argument("--rows", type=Path, required=True, help=f"a CSV file that `{command}` wrote")
    add_folder(parser)


def add_folder(parser: argparse.ArgumentParser) -> None:
    """Add the folder that a command bundles files in."""
    parser.add_argument("--folder", type=Path, default=FILES, help="where to write (default: inside the package)")


def whole(least: int, most: int = 2**32 - 1) -> Callable[[str], int]:
    """Return a reader of whole numbers within bounds, for `type=`."""

    def read(text: str) -> int:
        if not text.isdecimal() or not least <= int(text[:20]) <= most:
            raise argparse.ArgumentTypeError(f"{text[:40]!r}: allowed are whole numbers from {least} to {most}")
        return int(text)

    return read


def split(
    arguments: argparse.Namespace, target: str, space: SequenceSpace | None = None
) -> tuple[data.Table, data.Table]:
    """Load the table that the arguments name, split for training and testing; they may name another space."""
    space = read_space(arguments.space) if arguments.space else space
    table = data.load(arguments.data, space=space, duplicates=arguments.duplicates)
    complete = table.complete(label_or_equation(target, table.labels)) if arguments.drop_missing else table
    return complete.split(0.9, seed=arguments.split_seed)


def label_or_equation(target: str, labels: Iterable[object]) -> str:
    """Return a target as an equation: what is none but the name of a label, such as "val score", means that label."""
    try:
        return Target(target).expression
    except ValueError as error:
        names = [str(label) for label in labels]
        if target.strip() in names:
            return quoted(target.strip())
        raise ValueError(f"{error}; the labels here are {', '.join(map(quoted, names))}") from None


def check_writable(out: Path) -> None:
    """Refuse now what would be refused after the work only."""
    nearest = next(path for path in (out.absolute(), *out.absolute().parents) if path.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise OSError(f"cannot write into {out}: {nearest} is not a folder, or not yours to write into")


def check_file(out: Path | None) -> None:
    """Do the same for a file, if one is asked for; its folder need not be there yet."""
    if out is not None:
        if out.is_dir():
            raise OSError(f"cannot write {out}: it is a folder")
        check_writable(out.parent)


def print_report(report: pd.DataFrame) -> None:
    """Print a table of numbers."""
    print(report.to_string(float_format="{:.4f}".format, na_rep=""))


def add_sections(parser: argparse.ArgumentParser, sections: Mapping[str, Section], text: str) -> None:
    """Add the action `measure` for the sections of a chapter, by name."""
    actions = parser.add_subparsers(required=True, metavar="action")
    add_measure(actions.add_parser("measure", help=text), sections)


def add_measure(parser: argparse.ArgumentParser, sections: Mapping[str, Section]) -> None:
    """Add the sections of a chapter to its action `measure`."""
    names = parser.add_subparsers(required=True, metavar="section")
    for section in sections.values():
        _add_section(names.add_parser(section.name, help=section.text), section)


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
    if not parts:
        raise ValueError(f"sizes {', '.join(map(str, arguments.sizes))}: none leaves anything to measure")
    print(cost(parts), flush=True)
    if arguments.plan:
        return
    check_file(arguments.out)
    rows = measure_all(parts, arguments.section.name, kept_beside(arguments.out), arguments.workers)
    print(write_rows(rows, arguments.out))
