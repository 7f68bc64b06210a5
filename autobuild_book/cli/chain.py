"""The command `autobuild chain`: all notebooks of a profile, and the pages of the book after them."""

import argparse
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from autobuild_book.arguments import check_writable, whole
from autobuild_book.chain import front, plans
from autobuild_book.chain.finished import other_runs
from autobuild_book.parallel import cores
from autobuild_book.runs.recording import PROFILES
from autobuild_lib.extras import missing

MODULES = {"snakemake": "book", "papermill": "book"}  # what must be installed, and what brings it


def add_chain(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `autobuild chain`."""
    parser.add_argument("--profile", default="standard", choices=PROFILES, help="default: standard")
    parser.add_argument("--out", type=Path, help="folder of the notebooks (default: artifacts/PROFILE)")
    parser.add_argument("--seed", type=whole(0), help="of all notebooks (default: the profile's)")
    parser.add_argument("--data", help="for all notebooks: a name, or the path of a .csv (default: the profile's)")
    parser.add_argument("--space", help="for all notebooks: a name, or the path of a .json (default: the profile's)")
    parser.add_argument("--cores", type=cores_or_all, help="on this machine (default: all)")
    text = "only this notebook, for example 05_panoptic; again for further ones (default: all)"
    parser.add_argument("--only", action="append", metavar="NAME", help=text)
    text = "list the notebooks that would run, each with the reason, and run nothing"
    parser.add_argument("--dry-run", action="store_true", help=text)
    text = "replace finished runs with another seed, data or space (runs of changed code are replaced anyway)"
    parser.add_argument("--force", action="store_true", help=text)
    parser.add_argument("--pages", action="store_true", help="then build the book, also when notebooks have failed")
    parser.set_defaults(run=_chain, keeps="out")


def cores_or_all(text: str) -> int:
    """Read a number of cores, or `all`."""
    return cores() if text == "all" else whole(1)(text)


def check_installed(modules: Mapping[str, str] = MODULES) -> None:
    """Refuse to go on without modules that are only called, and say which extra brings them."""
    for module, extra in modules.items():
        if find_spec(module) is None:
            raise ModuleNotFoundError(missing(module, extra), name=module)


def _chain(arguments: argparse.Namespace) -> None:
    check_installed()
    if arguments.pages and arguments.out is not None:
        raise ValueError("--pages: the book is built from artifacts/PROFILE; leave --out out")
    arguments.out = arguments.out or Path("artifacts") / arguments.profile
    settings = {"seed": arguments.seed, "data": arguments.data, "space": arguments.space, "out": str(arguments.out)}
    plan = plans.chain_plan(arguments.profile, {name: value for name, value in settings.items() if value is not None})
    plan = plans.only(plan, arguments.only) if arguments.only else plan
    check_writable(arguments.out)
    others = other_runs(plan)
    if others and not arguments.force:
        job, ways = next(iter(others.items()))
        more = f", and {len(others) - 1} more" if len(others) > 1 else ""
        raise ValueError(f"{arguments.out} holds other runs: {job.notebook} ({'; '.join(ways)}){more}; "
                         "give another --out, or --force to replace them")  # fmt: skip
    if arguments.dry_run:
        _list(plan, arguments.out)
        return
    used = arguments.cores or cores()
    with front.in_use(arguments.out):
        unfinished = front.run_plan(plan, arguments.out, arguments.profile, ["--cores", str(used)], used, list(others))
        code = _build_pages(arguments.profile) if arguments.pages else 0
        lines = front.failures(unfinished, arguments.out)
    print(*lines, sep="\n", end="\n" * bool(lines), file=sys.stderr)
    if unfinished or code:
        pages = "; the pages were not built, see above" if code else ""
        raise ValueError(f"{len(unfinished)} notebooks failed{pages}; the same command runs only what is missing")


def _list(plan: plans.Plan, out: Path) -> None:
    reasons = front.would_run(plan, out)
    print(f"{len(reasons)} of {len(plans.jobs(plan))} notebooks would run")
    for job, reason in reasons.items():
        print(f"  {job.notebook}  {reason}")


def _build_pages(profile: str) -> int:
    """Build the book in a process of its own, whose output ends before what this one says; return its exit code."""
    command = [sys.executable, "-c", "import sys; from autobuild_book.cli import main; sys.exit(main())", "book"]
    return subprocess.run([*command, "--profile", profile]).returncode  # noqa: S603
