"""The command `autobuild sweep`: one notebook with many combinations of parameters, run by Snakemake."""

import argparse
import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from autobuild_lib.cli.common import check_writable, whole
from autobuild_lib.extras import missing
from autobuild_lib.runs import PROFILES
from autobuild_lib.sweeps import Sweep, plan_sweep

SNAKEFILE = Path("notebooks") / "sweep.smk"
CLUSTERS = {"slurm": Path("notebooks") / "cluster" / "slurm"}
MODULES = {"snakemake": "book", "papermill": "book"}  # what must be installed, and the extra that brings it


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
    parser.set_defaults(run=_sweep)


def _sweep(given: argparse.Namespace) -> None:
    sweep = plan_sweep(given.notebook, given.settings, given.profile, given.out)
    print(f"{len(sweep.runs)} runs of {sweep.notebook} ({sweep.profile} profile) in {sweep.out}", flush=True)
    if given.dry_run:
        _list(sweep)
        return
    command = _command(given)
    check_writable(sweep.out)
    code = _wait([*command, "--config", f"plan={json.dumps(str(sweep.write()))}"])
    if code:
        missing = sweep.missing()
        example = f", such as {missing[0]}" if missing else ""
        found = f"{len(missing)} of {len(sweep.runs)} runs have no metrics{example}"
        raise ValueError(f"{found}; the reason stands above, and the same command runs only what is missing")
    print(f"all {len(sweep.runs)} have metrics; put them side by side: autobuild compare {sweep.out}")


def _list(sweep: Sweep) -> None:
    missing = sweep.missing()
    for name, parameters in sweep.runs.items():
        print(f"  {'to run' if name in missing else 'there':6}  {name}  {json.dumps(parameters)}")


def _command(given: argparse.Namespace) -> list[str]:
    """Return the call of Snakemake, without the plan."""
    plugins = {f"snakemake_executor_plugin_{name}": "cluster" for name in CLUSTERS if name == given.executor}
    for module, extra in (MODULES | plugins).items():
        if find_spec(module) is None:
            raise ModuleNotFoundError(missing(module, extra), name=module)
    profile = given.workflow_profile or CLUSTERS.get(given.executor)
    if profile is not None and not any(profile.glob("config*.yaml")):
        raise ValueError(f"--workflow-profile {profile}: there is no config.yaml")
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(SNAKEFILE), "--executor", given.executor]
    command += ["--rerun-incomplete", "--nolock", "--keep-going"]
    command += ["--workflow-profile", "none" if profile is None else str(profile)]
    if given.executor == "local":
        command += ["--quiet", "rules"]  # runs say themselves why they fail; on a cluster Snakemake says it
    if given.cores or given.executor == "local":
        command += ["--cores", str(given.cores or "all")]
    return command


def _wait(command: list[str]) -> int:
    """Run a command with the programs of this environment; after an interruption, let it end its jobs."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    process = subprocess.Popen(command, env={**os.environ, "PATH": path})  # noqa: S603
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.wait()
        raise
