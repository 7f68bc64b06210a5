"""The command line `autobuild`: thin, with one-line errors and exit codes (0 done, 1 refused, 2 wrong usage)."""

import argparse
import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from autobuild_lib import __version__, book, data, evaluation, predictor, surrogate, training
from autobuild_lib.data import files, released
from autobuild_lib.data.download import DownloadError
from autobuild_lib.runs import PROFILES
from autobuild_lib.spaces import SequenceSpace, read_space
from autobuild_lib.storage import replace_text
from autobuild_lib.targets import Target

EPILOG = """examples:
  autobuild data list
  autobuild fit --data ofa_mbv3 --target "acc * 100 / latency_gpu" --preset tuned --out my_predictor
  autobuild evaluate --predictor my_predictor --data ofa_mbv3
  autobuild data fetch released"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    parsed = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # for paths that are not text
    run: Callable[[argparse.Namespace], None] = parsed.run
    try:
        run(parsed)
    except (ValueError, OSError, DownloadError, subprocess.CalledProcessError) as error:
        print(f"autobuild: {_one_line(str(error))}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("autobuild: interrupted; finished parts are kept", file=sys.stderr)
        return 130
    return 0


def _one_line(text: str) -> str:
    """Write a text in one line, without characters that steer a terminal."""
    spaced = " ".join(text.split())
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in spaced)


# -------------------------------------------------------------------- what can be asked


def _parser() -> argparse.ArgumentParser:
    kind = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        "autobuild",
        description="Build neural architectures from interpretable knowledge.",
        epilog=EPILOG,
        formatter_class=kind,
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
    wanted = ["released", "checkpoints", *released.RELEASED]
    fetch.add_argument("what", choices=wanted, help="all caches, or one of them")
    fetch.add_argument("--folder", type=Path, help="where to put them (default: $AUTOBUILD_DATA or ~/.cache/autobuild)")
    fetch.set_defaults(run=_data_fetch)
    build = actions.add_parser("build", help="make the bundled tables from the bundled surrogates")
    build.add_argument("--folder", type=Path, default=files.FILES, help="where to write (default: inside the package)")
    build.add_argument("--seed", type=_whole(0), default=0, help="of the sample and the noise (default: 0)")
    build.set_defaults(run=_data_build)


def _add_source(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", required=True, help="ofa_mbv3, ofa_pn, released:NAME, or the path of a .csv or .pkl")
    parser.add_argument("--space", help="for a CSV: ofa_mbv3, ofa_pn, or a JSON file (SequenceSpace.to_json)")
    text = "of the 90/10 split, the same to fit and to evaluate (default: 12345)"
    parser.add_argument("--split-seed", type=_whole(0), default=12345, help=text)


def _add_fit(parser: argparse.ArgumentParser) -> None:
    _add_source(parser)
    parser.add_argument("--target", required=True, help="a label or an equation, e.g. 'acc * 100 / latency_gpu'")
    parser.add_argument("--out", type=Path, required=True, help="folder for weights.safetensors and config.json")
    parser.add_argument("--preset", default="paper", choices=list(training.PRESETS), help="default: paper")
    parser.add_argument("--seed", type=_whole(0), default=0, help="of the initial weights and batches (default: 0)")
    parser.add_argument("--epochs", type=_whole(1), help="instead of the preset's")
    parser.set_defaults(run=_fit)


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    _add_source(parser)
    parser.add_argument("--predictor", type=Path, required=True, help="a folder that `autobuild fit` wrote")
    parser.set_defaults(run=_evaluate)


def _add_surrogate(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="action")
    for name, run, text in (
        ("distill", _distill, "fit the surrogates to the published checkpoints (about an hour on 1 core)"),
        ("check", _check, "compare the surrogates with the published checkpoints on fresh architectures"),
    ):
        action = actions.add_parser(name, help=text)
        action.add_argument("--checkpoints", type=Path, required=True, help="folder with the eight .pt files")
        action.add_argument("--family", choices=list(surrogate.SPACES), help="default: both")
        action.add_argument("--folder", type=Path, default=files.FILES, help="of the surrogates (default: the package)")
        action.add_argument("--size", type=_whole(2), help="number of architectures")
        action.add_argument("--out", type=Path, help="also write the comparison as this CSV file")
        action.set_defaults(run=run)


def _whole(least: int, most: int = 2**32 - 1) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdecimal() or not least <= int(text[:20]) <= most:
            raise argparse.ArgumentTypeError(f"{text[:40]!r}: allowed are whole numbers from {least} to {most}")
        return int(text)

    return read


def _add_book(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--profile", default="standard", choices=PROFILES, help="default: standard")
    parser.set_defaults(run=_book)


# -------------------------------------------------------------------- what is done


def _data_list(_: argparse.Namespace) -> None:
    for entry in data.manifest().values():
        print(f"{entry.name:<28} {entry.kind:<10} {entry.rows:>6,} rows  {', '.join(entry.columns)}")
    for name, cache in released.RELEASED.items():
        is_here = (released.data_folder() / cache.file_name).is_file()
        found = "here" if is_here else f"not here: autobuild data fetch {name}"
        print(f"{'released:' + name:<28} {'released':<10} {found}")


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
    path = given.folder / "manifest.json"
    others = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    replace_text(path, json.dumps(others | entries, indent=1) + "\n")
    print(f"wrote {', '.join(entries)} and manifest.json in {given.folder}")


def _split(given: argparse.Namespace, known: SequenceSpace | None = None) -> tuple[data.Table, data.Table]:
    space = read_space(given.space) if given.space else known
    return data.load(given.data, space=space).split(0.9, seed=given.split_seed)


def _fit(given: argparse.Namespace) -> None:
    train, test = _split(given)
    _check_before_training(given.out, given.target, test)
    options = {} if given.epochs is None else {"epochs": given.epochs}
    made = training.fit(train.space, train, given.target, given.seed, given.preset, progress=True, **options)
    report = evaluation.evaluate(made, test)
    made.save(given.out)
    _print(report)
    print(f"saved in {given.out}")


def _check_before_training(out: Path, target: str, test: data.Table) -> None:
    """Refuse now what would be refused after the training only."""
    Target(target).evaluate(test.labels)
    nearest = next(path for path in (out.absolute(), *out.absolute().parents) if path.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise OSError(f"cannot write into {out}: {nearest} is not a folder, or not yours to write into")


def _check_unseen(made: predictor.Predictor, test: data.Table) -> None:
    """Refuse to evaluate on rows that a predictor was trained on."""
    used, wanted = made.provenance.get("data", {}), test.part.replace("test of", "train of")
    if used.get("sha256") == test.sha256 and used.get("part") != wanted:
        raise ValueError(f"the predictor was trained on {used.get('part')} of this data; give its seed as --split-seed")


def _evaluate(given: argparse.Namespace) -> None:
    made = predictor.load(given.predictor)
    _, test = _split(given, known=made.space if given.data.endswith(".csv") else None)
    _check_unseen(made, test)
    _print(evaluation.evaluate(made, test))


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
    table = pd.concat(found)
    _print(table)
    if given.out is not None:
        replace_text(given.out, table.to_csv(index=False, float_format="%.6g", lineterminator="\n"))


def _book(given: argparse.Namespace) -> None:
    print(f"The book ({given.profile} profile) is at {book.build(given.profile, Path.cwd())}")
