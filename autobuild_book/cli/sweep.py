"""The command `autobuild sweep`: one notebook with many combinations of parameters, run by Snakemake."""

import argparse
import sys
from collections import Counter
from pathlib import Path

from autobuild_book.arguments import check_writable, whole
from autobuild_book.chain import front
from autobuild_book.chain.finished import STATES, Decision, decide, expected_seconds
from autobuild_book.chain.plans import Job
from autobuild_book.chain.progress import Progress, clock
from autobuild_book.cli.chain import MODULES, check_installed
from autobuild_book.parallel import cores
from autobuild_book.runs.recording import PROFILES
from autobuild_book.runs.sweeps import Sweep, plan_sweep

CLUSTERS = {"slurm": Path("notebooks") / "cluster" / "slurm"}
MOST_REASONS = 10  # lines about runs that failed, or are out of date
OUT_OF_DATE_STATUS = 3

EPILOG = f"""examples, in the root of a clone:
  what would run, how long it takes, what is there already, and what of that is out of date and why:
    autobuild sweep --notebook 00_method --profile quick --set seed=0..2 --set architectures=150,600 --plan
  run it; after an interruption the same command goes on:
    autobuild sweep --notebook 00_method --profile quick --set seed=0..2 --set architectures=150,600
  then the numbers side by side:
    autobuild compare artifacts/sweeps/00_method-quick --metric "srcc_*"

A finished run is out of date when its code (the notebook's cells, the library with its data files, and what it imports
of the companion), its parameters or its data have changed since. It is kept nevertheless, and said so; --force runs
those that are out of date again.

exit status:
  0    all runs are finished and up to date; or --plan has said what is
  1    refused, or some runs are not finished: the same command runs only what is missing
  {OUT_OF_DATE_STATUS}    all runs are finished, and some of them, which are kept, are out of date
  130  interrupted, also by SIGTERM: what runs is ended first, what was finished is kept"""


def add_sweep(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `autobuild sweep`."""
    parser.formatter_class, parser.epilog = argparse.RawDescriptionHelpFormatter, EPILOG
    parser.description = "Run a notebook with every combination of some parameters, each run in a folder of its own."
    parser.add_argument("--notebook", required=True, metavar="NAME", help="for example 01_predictor_srcc")
    text = "a parameter and its values: seed=0..9, data=ofa_mbv3,ofa_pn; again for further values and parameters"
    parser.add_argument("--set", action="append", required=True, metavar="NAME=VALUES", dest="settings", help=text)
    text = "where the other parameters come from (default: standard)"
    parser.add_argument("--profile", default="standard", choices=PROFILES, help=text)
    parser.add_argument("--out", type=Path, help="folder of the runs (default: artifacts/sweeps/NOTEBOOK-PROFILE)")
    parser.add_argument("--cores", type=whole(1), help="on this machine (default: all)")
    text = "where the runs go; slurm uses the settings in notebooks/cluster/slurm (default: local)"
    parser.add_argument("--executor", choices=["local", *CLUSTERS], default="local", help=text)
    parser.add_argument("--workflow-profile", type=Path, metavar="FOLDER", help="settings of Snakemake of your own")
    text = "say what would run and why, what is finished, and how long it takes; run nothing"
    parser.add_argument("--plan", "--dry-run", action="store_true", help=text)
    parser.add_argument("--force", action="store_true", help="run finished runs that are out of date again")
    parser.set_defaults(run=_sweep, keeps="out")


def _sweep(arguments: argparse.Namespace) -> int:
    sweep = plan_sweep(arguments.notebook, arguments.settings, arguments.profile, arguments.out)
    arguments.out = sweep.out
    print(f"{len(sweep.runs)} runs of {sweep.notebook} ({sweep.profile} profile) in {sweep.out}", flush=True)
    if arguments.plan:
        decision = decide(sweep, arguments.force)
        _say(decision, progress := _progress(sweep, decision, arguments))
        _list(decision, progress)
        return 0
    options = _options(arguments)
    check_writable(sweep.out)
    with front.in_use(sweep.out):
        front.put_back([Job(sweep.out / name, sweep.notebook) for name in sweep.runs])
        decision = decide(sweep, arguments.force)
        sweep.write()
        _say(decision, progress := _progress(sweep, decision, arguments))
        unfinished = front.run_jobs(decision.todo_plan, sweep.out, options, progress) if decision.todo else []
        reasons = front.failures(unfinished[:MOST_REASONS], sweep.out)
    if unfinished:
        print(*reasons, sep="\n", file=sys.stderr)
        count = f"{len(unfinished)} of {len(sweep.runs)} runs have no metrics, such as {unfinished[0].folder.name}"
        raise ValueError(f"{count}; the same command runs only what is missing")
    print(f"all {len(sweep.runs)} have metrics; put them side by side: autobuild compare {sweep.out}")
    return OUT_OF_DATE_STATUS if decision.kept else 0


def _progress(sweep: Sweep, decision: Decision, arguments: argparse.Namespace) -> Progress:
    """Return what follows the runs, and knows how long they may take."""
    names = {Job(sweep.out / name, sweep.notebook): label for name, label in sweep.labels().items()}
    times = expected_seconds(sweep, decision)
    return Progress(list(names), decision.todo, times, arguments.cores or cores(), sys.stdout, names)


def _say(decision: Decision, progress: Progress) -> None:
    """Write how many runs stand where, how long the rest may take, and why runs that are kept are out of date."""
    counts = ", ".join(f"{len(decision.jobs(state))} {state}" for state in STATES)
    left = progress.left()
    time = "no recorded time" if left is None else f"about {clock(left)}, by the recorded times of finished runs"
    print(f"{counts}; {len(decision.todo)} run now{f': {time}' if decision.todo else ''}", flush=True)
    reasons = Counter(decision.standings[job].why for job in decision.kept)
    for why, number in reasons.most_common(MOST_REASONS):
        print(f"  {number} out of date, and kept (--force runs them again): {why}")


def _list(decision: Decision, progress: Progress) -> None:
    for job, standing in decision.standings.items():
        why = f": {standing.why}" if standing.why else ""
        print(f"  {standing.state:11}  {progress.names[job]}  ({job.folder.name}){why}")


def _options(arguments: argparse.Namespace) -> list[str]:
    """Return the options of Snakemake that say where the runs go; what is in the plan runs, whatever it thinks."""
    plugins = {f"snakemake_executor_plugin_{name}": "cluster" for name in CLUSTERS if name == arguments.executor}
    check_installed(MODULES | plugins)
    profile = arguments.workflow_profile or CLUSTERS.get(arguments.executor)
    if profile is not None and not any(profile.glob("config*.yaml")):
        raise ValueError(f"--workflow-profile {profile}: there is no config.yaml")
    options = ["--executor", arguments.executor, "--workflow-profile", "none" if profile is None else str(profile)]
    if arguments.cores or arguments.executor == "local":
        options += ["--cores", str(arguments.cores or "all")]
    return [*options, "--forceall"]
