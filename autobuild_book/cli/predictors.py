"""The commands that train, evaluate and check predictors."""

import argparse
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from autobuild_book.arguments import (
    add_source,
    check_file,
    check_writable,
    label_or_equation,
    print_report,
    split,
    whole,
)
from autobuild_book.hops import enough_hops
from autobuild_book.measured import distillation
from autobuild_lib import data, evaluation, surrogate, training
from autobuild_lib.data import files
from autobuild_lib.data.table import Labelled
from autobuild_lib.loading import load
from autobuild_lib.predictor import Predictor
from autobuild_lib.spaces import SequenceSpace
from autobuild_lib.storage import replace_text
from autobuild_lib.surrogate import bundled
from autobuild_lib.targets import Target
from autobuild_lib.values import Option

logger = logging.getLogger(__name__)
TARGET = "a label or an equation over labels, in single quotes for the shell, e.g. 'acc * 100 / latency_gpu'"
TARGET += "; labels that are not letters, digits and _ stand in backquotes: '`latency (ms)` * 2'"


def add_fit(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `autobuild fit`."""
    add_source(parser)
    parser.add_argument("--target", required=True, help=TARGET)
    parser.add_argument("--out", type=Path, required=True, help="folder for config.json and the weights that it names")
    parser.add_argument("--preset", default="paper", choices=list(training.PRESETS), help="default: paper")
    parser.add_argument("--seed", type=whole(0), default=0, help="of the initial weights and batches (default: 0)")
    _add_options(parser)
    parser.set_defaults(run=_fit)


def _add_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("options of the network and of training", "Each replaces what the preset says.")
    for name, option in training.OPTIONS.items():
        kinds = option.choices or ({int: "N", float: "X", bool: "true|false"}[option.kind],)
        flag = f"--{name.replace('_', '-')}"
        group.add_argument(flag, type=_reader(name, option), metavar="|".join(kinds), help=option.text)


def _reader(name: str, option: Option) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            return option.read(name, text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read


def add_evaluate(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `autobuild evaluate`."""
    add_source(parser)
    parser.add_argument("--predictor", type=Path, required=True, help="a folder that `autobuild fit` wrote")
    parser.set_defaults(run=_evaluate)


def _fit(arguments: argparse.Namespace) -> None:
    train, test = split(arguments, arguments.target)
    target = label_or_equation(arguments.target, train.labels)
    check_before_training(arguments.out, target, test)
    options = {name: value for name in training.OPTIONS if (value := getattr(arguments, name)) is not None}
    _say_if_too_few_hops(train.space, arguments.preset, options)
    task = train.space, train, target, arguments.seed, arguments.preset
    made = training.fit(*task, progress=True, **options)
    report = evaluation.evaluate(made, test)
    made.save(arguments.out)
    _print_evaluation(report, made, test)
    print(f"saved in {arguments.out}")


def _say_if_too_few_hops(space: SequenceSpace, preset: str, options: dict[str, Any]) -> None:
    hops = training.configure(preset, options)[0].hops
    if (enough := enough_hops(space)) > hops:
        logger.warning("units of %d layers: their norm scores will need --hops %d; effect scores need no more than %d",
                       enough + 1, enough, hops)  # fmt: skip


def check_before_training(out: Path, target: str, test: data.Table) -> None:
    """Refuse now what would be refused after the training only."""
    test.evaluate(Target(target))
    check_writable(out)


def count_trained_on(predictor: Predictor, table: Labelled) -> int:
    """Return how many rows are about networks that a predictor was trained on, of whatever file they were.

    A predictor that was saved without its training rows counts all rows of the same part of the same file.
    """
    used = predictor.provenance
    if training.TRAINED_ON in used:
        return len(set(str(used[training.TRAINED_ON]).split()) & set(table.digests()))
    fitted, others = used.get("data", {}), table.part.replace("test of", "train of")
    return len(table) if fitted.get("sha256") == table.sha256 and fitted.get("part") != others else 0


def _check_unseen(made: Predictor, test: data.Table) -> None:
    """Refuse to evaluate on networks that a predictor was trained on."""
    if count := count_trained_on(made, test):
        part = made.provenance.get("data", {}).get("part", "another part")
        used = f"the predictor was trained on {count:,} of the {len(test):,} test networks ({part})"
        raise ValueError(f"{used}; give the seed of its own split as --split-seed, or data that it has not seen")


def _evaluate(arguments: argparse.Namespace) -> None:
    made = load(arguments.predictor)
    _, test = split(arguments, made.target, space=made.space if arguments.data.endswith(".csv") else None)
    _check_unseen(made, test)
    _print_evaluation(evaluation.evaluate(made, test), made, test)


def _print_evaluation(report: pd.DataFrame, made: Predictor, test: data.Table) -> None:
    meaning = f"low, high: 95 % interval of srcc; mae: mean absolute error, in the unit of {made.target}"
    print(f"on {len(test):,} rows ({meaning})")
    print_report(report)


def add_surrogate(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `autobuild surrogate`."""
    actions = parser.add_subparsers(required=True, metavar="action")
    for name, run, text in (
        ("distill", _distill, "fit the surrogates to the published checkpoints (about an hour on 1 core)"),
        ("check", _check, "compare the surrogates with the published checkpoints on fresh architectures"),
    ):
        action = actions.add_parser(name, help=text)
        action.add_argument("--checkpoints", type=Path, required=True, help="folder with the eight .pt files")
        action.add_argument("--family", choices=list(surrogate.SPACES), help="default: both")
        action.add_argument("--folder", type=Path, default=files.FILES, help="of the surrogates (default: the package)")
        action.add_argument("--size", type=whole(2), help="number of architectures")
        action.add_argument("--out", type=Path, help="also write the comparison as this CSV file")
        action.set_defaults(run=run)


def _families(arguments: argparse.Namespace) -> list[str]:
    return [arguments.family] if arguments.family else list(surrogate.SPACES)


def _distill(arguments: argparse.Namespace) -> None:
    check_file(arguments.out)
    size = {} if arguments.size is None else {"size": arguments.size}
    for family in _families(arguments):
        distillation.distill(family, arguments.checkpoints, arguments.folder, **size)
    _check(arguments)


def _check(arguments: argparse.Namespace) -> None:
    check_file(arguments.out)
    size = {} if arguments.size is None else {"size": arguments.size}
    tables = [
        distillation.fidelity(bundled.load_from(family, arguments.folder), family, arguments.checkpoints, **size)
        for family in _families(arguments)
    ]
    table = pd.concat(tables)
    if arguments.out is not None:
        replace_text(arguments.out, table.to_csv(index=False, float_format="%.6g", lineterminator="\n"))
    print_report(table)
