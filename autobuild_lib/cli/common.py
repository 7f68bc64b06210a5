"""What several commands share: arguments, their checks, and how tables are printed."""

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from autobuild_lib import data
from autobuild_lib.spaces import SequenceSpace, read_space
from autobuild_lib.storage import replace_text


def add_source(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that name a table and its split."""
    parser.add_argument("--data", required=True, help="ofa_mbv3, ofa_pn, released:NAME, or the path of a .csv or .pkl")
    parser.add_argument("--space", help="for a CSV: ofa_mbv3, ofa_pn, or a JSON file (SequenceSpace.to_json)")
    text = "of the 90/10 split, the same to fit and to evaluate (default: 12345)"
    parser.add_argument("--split-seed", type=whole(0), default=12345, help=text)


def whole(least: int, most: int = 2**32 - 1) -> Callable[[str], int]:
    """Return a reader of whole numbers within bounds, for `type=`."""

    def read(text: str) -> int:
        if not text.isdecimal() or not least <= int(text[:20]) <= most:
            raise argparse.ArgumentTypeError(f"{text[:40]!r}: allowed are whole numbers from {least} to {most}")
        return int(text)

    return read


def split(given: argparse.Namespace, known: SequenceSpace | None = None) -> tuple[data.Table, data.Table]:
    """Load the table that the arguments name, split for training and testing."""
    space = read_space(given.space) if given.space else known
    return data.load(given.data, space=space).split(0.9, seed=given.split_seed)


def check_writable(out: Path) -> None:
    """Refuse now what would be refused after the work only."""
    nearest = next(path for path in (out.absolute(), *out.absolute().parents) if path.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise OSError(f"cannot write into {out}: {nearest} is not a folder, or not yours to write into")


def print_report(report: pd.DataFrame) -> None:
    """Print a table of numbers."""
    print(report.to_string(float_format="{:.4f}".format, na_rep=""))


def join_manifest(folder: Path, name: str, entry: dict[str, Any]) -> None:
    """Add a table to the manifest of a folder, and say so."""
    path = folder / "manifest.json"
    others = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    replace_text(path, json.dumps(others | {name: entry}, indent=1) + "\n")
    print(f"wrote {entry['file']} ({entry['rows']} architectures) and manifest.json in {folder}")


def join_beside(folder: Path, name: str, files: dict[str, str]) -> None:
    """Add files with their checksums to the manifest entry of a table."""
    path = folder / "manifest.json"
    entries = json.loads(path.read_text(encoding="utf-8"))
    entries[name]["beside"] = entries[name].get("beside", {}) | files
    replace_text(path, json.dumps(entries, indent=1) + "\n")
    print(f"wrote {', '.join(files)} and manifest.json in {folder}")
