"""The command `autobuild compare`: metrics of many runs as a table and a picture."""

import argparse
import logging
from importlib import import_module
from pathlib import Path

import pandas as pd

from autobuild_book.arguments import check_writable
from autobuild_book.figures.comparison import run_comparison
from autobuild_book.figures.pictures import RESOLUTION
from autobuild_book.runs.comparison import Comparison, compare, find_metrics
from autobuild_lib.storage import replace_text

logger = logging.getLogger(__name__)

MOST_PANELS = 8  # metrics that are drawn, and listed run by run in the terminal
UNREAD = "artifacts"  # MLflow 3.17 takes no folder in one of this name for a run
FILES = "comparison.csv, summary.csv, comparison.html, .svg and .png"

EPILOG = """examples, after `autobuild sweep --notebook 00_method --profile quick --set seed=0..2 ...`:
  the numbers of each run, their means and 95 % intervals:
    autobuild compare artifacts/sweeps/00_method-quick --metric "srcc_*"
  the same as tables, a page and a picture:
    autobuild compare artifacts/sweeps/00_method-quick --metric "srcc_*" --out artifacts/comparison
  all runs as MLflow keeps them (needs pip install 'autobuild-book[mlflow]'):
    autobuild compare artifacts/sweeps/00_method-quick --to mlflow --store mlruns

In Python, one call for the same table of pandas:
  from autobuild_book.runs.comparison import compare
  table = compare("artifacts/sweeps/00_method-quick").table"""


def add_compare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `autobuild compare`."""
    parser.formatter_class, parser.epilog = argparse.RawDescriptionHelpFormatter, EPILOG
    parser.description = "Put runs of one notebook side by side; different code, data and versions are warned of."
    text = "metrics.json files, or folders with some in them, at any depth"
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUNS", help=text)
    text = "a metric to show, or a pattern with * (default: all); again for more"
    parser.add_argument("--metric", action="append", metavar="NAME", dest="metrics", help=text)
    parser.add_argument("--out", type=Path, help=f"folder for {FILES} (default: only print)")
    parser.add_argument("--to", choices=["mlflow"], help="also add the runs, with all metrics, to a store of MLflow")
    text = f"folder of that store, in none called {UNREAD} (default: mlruns)"
    parser.add_argument("--store", type=Path, default=Path("mlruns"), help=text)
    parser.set_defaults(run=_compare)


def _compare(arguments: argparse.Namespace) -> None:
    if arguments.to and UNREAD in arguments.store.resolve().parts:
        raise ValueError(f"--store {arguments.store}: MLflow reads no store in a folder {UNREAD}; give one elsewhere")
    tracking = import_module("autobuild_book.runs.tracking") if arguments.to else None
    for folder in filter(None, (arguments.out, arguments.store if tracking else None)):
        check_writable(folder)
    comparison = compare(arguments.runs)
    if arguments.metrics:
        comparison = comparison.choose(arguments.metrics)
    if arguments.out is not None:
        _write(comparison, arguments.out)
    _print(comparison)
    if arguments.out is not None:
        print(f"{FILES} are in {arguments.out}")
    if tracking:
        added, there = tracking.export(find_metrics(arguments.runs), arguments.store)
        print(f"{added} runs added to MLflow's store {arguments.store}, {there} were there")


def _print(comparison: Comparison) -> None:
    print(f"{comparison.title}, {len(comparison.metrics)} metrics")
    print(*(f"  {line}" for line in comparison.origins()), sep="\n")
    for line in comparison.warnings:
        logger.warning("warning: %s", line)
    if len(comparison.metrics) <= MOST_PANELS:
        print(_text(comparison.readable()))
    if len(comparison.table) > 1:
        print("means over seeds, 95 % intervals (Student's t), n:")
        print(_text(comparison.summary()))


def _text(table: pd.DataFrame) -> str:
    return table.to_string(index=False, float_format="{:.4g}".format, na_rep="")


def _write(comparison: Comparison, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in (("comparison", comparison.table), ("summary", comparison.summary())):
        replace_text(folder / f"{name}.csv", table.to_csv(index=False, lineterminator="\n"))
    replace_text(folder / "comparison.html", comparison.html("comparison.svg"))
    drawn = comparison.metrics[:MOST_PANELS]
    figure = run_comparison(comparison.table, comparison.parameters, drawn)
    for kind in ("svg", "png"):
        figure.savefig(folder / f"comparison.{kind}", dpi=RESOLUTION)
    if len(drawn) < len(comparison.metrics):
        print(f"the first {len(drawn)} of {len(comparison.metrics)} metrics are drawn; choose others with --metric")
