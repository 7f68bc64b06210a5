"""The commands `autobuild archive` and `autobuild verify`: runs as one file, checked and run again."""

import argparse
import importlib
from pathlib import Path

from autobuild_book.archives import verifying
from autobuild_book.arguments import check_file, check_writable


def add_archive(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `autobuild archive`."""
    parser.add_argument("folder", type=Path, help="a folder of executed notebooks, such as artifacts/standard")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="default: the folder's name with .crate.zip, beside it"
    )
    parser.set_defaults(run=_archive)


def add_verify(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `autobuild verify`."""
    parser.add_argument("archive", type=Path, help="a file that `autobuild archive` wrote")
    text = "run this notebook of it again (its code is the archive's: know who wrote it); compare tables and metrics"
    parser.add_argument("--rerun", metavar="NOTEBOOK", help=text)
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="for --rerun: a new or empty folder")
    parser.set_defaults(run=_verify)


def _archive(arguments: argparse.Namespace) -> None:
    folder: Path = arguments.folder
    if not folder.is_dir():
        raise ValueError(f"{folder}: no folder")
    writing = importlib.import_module("autobuild_book.archives.writing")  # needs what only extras bring
    out = arguments.out or folder.resolve().with_name(f"{folder.resolve().name}{writing.END}")
    check_file(out)
    print("\n".join(writing.write(folder, out)))


def _verify(arguments: argparse.Namespace) -> None:
    if bool(arguments.rerun) != (arguments.out is not None):
        raise ValueError("--rerun NOTEBOOK and --out FOLDER belong together")
    if arguments.archive.is_dir():
        raise ValueError(f"{arguments.archive}: a folder; give the file that `autobuild archive` wrote")
    if arguments.rerun:
        check_writable(arguments.out)
    if problems := verifying.problems(arguments.archive):
        print("\n".join(problems))
        raise ValueError(f"{arguments.archive}: not as described ({len(problems)} lines above)")
    print(verifying.check(arguments.archive))
    if arguments.rerun:
        rerunning = importlib.import_module("autobuild_book.archives.rerunning")  # needs what only an extra brings
        lines, same = rerunning.rerun(arguments.archive, arguments.rerun, arguments.out)
        print("\n".join(lines))
        if not same:
            raise ValueError(f"{arguments.rerun}: other results than in {arguments.archive}, see the lines above")
