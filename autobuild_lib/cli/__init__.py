"""The command line `autobuild`: thin, with one-line errors and exit codes (0 done, 1 refused, 2 wrong usage)."""

import argparse
import io
import logging
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from autobuild_lib import __version__, book
from autobuild_lib.cli.compare import add_compare
from autobuild_lib.cli.modules import add_build, add_score, add_search
from autobuild_lib.cli.peers import add_peers
from autobuild_lib.cli.predictors import add_evaluate, add_fit, add_surrogate
from autobuild_lib.cli.sweep import add_sweep
from autobuild_lib.cli.tables import add_data
from autobuild_lib.cli.tasks import add_tasks
from autobuild_lib.data.download import DownloadError
from autobuild_lib.runs import PROFILES

EPILOG = """examples:
  autobuild data list
  autobuild fit --data ofa_mbv3 --target "acc * 100 / latency_gpu" --preset tuned --out my_predictor
  autobuild evaluate --predictor my_predictor --data ofa_mbv3
  autobuild score --predictor my_predictor --score effect --out modules.csv
  autobuild build --predictor my_predictor --k 25 --out reduced.json
  autobuild search --reduced reduced.json --log search.jsonl --out found.csv
  autobuild sweep --notebook 01_predictor_srcc --set "target=acc" --set seed=0..9 --profile quick
  autobuild compare artifacts/sweeps/01_predictor_srcc-quick --out comparison"""


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
    add_data(commands.add_parser("data", help="list, check, fetch or rebuild tables of evaluated architectures"))
    add_fit(commands.add_parser("fit", help="train a predictor and save it"))
    add_evaluate(commands.add_parser("evaluate", help="rank correlation of a saved predictor, hop by hop"))
    add_score(commands.add_parser("score", help="score every module of a space with saved predictors"))
    add_build(commands.add_parser("build", help="build networks from the best modules, and save the reduced space"))
    add_search(commands.add_parser("search", help="search a space, or a reduced one, for the front of two targets"))
    add_surrogate(commands.add_parser("surrogate", help="distil the bundled surrogates again, or check them"))
    add_tasks(commands.add_parser("task", help="measure architectures of a small real task"))
    add_peers(commands.add_parser("peers", help="measure other models beside AutoBuild, on the same rows"))
    add_sweep(commands.add_parser("sweep", help="run a notebook with many combinations of parameters"))
    add_compare(commands.add_parser("compare", help="metrics of many runs as a table and a picture"))
    _add_book(commands.add_parser("book", help="build the pages of the book from executed notebooks"))
    return parser


def _add_book(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--profile", default="standard", choices=PROFILES, help="default: standard")
    parser.set_defaults(run=_book)


def _book(given: argparse.Namespace) -> None:
    print(f"The book ({given.profile} profile) is at {book.build(given.profile, Path.cwd())}")
