"""The commands `autobuild task panoptic ...`: train, measure, search, choose, compare, and bundle what was measured."""

import argparse
from pathlib import Path

from autobuild_book.arguments import (
    add_folder,
    add_out,
    add_rows,
    check_file,
    check_writable,
    join_beside,
    join_manifest,
    whole,
)
from autobuild_book.chapters.panoptic import search
from autobuild_book.chapters.panoptic.choice import choose
from autobuild_book.chapters.panoptic.committed import write_committed
from autobuild_book.chapters.panoptic.task import measuring, table
from autobuild_book.chapters.panoptic.task.paired import FINAL, measure_paired
from autobuild_book.chapters.panoptic.task.space import backbone_space
from autobuild_book.chapters.panoptic.task.training import train
from autobuild_book.chapters.panoptic.task.weights import Recipe
from autobuild_book.measured.rows import read_architectures
from autobuild_lib.storage import replace_text

SUPERNET = "a folder that `train` wrote (default: the bundled supernet)"


def add_panoptic(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `autobuild task panoptic`."""
    actions = parser.add_subparsers(required=True, metavar="action")
    _add_train(actions.add_parser("train", help="train a supernet, or one architecture alone"))
    _add_measure(actions.add_parser("measure", help="measure architectures and append a row for each"))
    _add_table(actions.add_parser("table", help="bundle measured rows and the supernet behind them"))
    _add_search(actions.add_parser("search", help="search with as many evaluations as there are labels"))
    _add_choose(actions.add_parser("choose", help="choose what is built from the bundled table, to be compared next"))
    text = f"measure on {FINAL.count:,} images of set {FINAL.images}, part by part"
    _add_compare(actions.add_parser("compare", help=text))
    _add_rows(actions.add_parser("rows", help="bundle measured rows beside the table"))


def _add_train(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=whole(0), default=0, help="of weights and order of images (default: 0)")
    steps = Recipe().steps
    parser.add_argument("--steps", type=whole(1), default=steps, help=f"of 16 images each (default: {steps})")
    parser.add_argument("--architecture", help="train only this one, alone, by the same recipe")
    parser.add_argument("--out", type=Path, required=True, help="a folder; a training that was stopped there goes on")
    parser.set_defaults(run=_train, keeps="out")


def _add_measure(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--architectures", type=Path, help="a text file with one architecture per line")
    which.add_argument("--sample", type=whole(1, measuring.MOST_SAMPLES), help="number drawn by a fixed seed")
    parser.add_argument("--supernet", type=Path, help=SUPERNET)
    parser.add_argument(
        "--images", choices=measuring.POOLS, default="A", help="for labels, or for the end (default: A)"
    )
    parser.add_argument("--count", type=whole(2, 100_000), default=800, help="number of images (default: 800)")
    text = "number of the batch that normalisations are calibrated on (default: 0)"
    parser.add_argument("--calibration", type=whole(0, 10_000), default=0, help=text)
    add_out(parser)
    parser.set_defaults(run=_measure)


def _add_table(parser: argparse.ArgumentParser) -> None:
    add_rows(parser)
    parser.add_argument("--supernet", type=Path, required=True, help="the folder of the network that was measured")
    parser.set_defaults(run=_table)


def _add_search(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--supernet", type=Path, help=SUPERNET)
    add_out(parser)
    parser.set_defaults(run=_search)


def _add_choose(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--searched", type=Path, required=True, help="the CSV file that `search` wrote")
    text = "a folder for chosen.csv, chosen.txt (one architecture per line, for `compare`) and predictors"
    parser.add_argument("--out", type=Path, required=True, help=text)
    parser.set_defaults(run=_choose, keeps="out")


def _add_compare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--architectures", type=Path, required=True, help="a text file with one architecture per line")
    parser.add_argument("--supernet", type=Path, help=SUPERNET)
    add_out(parser)
    parser.set_defaults(run=_compare)


def _add_rows(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rows", type=Path, nargs="+", required=True, help="CSV files of `measure` and `search`")
    parser.add_argument("--finals", type=Path, nargs="+", required=True, help="CSV files of `compare`")
    parser.add_argument("--chosen", type=Path, required=True, help="the chosen.csv that `choose` wrote")
    parser.add_argument("--trainings", type=Path, nargs="+", required=True, help="folders of all networks in the rows")
    add_folder(parser)
    parser.set_defaults(run=_rows)


def _train(given: argparse.Namespace) -> None:
    check_writable(given.out)
    architecture = None if given.architecture is None else backbone_space().parse(given.architecture)
    found = train(given.out, seed=given.seed, architecture=architecture, recipe=Recipe(steps=given.steps))
    print(f"network {found.id} is in {given.out}")


def _measure(given: argparse.Namespace) -> None:
    if given.sample is None:
        architectures = read_architectures(given.architectures, backbone_space())
    else:
        architectures = measuring.sample_architectures(given.sample)
    check_file(given.out)
    exam = measuring.Exam(given.images, given.count, given.calibration)
    rows = measuring.measure(architectures, given.out, folder=given.supernet, exam=exam, workers=given.workers)
    print(f"{len(rows)} rows are in {given.out}")


def _table(given: argparse.Namespace) -> None:
    join_manifest(given.folder, table.NAME, table.write_table(given.rows, given.supernet, given.folder))


def _search(given: argparse.Namespace) -> None:
    check_file(given.out)
    found = search.search(search.by_measuring(given.out, given.supernet, given.workers))
    print(f"{len(found)} evaluations are in {given.out}")


def _choose(given: argparse.Namespace) -> None:
    check_writable(given.out)
    if not (rows := measuring.ROWS.read(given.searched)):
        raise ValueError(f"{given.searched}: there are no rows; `autobuild task panoptic search` makes them")
    chosen = choose(rows, given.out / "predictors")
    replace_text(given.out / "chosen.csv", chosen.to_csv(index=False, lineterminator="\n"))
    texts = list(dict.fromkeys(chosen["architecture"]))
    replace_text(given.out / "chosen.txt", "\n".join(texts) + "\n")
    print(f"{len(chosen)} proposals, {len(texts)} different architectures, are in {given.out}")


def _compare(given: argparse.Namespace) -> None:
    architectures = read_architectures(given.architectures, backbone_space())
    check_file(given.out)
    rows = measure_paired(architectures, given.out, folder=given.supernet, workers=given.workers)
    print(f"{len(rows)} rows are in {given.out}")


def _rows(given: argparse.Namespace) -> None:
    written = write_committed(
        given.folder, rows=given.rows, finals=given.finals, chosen=given.chosen, trainings=given.trainings
    )
    join_beside(given.folder, table.NAME, written)
