"""The commands that score modules, build networks from the best ones, and search."""

import argparse
import importlib
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from autobuild_book.arguments import check_file, print_report, whole
from autobuild_book.layer_mutation import LayerMutation
from autobuild_book.unions import union
from autobuild_lib import surrogate
from autobuild_lib.loading import load
from autobuild_lib.networks import Supernet, has_networks
from autobuild_lib.search import Evaluator, Mutation, StageMutation, costs, evolve, front
from autobuild_lib.spaces import SequenceSpace, read_space
from autobuild_lib.spaces.features import values_of
from autobuild_lib.storage import replace_text
from autobuild_lib.units import corpus as units
from autobuild_lib.units.reduced import ReducedSpace


def _add_scoring(parser: argparse.ArgumentParser) -> None:
    text = "a folder that `autobuild fit` wrote; several (other seeds of one target) are averaged"
    parser.add_argument("--predictor", type=Path, required=True, nargs="+", help=text)
    text = "norm: the paper's, from embeddings; effect: ours, from predictions in random hosts (default: norm)"
    parser.add_argument("--score", default="norm", choices=list(units.SCORES), help=text)
    parser.add_argument("--hosts", type=whole(1, 10_000), default=16, help="of the effect score (default: 16)")
    parser.add_argument("--seed", type=whole(0), default=0, help="of the hosts (default: 0)")


