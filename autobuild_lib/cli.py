"""The command line `autobuild`: thin, with one-line errors and exit codes (0 done, 1 refused, 2 wrong usage)."""

import argparse
import json
import logging
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from autobuild_lib import __version__, book, data, evaluation, predictor, surrogate, training
from autobuild_lib.data import files, released
from autobuild_lib.data.download import DownloadError
from autobuild_lib.predictor import replace_text
from autobuild_lib.runs import PROFILES
from autobuild_lib.spaces import read_space

EPILOG = """examples:
  autobuild data list
  autobuild fit --data ofa_mbv3 --target "acc * 100 / latency_gpu" --preset tuned --out my_predictor
  autobuild evaluate --predictor my_predictor --data ofa_mbv3
  autobuild data fetch released"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    parsed = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    run: Callable[[argparse.Namespace], None] = parsed.run
    try:
        run(parsed)
    except (ValueError, OSError, DownloadError, subprocess.CalledProcessError) as error:
        print(f"autobuild: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("autobuild: interrupted; finished parts are kept", file=sys.stderr)
        return 130
    return 0


# -------------------------------------------------------------------- what can be asked


def _parser() -> argparse.ArgumentParser:
    kind = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        "autobuild", description="Build neural architectures from interpretable knowledge.", epilog=EPILOG, formatter_class=kind
    )
    parser.add_argument("--version", action="version", version=f"autobuild {__version__}")
    commands = parser.add_subparsers(required=True, metavar="command")
    _add_data(commands.add_parser("data", help="list, check, fetch or rebuild tables of evaluated architectures"))
    _add_fit(commands.add_parser("fit", help="train a predictor and save it"))
    _add_evaluate(commands.add_parser("evaluate", help="rank correlation of a saved predictor, hop by hop"))
    _add_surrogate(commands.add_parser("surrogate", help="distil the bundled surrogates again, or check them"))
    _add_book(commands.add_parser("book", help="build the pages of the book from executed notebooks"))
    return parser


def _add_data(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="action")
    actions.add_parser("list", help="bundled tables and released caches").set_defaults(run=_data_list)
    actions.add_parser("verify", help="check the bundled files against their manifest").set_defaults(run=_data_verify)
    fetch = actions.add_parser("fetch", help="download released caches, or the published checkpoints")
    fetch.add_argument("what", choices=["released", "checkpoints", *released.RELEASED], help="all caches, or one of them")
    fetch.add_argument("--folder", type=Path, help="where to put them (default: $AUTOBUILD_DATA or ~/.cache/autobuild)")
    fetch.set_defaults(run=_data_fetch)
    build = actions.add_parser("build", help="make the bundled tables from the bundled surrogates")
    build.add_argument("--folder", type=Path, default=files.FILES, help="where to write (default: inside the package)")
    build.add_argument("--seed", type=int, default=0, help="of the sample and the noise (default: 0)")
    build.set_defaults(run=_data_build)


def _add_source(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", required=True, help="ofa_mbv3, ofa_pn, released:NAME, or the path of a .csv or .pkl")
    parser.add_argument("--space", help="for a CSV: ofa_mbv3, ofa_pn, or a JSON file (SequenceSpace.to_json)")
    parser.add_argument("--split-seed", type=int, default=12345, help="of the 90/10 split (default: 12345)")


def _add_fit(parser: argparse.ArgumentParser) -> None:
    _add_source(parser)
    parser.add_argument("--target", required=True, help="a label or an equation, e.g. 'acc * 100 / latency_gpu'")
    parser.add_argument("--out", type=Path, required=True, help="folder for weights.safetensors and config.json")
    parser.add_argument("--preset", default="paper", choices=list(training.PRESETS), help="default: paper")
    parser.add_argument("--seed", type=int, default=0, help="of the initial weights and batches (default: 0)")
    parser.add_argument("--epochs", type=int, help="instead of the preset's")
    parser.set_defaults(run=_fit)


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    _add_source(parser)
    parser.add_argument("--predictor", type=Path, required=True, help="a folder that `autobuild fit` wrote")
    parser.set_defaults(run=_evaluate)


def _add_surrogate(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="action")
    for name, run, text in (
        ("distill", _distill, "fit the surrogates to the published checkpoints (about half an hour on 2 cores)"),
        ("check", _check, "compare the surrogates with the published checkpoints on fresh architectures"),
    ):
        action = actions.add_parser(name, help=text)
        action.add_argument("--checkpoints", type=Path, required=True, help="folder with the eight .pt files")
        action.add_argument("--family", choices=list(surrogate.SPACES), help="default: both")
        action.add_argument("--folder", type=Path, default=files.FILES, help="of the surrogates (default: the package)")
        action.add_argument("--size", type=int, help="number of architectures")
        action.set_defaults(run=run)


def _add_book(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--profile", default="standard", choices=PROFILES, help="default: standard")
    parser.set_defaults(run=_book)


# -------------------------------------------------------------------- what is done


def _data_list(_: argparse.Namespace) -> None:
    for entry in data.manifest().values():
        print(f"{entry.name:<28} {entry.kind:<10} {entry.rows:>6,} rows  {', '.join(entry.columns)}")
    for name, cache in released.RELEASED.items():
        here = "here" if (released.data_folder() / cache.file_name).is_file() else "not here: autobuild data fetch released"
        print(f"{'released:' + name:<28} {'released':<10} {here}")


def _data_verify(_: argparse.Namespace) -> None:
    for entry in data.manifest().values():
        files.check_bundled(entry)
        print(f"{entry.name}: {entry.file} is as its manifest says")
    for family in surrogate.SPACES:
        surrogate.load_bundled(family)
        print(f"surrogate of {family} is as its card says")


def _data_fetch(given: argparse.Namespace) -> None:
    folder = given.folder or released.data_folder()
    if given.what == "checkpoints":
        for path in surrogate.fetch_checkpoints(folder):
            print(path)
        return
    for name in released.RELEASED if given.what == "released" else (given.what,):
        print(released.fetch_released(name, folder))


def _data_build(given: argparse.Namespace) -> None:
    given.folder.mkdir(parents=True, exist_ok=True)
    entries = {family: surrogate.build_table(family, given.folder, seed=given.seed) for family in surrogate.SPACES}
    replace_text(given.folder / "manifest.json", json.dumps(entries, indent=1) + "\n")
    print(f"wrote {', '.join(entries)} and manifest.json in {given.folder}")


def _split(given: argparse.Namespace) -> tuple[data.Table, data.Table]:
    return data.load(given.data, space=read_space(given.space) if given.space else None).split(0.9, seed=given.split_seed)


def _fit(given: argparse.Namespace) -> None:
    train, test = _split(given)
    options = {} if given.epochs is None else {"epochs": given.epochs}
    made = training.fit(train.space, train, given.target, given.seed, given.preset, progress=True, **options)
    made.save(given.out)
    _print(evaluation.evaluate(made, test))
    print(f"saved in {given.out}")


def _evaluate(given: argparse.Namespace) -> None:
    _print(evaluation.evaluate(predictor.load(given.predictor), _split(given)[1]))


def _print(report: pd.DataFrame) -> None:
    print(report.to_string(float_format="{:.4f}".format, na_rep=""))


def _families(given: argparse.Namespace) -> list[str]:
    return [given.family] if given.family else list(surrogate.SPACES)


def _distill(given: argparse.Namespace) -> None:
    size = {} if given.size is None else {"size": given.size}
    for family in _families(given):
        surrogate.distill(family, given.checkpoints, given.folder, **size)
    _check(given)


def _check(given: argparse.Namespace) -> None:
    size = {} if given.size is None else {"size": given.size}
    found = [
        surrogate.fidelity(surrogate.load_from(family, given.folder), family, given.checkpoints, **size)
        for family in _families(given)
    ]
    _print(pd.concat(found))


def _book(given: argparse.Namespace) -> None:
    print(f"The book ({given.profile} profile) is at {book.build(given.profile, Path.cwd())}")
