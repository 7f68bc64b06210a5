"""The command `autobuild peers ...`: measure how well all models predict, on the same rows."""

import argparse
from pathlib import Path

from autobuild_book.arguments import check_file, whole
from autobuild_book.chapters.peers import measuring
from autobuild_book.chapters.peers.contests import CONTESTS, contests_that_exist
from autobuild_book.chapters.peers.models.registry import MODELS
from autobuild_lib.storage import replace_text


def add_peers(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `autobuild peers`."""
    actions = parser.add_subparsers(required=True, metavar="action")
    measure = actions.add_parser("measure", help="learning curves of all models on the bundled tables")
    names = [contest.name for contest in CONTESTS]
    text = f"default: all of these whose tables there are: {'; '.join(names)}"
    measure.add_argument("--contests", nargs="+", choices=names, metavar="CONTEST", help=text)
    measure.add_argument("--models", nargs="+", choices=MODELS, metavar="MODEL", help=f"default: {'; '.join(MODELS)}")
    seeds = len(measuring.SEEDS)
    measure.add_argument("--seeds", type=whole(1, 100), default=seeds, help=f"training subsets (default: {seeds})")
    measure.add_argument("--workers", type=whole(1), default=1, help="processes of one thread each (default: 1)")
    measure.add_argument("--plan", action="store_true", help="only say what would run, and what it would cost")
    text = "a CSV file; finished runs are kept beside it, in a folder of that name with .parts, and not repeated: "
    text += "delete it when the code of a model has changed"
    measure.add_argument("--out", type=Path, required=True, help=text)
    measure.set_defaults(run=_measure)


def _measure(arguments: argparse.Namespace) -> None:
    existing = contests_that_exist()
    contests = [contest for contest in existing if not arguments.contests or contest.name in arguments.contests]
    names = [contest.name for contest in existing]
    if missing := sorted(set(arguments.contests or ()) - set(names)):
        raise ValueError(f"no tables for {'; '.join(missing)}; there are those for {'; '.join(names)}")
    jobs = measuring.plan(contests, seeds=range(arguments.seeds), models=arguments.models or tuple(MODELS))
    print(measuring.describe(jobs), flush=True)
    if arguments.plan:
        return
    check_file(arguments.out)
    rows = measuring.run_all(jobs, arguments.out.with_name(f"{arguments.out.name}.parts"), arguments.workers)
    replace_text(arguments.out, rows.to_csv(index=False, lineterminator="\n", float_format="%.6g"))
    print(f"{len(rows):,} rows are in {arguments.out}")
