"""The commands `autobuild task ...`: measure architectures of a task, and make its table from the rows."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from autobuild_lib.cli.common import check_writable, print_report, whole
from autobuild_lib.data.files import FILES
from autobuild_lib.storage import replace_text
from autobuild_lib.tasks.diffusion import images, measuring, metrics, table


def add_tasks(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `autobuild task`."""
    tasks = parser.add_subparsers(required=True, metavar="task")
    diffusion = tasks.add_parser("diffusion", help="inpainting U-Nets on handwritten digits")
    actions = diffusion.add_subparsers(required=True, metavar="action")
    _add_measure(actions.add_parser("measure", help="train architectures and append a row for each run"))
    _add_table(actions.add_parser("table", help="make the bundled table from measured rows"))
    features = actions.add_parser("features", help="train the classifier behind the distance again (seconds)")
    features.add_argument("--out", type=Path, required=True, help="the .safetensors file to write")
    features.set_defaults(run=_features)


def _add_measure(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--architectures", type=Path, help="a text file with one architecture per line")
    which.add_argument("--sample", type=whole(1, 10_000), help="number of architectures drawn by a fixed seed")
    parser.add_argument("--seeds", type=whole(0), nargs="+", default=[0, 1], help="runs of each (default: 0 1)")
    parser.add_argument("--half", choices=images.HALVES, default="labels", help="images for the labels, or for the end")
    parser.add_argument("--workers", type=whole(1), default=1, help="processes of one thread each (default: 1)")
    parser.add_argument("--out", type=Path, required=True, help="a CSV file; rows that it holds are not measured again")
    parser.set_defaults(run=_measure)


def _add_table(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rows", type=Path, required=True, help="a CSV file that `measure` wrote")
    parser.add_argument("--folder", type=Path, default=FILES, help="where to write (default: inside the package)")
    parser.set_defaults(run=_table)


def _measure(given: argparse.Namespace) -> None:
    if given.sample is None:
        architectures = measuring.read_architectures(given.architectures)
    else:
        architectures = measuring.sample_architectures(given.sample)
    check_writable(given.out.parent)
    rows = measuring.measure(architectures, given.seeds, given.out, half=given.half, workers=given.workers)
    print(f"{len(rows)} rows of {len(architectures)} architectures are in {given.out}")


def _table(given: argparse.Namespace) -> None:
    entry = table.write_table(given.rows, given.folder)
    path = given.folder / "manifest.json"
    others = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    replace_text(path, json.dumps(others | {table.NAME: entry}, indent=1) + "\n")
    print(f"wrote {entry['file']} ({entry['rows']} architectures) and manifest.json in {given.folder}")
    rows = measuring.read_rows(given.rows)
    print_report(pd.DataFrame({label: asdict(table.agreement(rows, label)) for label in table.MEASURED}))


def _features(given: argparse.Namespace) -> None:
    metrics.train_features(given.out)
    print(f"wrote {given.out}")
