"""The commands `autobuild task diffusion ...`: train and measure U-Nets, and make their table from the rows."""

import argparse
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from autobuild_book.arguments import (
    add_folder,
    add_out,
    add_rows,
    check_file,
    check_writable,
    print_report,
    whole,
)
from autobuild_book.chapters.diffusion import bundled_rows, choice, pictures
from autobuild_book.chapters.diffusion.task import images, measuring, metrics, table
from autobuild_book.chapters.diffusion.task.space import unet_space
from autobuild_book.chapters.shared.choices import write_choices
from autobuild_book.measured.tables import join_beside, join_manifest
from autobuild_lib import data


def add_diffusion(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `autobuild task diffusion`."""
    actions = parser.add_subparsers(required=True, metavar="action")
    _add_measure(actions.add_parser("measure", help="train architectures and append a row for each run"))
    _add_table(actions.add_parser("table", help="make the bundled table from measured rows"))
    _add_choose(actions.add_parser("choose", help="choose what is built from the bundled table, to be measured next"))
    _add_built(actions.add_parser("built", help="bundle the measured rows of what was chosen"))
    _add_pictures(actions.add_parser("pictures", help="train what the pictures show, and bundle inpainted images"))
    features = actions.add_parser("features", help="train the classifier behind the distance again (seconds)")
    features.add_argument("--out", type=Path, required=True, help="the .safetensors file to write")
    features.set_defaults(run=_features)


def _add_measure(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--architectures", type=Path, help="a text file with one architecture per line")
    which.add_argument("--sample", type=whole(1, 10_000), help="number of architectures drawn by a fixed seed")
    parser.add_argument("--seeds", type=whole(0), nargs="+", default=[0, 1], help="runs of each (default: 0 1)")
    parser.add_argument("--half", choices=images.HALVES, default="labels", help="images for the labels, or for the end")
    add_out(parser)
    parser.set_defaults(run=_measure)


def _add_table(parser: argparse.ArgumentParser) -> None:
    add_rows(parser)
    parser.set_defaults(run=_table)


def _add_choose(parser: argparse.ArgumentParser) -> None:
    text = "a folder for choices.csv, choices.txt (one architecture per line, for `measure`) and predictors"
    parser.add_argument("--out", type=Path, required=True, help=text)
    parser.set_defaults(run=_choose, keeps="out")


def _add_built(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--choices", type=Path, required=True, help="the choices.csv that `choose` wrote")
    add_rows(parser, "measure --half final")
    parser.set_defaults(run=_built)


def _add_pictures(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=whole(0), default=100, help="of the trainings (default: 100)")
    add_folder(parser)
    parser.set_defaults(run=_pictures)


def _measure(options: argparse.Namespace) -> None:
    if options.sample is None:
        architectures = measuring.read_architectures(options.architectures)
    else:
        architectures = measuring.sample_architectures(options.sample)
    check_file(options.out)
    rows = measuring.measure(architectures, options.seeds, options.out, half=options.half, workers=options.workers)
    print(f"{len(rows)} rows of {len(architectures)} architectures are in {options.out}")


def _table(options: argparse.Namespace) -> None:
    print(join_manifest(options.folder, table.NAME, table.write_table(options.rows, options.folder)))
    rows = measuring.read_rows(options.rows)
    print_report(pd.DataFrame({label: asdict(table.seed_agreement(rows, label)) for label in table.MEASURED}))


def _choose(options: argparse.Namespace) -> None:
    check_writable(options.out)
    options.out.mkdir(parents=True, exist_ok=True)
    chosen = choice.choose_from(data.load(table.NAME), choice.SEEDS, choice.STEPS, options.out / "predictors")
    different = write_choices(chosen, options.out, "choices")
    print(f"{len(chosen)} choices, {different} different architectures, are in {options.out}")


def _built(options: argparse.Namespace) -> None:
    written = bundled_rows.write_finals(options.choices, options.rows, options.folder)
    print(join_beside(options.folder, table.NAME, written))


def _pictures(options: argparse.Namespace) -> None:
    texts = dict.fromkeys(choice.first_choices(bundled_rows.final_choices()).values())
    drawn = pictures.draw_pictures([unet_space().parse(text) for text in texts], options.seed)
    print(join_beside(options.folder, table.NAME, pictures.write_pictures(drawn, options.seed, options.folder)))


def _features(options: argparse.Namespace) -> None:
    check_file(options.out)
    metrics.train_features(options.out)
    print(f"wrote {options.out}")
