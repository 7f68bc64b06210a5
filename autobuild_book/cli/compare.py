"""The command `autobuild compare`: metrics of many runs as a table and a picture."""

import argparse
from pathlib import Path

from autobuild_book.arguments import check_writable
from autobuild_book.figures.comparison import run_comparison
from autobuild_book.figures.style import RESOLUTION
from autobuild_book.runs.comparison import Comparison, compare
from autobuild_lib.storage import replace_text

MOST_PANELS = 8


def add_compare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `autobuild compare`."""
    text = "metrics.json files, or folders with some in them, at any depth"
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUNS", help=text)
    text = "a metric to show, or a pattern with * (default: all); again for more"
    parser.add_argument("--metric", action="append", metavar="NAME", dest="metrics", help=text)
    text = "folder for comparison.csv, .html, .svg and .png (default: only print the table)"
    parser.add_argument("--out", type=Path, help=text)
    parser.set_defaults(run=_compare)


def _compare(given: argparse.Namespace) -> None:
    if given.out is not None:
        check_writable(given.out)
    found = compare(given.runs)
    found = found.choose(given.metrics) if given.metrics else found
    if given.out is not None:
        _write(found, given.out)
    print(f"{len(found.table)} runs of {found.notebook}, {len(found.metrics)} metrics")
    print(found.table.to_string(index=False, float_format="{:.4g}".format, na_rep=""))
    if given.out is not None:
        print(f"comparison.csv, .html, .svg and .png are in {given.out}")


def _write(found: Comparison, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    replace_text(folder / "comparison.csv", found.table.to_csv(index=False, lineterminator="\n"))
    replace_text(folder / "comparison.html", found.html("comparison.svg"))
    drawn = found.metrics[:MOST_PANELS]
    figure = run_comparison(found.table, found.parameters, drawn)
    for kind in ("svg", "png"):
        figure.savefig(folder / f"comparison.{kind}", dpi=RESOLUTION)
    if len(drawn) < len(found.metrics):
        print(f"the first {len(drawn)} of {len(found.metrics)} metrics are drawn; choose others with --metric")
