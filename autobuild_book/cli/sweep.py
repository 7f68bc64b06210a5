"""The command `autobuild sweep`: one notebook with many combinations of parameters, run by Snakemake."""

import argparse
import json
import sys
from pathlib import Path

from autobuild_book.arguments import check_writable, whole
from autobuild_book.chain import front, plans
from autobuild_book.cli.chain import MODULES, check_installed
from autobuild_book.parallel import cores
from autobuild_book.runs.recording import PROFILES
from autobuild_book.runs.sweeps import Sweep, plan_sweep

CLUSTERS = {"slurm": Path("notebooks") / "cluster" / "slurm"}
MOST_REASONS = 10  # lines about runs that failed


def add_sweep(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `autobuild sweep`."""
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
    parser.add_argument("--dry-run", action="store_true", help="list the runs, and run nothing")
    parser.set_defaults(run=_sweep, keeps="out")


def _sweep(arguments: argparse.Namespace) -> None:
    sweep = plan_sweep(arguments.notebook, arguments.settings, arguments.profile, arguments.out)
    arguments.out = sweep.out
    print(f"{len(sweep.runs)} runs of {sweep.notebook} ({sweep.profile} profile) in {sweep.out}", flush=True)
    if arguments.dry_run:
        _list(sweep)
        return
    options = _options(arguments)
    plan = plans.sweep_plan(sweep.notebook, sweep.profile, sweep.runs, sweep.out)
    check_writable(sweep.out)
    with front.in_use(sweep.out):
        sweep.write()
        unfinished = front.run_plan(plan, sweep.out, sweep.profile, options, arguments.cores or cores())
        reasons = front.failures(unfinished[:MOST_REASONS], sweep.out)
    if unfinished:
        print(*reasons, sep="\n", file=sys.stderr)
        count = f"{len(unfinished)} of {len(sweep.runs)} runs have no metrics, such as {unfinished[0].folder.name}"
        raise ValueError(f"{count}; the same command runs only what is missing")
    print(f"all {len(sweep.runs)} have metrics; put them side by side: autobuild compare {sweep.out}")


def _list(sweep: Sweep) -> None:
    missing = sweep.missing()
    for name, parameters in sweep.runs.items():
        print(f"  {'to run' if name in missing else 'there':6}  {name}  {json.dumps(parameters)}")


def _options(arguments: argparse.Namespace) -> list[str]:
    """Return the options of Snakemake that say where the runs go."""
    plugins = {f"snakemake_executor_plugin_{name}": "cluster" for name in CLUSTERS if name == arguments.executor}
    check_installed(MODULES | plugins)
    profile = arguments.workflow_profile or CLUSTERS.get(arguments.executor)
    if profile is not None and not any(profile.glob("config*.yaml")):
        raise ValueError(f"--workflow-profile {profile}: there is no config.yaml")
    options = ["--executor", arguments.executor, "--workflow-profile", "none" if profile is None else str(profile)]
    if arguments.cores or arguments.executor == "local":
        options += ["--cores", str(arguments.cores or "all")]
    return options