def add_score(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `autobuild score`."""
    _add_scoring(parser)
    parser.add_argument("--show", type=whole(0), default=3, help="best and worst modules per unit (default: 3)")
    parser.add_argument("--out", type=Path, help="write all modules with their scores as this CSV file")
    parser.set_defaults(run=_score)


def add_build(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `autobuild build`."""
    _add_scoring(parser)
    text = "modules kept per unit: one number, or one per unit (default: 3)"
    parser.add_argument("--k", type=whole(1), nargs="+", default=[3], help=text)
    parser.add_argument("--show", type=whole(0), default=5, help="networks of highest summed score (default: 5)")
    parser.add_argument("--out", type=Path, help="write the reduced space as this JSON file, for `autobuild search`")
    parser.set_defaults(run=_build)


def add_search(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `autobuild search`."""
    where = parser.add_mutually_exclusive_group(required=True)
    text = "JSON files of `autobuild build`; of several, the product of the unions of their modules"
    where.add_argument("--reduced", type=Path, nargs="+", help=text)
    where.add_argument("--space", help="a whole space: ofa_mbv3, ofa_pn, or a JSON file (SequenceSpace.to_json)")
    text = "surrogate (the OFA families), or module:function, which takes a list of architectures and returns a table"
    parser.add_argument("--evaluator", default="surrogate", help=f"{text} (default: surrogate)")
    parser.add_argument("--maximise", default="acc", help="label or equation (default: acc)")
    text = "label or equation (default: latency_gpu; with --supernet on a processor, latency_cpu)"
    parser.add_argument("--minimise", help=text)
    parser.add_argument("--start", type=whole(1), default=50, help="random architectures at first (default: 50)")
    parser.add_argument("--rounds", type=whole(0), default=4, help="of mutations of the front (default: 4)")
    parser.add_argument("--mutations", type=whole(1), default=50, help="per round (default: 50)")
    parser.add_argument("--seed", type=whole(0), default=0, help="default: 0")
    parser.add_argument("--log", type=Path, help="JSONL file of finished evaluations; the same command resumes from it")
    text = "0: one architecture after the other; N: in N processes; each is in the log as soon as it is finished"
    text += " (default: 0, but the surrogate takes a whole round at once)"
    parser.add_argument("--workers", type=whole(0, 4096), help=text)
    parser.add_argument("--retry-failed", action="store_true", help="evaluate again what is in the log as failed")
    parser.add_argument("--out", type=Path, help="write all evaluations as this CSV file")
    _add_supernet(parser)
    parser.set_defaults(run=_search, keeps="log")


def _add_supernet(parser: argparse.ArgumentParser) -> None:
    about = "acc and latency of a published supernet's parts on images, instead of --evaluator (extra imagenet)"
    group = parser.add_argument_group("supernet", about)
    text = "a file of the once-for-all project, such as ofa_mbv3_d234_e346_k357_w1.2"
    group.add_argument("--supernet", type=Path, help=text)
    group.add_argument("--images", type=Path, help="a folder with train and val, in each a folder of images per class")
    text = "training images that the moments of batch normalisation are measured on (default: 2000)"
    group.add_argument("--calibrate", type=whole(1), default=2000, help=text)
    group.add_argument("--validate", type=whole(0), default=0, help="validation images (default: 0, which takes all)")
    group.add_argument("--device", help="cpu, cuda or cuda:1 (default: the first GPU, where there is one)")


def _corpus(arguments: argparse.Namespace) -> units.UnitCorpus:
    predictors = [load(folder) for folder in arguments.predictor]
    return units.score_units(predictors, arguments.score, hosts=arguments.hosts, seed=arguments.seed)


def _score(arguments: argparse.Namespace) -> None:
    check_file(arguments.out)
    corpus = _corpus(arguments)
    table = corpus.table.sort_values(["unit", "score"], ascending=[True, False], kind="stable")
    if arguments.out is not None:
        replace_text(arguments.out, table.to_csv(index=False, lineterminator="\n"))
    print(f"{corpus.kind} scores of {len(table):,} modules for {corpus.target}")
    ends = [part.iloc[rows] for _, part in table.groupby("unit") for rows in _ends(len(part), arguments.show)]
    if arguments.show:
        _print_scores(pd.concat(ends))
    if arguments.out is not None:
        print(f"all modules are in {arguments.out}")


def _ends(rows: int, show: int) -> tuple[slice, slice]:
    """Return the first and the last `show` rows, none of them twice."""
    return slice(0, show), slice(max(show, rows - show), rows)


def _print_scores(table: pd.DataFrame) -> None:
    print(table.dropna(axis=1, how="all").to_string(index=False, float_format="{:.6g}".format))


def _build(arguments: argparse.Namespace) -> None:
    check_file(arguments.out)
    corpus = _corpus(arguments)
    reduced = corpus.top(arguments.k[0] if len(arguments.k) == 1 else arguments.k)
    if arguments.out is not None:
        reduced.save(arguments.out)
    print(f"{reduced.size:,} networks from the best modules by {corpus.kind} score for {corpus.target}")
    best = reduced.best(arguments.show)
    predictions = np.mean([load(folder).predict(best) for folder in arguments.predictor], axis=0)
    if best:
        columns = {"summed score": reduced.scores(best), "predicted": predictions, "architecture": list(map(str, best))}
        _print_scores(pd.DataFrame(columns))
    if arguments.out is not None:
        print(f"the reduced space is in {arguments.out}")


def _search(arguments: argparse.Namespace) -> None:
    _check_files(arguments)
    mutation = _mutation(arguments)
    names = ("start", "rounds", "mutations", "seed", "log", "workers", "retry_failed")
    options = {name: getattr(arguments, name) for name in names}
    evaluator, labels = _evaluator(arguments, mutation.space)
    minimise = arguments.minimise or (labels[1] if labels else "latency_gpu")
    goals = {"maximise": arguments.maximise, "minimise": minimise}
    if labels:
        costs(pd.DataFrame(columns=list(labels)), **goals)  # that they are there
    if arguments.workers is None and (arguments.supernet or arguments.evaluator != "surrogate"):
        options["workers"] = 0  # what it has evaluated may have taken hours, and is in the log at once
    if arguments.log is not None:
        arguments.log.parent.mkdir(parents=True, exist_ok=True)
    evaluated = evolve(mutation, evaluator, progress=True, **goals, **options)
    if arguments.out is not None:
        written = evaluated.assign(architecture=evaluated.architecture.map(str))
        replace_text(arguments.out, written.to_csv(index=False, lineterminator="\n"))
    best = evaluated[front(costs(evaluated, **goals))]
    print(f"{len(best)} of {len(evaluated)} evaluated architectures form the front")
    print_report(best.drop(columns="architecture").assign(architecture=best.architecture.map(str)))
    if arguments.out is not None:
        print(f"all evaluations are in {arguments.out}")


def _check_files(arguments: argparse.Namespace) -> None:
    """Refuse files that cannot be written, or that this command reads."""
    check_file(arguments.out)
    check_file(arguments.log)
    read = (arguments.log, arguments.space, arguments.supernet, *(arguments.reduced or ()))
    if arguments.out is not None and arguments.out.resolve() in [Path(path).resolve() for path in read if path]:
        raise ValueError(f"--out {arguments.out}: another argument names it too, and it would be overwritten")


def _mutation(arguments: argparse.Namespace) -> Mutation:
    """Return how to search: by stages; by layers in a whole space that leaves a global feature or links to choose."""
    if arguments.reduced is None:
        space = read_space(arguments.space)
        choose = any(len(values_of(choices)) > 1 for _, choices in space.global_choices)
        return LayerMutation.full(space) if choose else StageMutation(ReducedSpace.full(space))
    return StageMutation(union([ReducedSpace.load(path) for path in arguments.reduced]))


def _evaluator(arguments: argparse.Namespace, space: SequenceSpace) -> tuple[Evaluator, Sequence[str]]:
    """Return what evaluates, and its labels where they are known."""
    if arguments.supernet is not None or arguments.images is not None:
        return _supernet(arguments, space)
    if arguments.evaluator == "surrogate":
        return surrogate.load_bundled(space.name).predict, surrogate.LABELS
    return _named(arguments.evaluator), ()


def _supernet(arguments: argparse.Namespace, space: SequenceSpace) -> tuple[Evaluator, Sequence[str]]:
    """Return the evaluator of a supernet's parts."""
    if arguments.supernet is None or arguments.images is None or arguments.evaluator != "surrogate":
        raise ValueError("--supernet and --images belong together, and stand instead of --evaluator")
    supernet = Supernet.load(arguments.supernet)
    if not has_networks(space) or space.name != supernet.space.name:
        raise ValueError(f"{arguments.supernet}: a supernet of {supernet.space.name}; the space is {space.name!r}")
    imagenet = importlib.import_module("autobuild_book.imagenet.evaluator")  # needs an extra
    evaluator = imagenet.ImageNetEvaluator(
        supernet, arguments.images, calibration=arguments.calibrate, validation=arguments.validate,
        device=arguments.device, seed=arguments.seed, progress=not arguments.workers,
    )  # fmt: skip
    return evaluator, evaluator.labels


def _named(name: str) -> Evaluator:
    """Return a function that the user names."""
    module, _, function = name.partition(":")
    if not module or not function:
        raise ValueError(f"--evaluator {name}: give surrogate or module:function")
    sys.path.insert(0, "")  # the current folder, as `python -m` does
    try:
        evaluator: Evaluator = getattr(importlib.import_module(module), function)
    except (Exception, SystemExit) as error:  # anything: the module's own code runs
        raise ValueError(f"--evaluator {name}: {type(error).__name__}: {error}{_place(error)}") from None
    return evaluator


def _place(error: BaseException) -> str:
    """Say in which line of a module an error arose while it was imported, unless it arose in Python's own search."""
    ours = (__file__, importlib.__file__)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename not in ours]
    lines = [f" ({frame.filename}, line {frame.lineno})" for frame in frames if not frame.filename.startswith("<")]
    return "".join(lines[:1])
