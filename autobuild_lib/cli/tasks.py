"""The commands `autobuild task ...`: train and measure architectures of a task, and make its table from the rows."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from autobuild_lib.cli.common import check_writable, print_report, whole
from autobuild_lib.data.files import FILES
from autobuild_lib.storage import replace_text
from autobuild_lib.tasks.diffusion import images, measuring, metrics, table
from autobuild_lib.tasks.panoptic import measuring as panoptic
from autobuild_lib.tasks.panoptic import table as panoptic_table
from autobuild_lib.tasks.panoptic.space import backbone_space
from autobuild_lib.tasks.panoptic.trained import Recipe
from autobuild_lib.tasks.panoptic.training import train
from autobuild_lib.tasks.rows import read_architectures


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
    backbones = tasks.add_parser("panoptic", help="panoptic segmentation of generated images")
    actions = backbones.add_subparsers(required=True, metavar="action")
    _add_train(actions.add_parser("train", help="train a supernet, or one architecture alone"))
    _add_panoptic_measure(actions.add_parser("measure", help="measure architectures and append a row for each"))
    _add_panoptic_table(actions.add_parser("table", help="bundle measured rows and the supernet behind them"))


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
    _join_manifest(given.folder, table.NAME, table.write_table(given.rows, given.folder))
    rows = measuring.read_rows(given.rows)
    print_report(pd.DataFrame({label: asdict(table.agreement(rows, label)) for label in table.MEASURED}))


def _join_manifest(folder: Path, name: str, entry: dict[str, Any]) -> None:
    path = folder / "manifest.json"
    others = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    replace_text(path, json.dumps(others | {name: entry}, indent=1) + "\n")
    print(f"wrote {entry['file']} ({entry['rows']} architectures) and manifest.json in {folder}")


def _features(given: argparse.Namespace) -> None:
    metrics.train_features(given.out)
    print(f"wrote {given.out}")


# -------------------------------------------------------------------- panoptic


def _add_train(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=whole(0), default=0, help="of weights and order of images (default: 0)")
    steps = Recipe().steps
    parser.add_argument("--steps", type=whole(1), default=steps, help=f"of 16 images each (default: {steps})")
    parser.add_argument("--architecture", help="train only this one, alone, by the same recipe")
    parser.add_argument("--out", type=Path, required=True, help="a folder; a training that was stopped there goes on")
    parser.set_defaults(run=_train)


def _add_panoptic_measure(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--architectures", type=Path, help="a text file with one architecture per line")
    which.add_argument("--sample", type=whole(1, panoptic.MOST_SAMPLES), help="number drawn by a fixed seed")
    parser.add_argument("--supernet", type=Path, help="a folder that `train` wrote (default: the bundled supernet)")
    parser.add_argument("--images", choices=panoptic.POOLS, default="A", help="for labels, or for the end (default: A)")
    parser.add_argument("--count", type=whole(2, 100_000), default=800, help="number of images (default: 800)")
    text = "number of the batch that normalisations are calibrated on (default: 0)"
    parser.add_argument("--calibration", type=whole(0, 10_000), default=0, help=text)
    parser.add_argument("--workers", type=whole(1), default=1, help="processes of one thread each (default: 1)")
    parser.add_argument("--out", type=Path, required=True, help="a CSV file; rows that it holds are not measured again")
    parser.set_defaults(run=_panoptic_measure)


def _add_panoptic_table(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rows", type=Path, required=True, help="a CSV file that `measure` wrote")
    parser.add_argument("--supernet", type=Path, required=True, help="the folder of the network that was measured")
    parser.add_argument("--folder", type=Path, default=FILES, help="where to write (default: inside the package)")
    parser.set_defaults(run=_panoptic_table)


def _train(given: argparse.Namespace) -> None:
    check_writable(given.out)
    architecture = None if given.architecture is None else backbone_space().parse(given.architecture)
    found = train(given.out, seed=given.seed, architecture=architecture, recipe=Recipe(steps=given.steps))
    print(f"network {found.id} is in {given.out}")


def _panoptic_measure(given: argparse.Namespace) -> None:
    if given.sample is None:
        architectures = read_architectures(given.architectures, backbone_space())
    else:
        architectures = panoptic.sample_architectures(given.sample)
    check_writable(given.out.parent)
    exam = panoptic.Exam(given.images, given.count, given.calibration)
    rows = panoptic.measure(architectures, given.out, folder=given.supernet, exam=exam, workers=given.workers)
    print(f"{len(rows)} rows are in {given.out}")


def _panoptic_table(given: argparse.Namespace) -> None:
    _join_manifest(given.folder, panoptic_table.NAME,
                   panoptic_table.write_table(given.rows, given.supernet, given.folder))  # fmt: skip
