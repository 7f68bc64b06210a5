"""The command line `autobuild`: thin, with one-line errors and exit codes (0 done, 1 refused, 2 wrong usage).

What a command computes lives where its results are used; arguments that several share in `arguments.py`.
"""

import argparse
import importlib
import logging
import subprocess
import sys
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import BrokenExecutor

from autobuild_book.cli.streams import lasting_output
from autobuild_book.lines import printable
from autobuild_lib import __version__

MOST_CHARACTERS = 2000  # of a message

EPILOG = """examples:
  autobuild data list
  autobuild fit --data ofa_mbv3 --target "acc * 100 / latency_gpu" --preset tuned --out my_predictor
  autobuild evaluate --predictor my_predictor --data ofa_mbv3
  autobuild score --predictor my_predictor --score effect --out modules.csv
  autobuild build --predictor my_predictor --k 25 --out reduced.json
  autobuild search --reduced reduced.json --log search.jsonl --out found.csv
  autobuild sweep --notebook 01_predictor_srcc --set "target=acc" --set seed=0..9 --profile quick
  autobuild compare artifacts/sweeps/01_predictor_srcc-quick --out comparison"""

# For each command: its module, imported when the command is used; the function that adds its arguments; its help.
COMMANDS = {
    "data": (
        "autobuild_book.cli.tables",
        "add_data",
        "list, check, fetch or rebuild tables of evaluated architectures",
    ),
    "fit": ("autobuild_book.cli.predictors", "add_fit", "train a predictor and save it"),
    "evaluate": ("autobuild_book.cli.predictors", "add_evaluate", "rank correlation of a saved predictor, hop by hop"),
    "score": ("autobuild_book.cli.modules", "add_score", "score every module of a space with saved predictors"),
    "build": (
        "autobuild_book.cli.modules",
        "add_build",
        "build networks from the best modules, and save the reduced space",
    ),
    "search": (
        "autobuild_book.cli.modules",
        "add_search",
        "search a space, or a reduced one, for the front of two targets",
    ),
    "graph": ("autobuild_book.cli.graphs", "add_graph", "show the graph of a network in an ONNX file"),
    "surrogate": (
        "autobuild_book.cli.predictors",
        "add_surrogate",
        "distil the bundled surrogates again, or check them",
    ),
    "task": ("autobuild_book.cli.tasks", "add_tasks", "measure architectures of a small real task"),
    "peers": (
        "autobuild_book.chapters.peers.commands",
        "add_peers",
        "measure other models beside AutoBuild, on the same rows",
    ),
    "trained": (
        "autobuild_book.chapters.trained.commands",
        "add_trained",
        "measure what the chapter on trained networks commits, again",
    ),
    "neighbours": (
        "autobuild_book.chapters.neighbours.commands",
        "add_neighbours",
        "measure what the chapter on AutoBuild's neighbours commits, again",
    ),
    "board": (
        "autobuild_book.chapters.board.commands",
        "add_board",
        "measure models on tables of trained networks, and export the rows",
    ),
    "labs": ("autobuild_book.cli.labs", "add_labs", "write the labs, and grade what students hand in"),
    "chain": ("autobuild_book.cli.chain", "add_chain", "run all notebooks of a profile, and build the book"),
    "sweep": ("autobuild_book.cli.sweep", "add_sweep", "run a notebook with many combinations of parameters"),
    "runs": ("autobuild_book.cli.runs", "add_runs", "list the tables of runs, or say which run wrote a table"),
    "compare": ("autobuild_book.cli.compare", "add_compare", "metrics of many runs as a table and a picture"),
    "archive": ("autobuild_book.cli.archives", "add_archive", "runs as one file, a research object (RO-Crate)"),
    "verify": ("autobuild_book.cli.archives", "add_verify", "check such a file, and run a notebook from it again"),
    "book": ("autobuild_book.cli.pages", "add_book", "build the pages of the book from executed notebooks"),
}
# Errors that are one line for the reader.
REFUSALS = (ValueError, OSError, ModuleNotFoundError, subprocess.CalledProcessError, MemoryError, RuntimeError)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    with lasting_output() as unwritten:
        code = _run(sys.argv[1:] if arguments is None else arguments)
        if (failure := unwritten()) is None:
            return code
        print(f"autobuild: standard output: {failure.strerror}; files are written all the same", file=sys.stderr)
        return code or 1


def _run(words: Sequence[str]) -> int:
    parsed = argparse.Namespace()
    try:
        command = [word for word in words if not word.startswith("-")][:1]
        _parser(command).parse_args(words, parsed)
        logging.basicConfig(level=logging.INFO, format="%(message)s")
        run: Callable[[argparse.Namespace], int | None] = parsed.run
        return run(parsed) or 0
    except REFUSALS as error:
        print(f"autobuild: {_one_line(_said(error))}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"autobuild: interrupted{_one_line(_kept(parsed))}", file=sys.stderr)
        return 130


def _said(error: Exception) -> str:
    """Return an error's text; for those that are not meant for readers, with what kind of error it is."""
    if isinstance(error, MemoryError):
        return f"there is not enough memory ({error})" if str(error) else "there is not enough memory"
    if isinstance(error, RuntimeError) and not isinstance(error, BrokenExecutor):
        return f"{type(error).__name__}: {str(error)[:400]}"
    return str(error)


def _kept(arguments: argparse.Namespace) -> str:
    """Say where a command keeps what it has finished, if it does: in the argument that its parser calls `keeps`."""
    place = getattr(arguments, getattr(arguments, "keeps", ""), None)
    return f"; what was finished is kept in {place}" if place is not None and place.exists() else ""


def _one_line(text: str) -> str:
    """Write a text in one line that can be read, without characters that steer a terminal."""
    line = " ".join(text[: 10 * MOST_CHARACTERS].split())
    short = line if len(line) <= MOST_CHARACTERS else f"{line[:MOST_CHARACTERS]}..."
    return printable(short)


def _parser(words: Collection[str]) -> argparse.ArgumentParser:
    """Return the parser of a command line; commands that are not among its words have no arguments."""
    kind = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        "autobuild",
        description="Build neural architectures from interpretable knowledge.",
        epilog=EPILOG,
        formatter_class=kind,
    )
    parser.add_argument("--version", action="version", version=f"autobuild {__version__}")
    commands = parser.add_subparsers(required=True, metavar="command")
    for name, (module, function, text) in COMMANDS.items():
        command = commands.add_parser(name, help=text)
        if name in words:
            getattr(importlib.import_module(module), function)(command)
    return parser
