"""What several commands share: arguments, their checks, and how tables are printed."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from autobuild_lib import data
from autobuild_lib.data.files import FILES
from autobuild_lib.data.table import DUPLICATES
from autobuild_lib.spaces import SequenceSpace, read_space
from autobuild_lib.storage import read_json, replace_json
from autobuild_lib.values import shown


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
    return (table.complete(target) if arguments.drop_missing else table).split(0.9, seed=arguments.split_seed)


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


def join_manifest(folder: Path, name: str, entry: dict[str, Any]) -> None:
    """Add a table to the manifest of a folder, and say so; files that stand beside it already are kept."""
    known = _read_manifest(folder)
    beside = known.get(name, {}).get("beside", {}) | entry.get("beside", {})
    _write_manifest(folder, known | {name: entry | ({"beside": beside} if beside else {})})
    print(f"wrote {entry['file']} ({entry['rows']} architectures) and manifest.json in {folder}")


def join_beside(folder: Path, name: str, files: dict[str, str]) -> None:
    """Add files with their checksums to the manifest entry of a table."""
    known = _read_manifest(folder)
    if name not in known:
        raise ValueError(f"{folder / 'manifest.json'}: no table {name}; make it first, with the action `table`")
    known[name]["beside"] = known[name].get("beside", {}) | files
    _write_manifest(folder, known)
    print(f"wrote {', '.join(files)} and manifest.json in {folder}")


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / "manifest.json"
    found = read_json(path, "a manifest") if path.is_file() else {}
    for name, entry in found.items():
        if not isinstance(entry, dict) or not isinstance(entry.get("beside", {}), dict):
            raise ValueError(f"{path}: the entry {shown(name)} is no object, or what stands beside it is none")
    return found


def _write_manifest(folder: Path, entries: dict[str, Any]) -> None:
    replace_json(folder / "manifest.json", entries)
