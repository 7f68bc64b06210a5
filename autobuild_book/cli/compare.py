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


def _compare(arguments: argparse.Namespace) -> None:
    if arguments.out is not None:
        check_writable(arguments.out)
    comparison = compare(arguments.runs)
    if arguments.metrics:
        comparison = comparison.choose(arguments.metrics)
    if arguments.out is not None:
        _write(comparison, arguments.out)
    print(f"{len(comparison.table)} runs of {comparison.notebook}, {len(comparison.metrics)} metrics")
    print(comparison.table.to_string(index=False, float_format="{:.4g}".format, na_rep=""))
    if arguments.out is not None:
        print(f"comparison.csv, .html, .svg and .png are in {arguments.out}")


def _write(comparison: Comparison, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    replace_text(folder / "comparison.csv", comparison.table.to_csv(index=False, lineterminator="\n"))
    replace_text(folder / "comparison.html", comparison.html("comparison.svg"))
    drawn = comparison.metrics[:MOST_PANELS]
    figure = run_comparison(comparison.table, comparison.parameters, drawn)
    for kind in ("svg", "png"):
        figure.savefig(folder / f"comparison.{kind}", dpi=RESOLUTION)
    if len(drawn) < len(comparison.metrics):
        print(f"the first {len(drawn)} of {len(comparison.metrics)} metrics are drawn; choose others with --metric")
