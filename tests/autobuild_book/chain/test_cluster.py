"""A sweep on a real Slurm: six jobs, one of them killed half-way, and the same command again."""

import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.helpers.slurm_cluster import missing_programs, slurm_cluster
from tests.helpers.sweep_notebook import NAME, copy_repository, run, start

SWEEP = ("sweep", "--notebook", NAME, "--set", "seed=1..6", "--profile", "quick", "--executor", "slurm")
PLACE = Path("artifacts") / "sweeps" / f"{NAME}-quick"

NO_PROGRAMS = f"no {', '.join(missing_programs())}: apt-get install slurm-wlm munge"
NO_PLUGIN = "no snakemake-executor-plugin-slurm: pip install 'autobuild-book[cluster]'"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(missing_programs()), reason=NO_PROGRAMS),
    pytest.mark.skipif(find_spec("snakemake_executor_plugin_slurm") is None, reason=NO_PLUGIN),
]


@pytest.fixture
def cluster() -> Iterator[dict[str, str]]:
    with slurm_cluster() as environment:
        yield environment


def jobs(environment: dict[str, str]) -> dict[str, tuple[str, str]]:
    """State and comment (rule and wildcards) of every job so far, by its number."""
    command = ["squeue", "--states=all", "--noheader", "--format=%i|%T|%k"]
    lines = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.splitlines()
    return {number: (state, comment) for number, state, comment in (line.split("|") for line in lines)}


def metrics(folder: Path) -> dict[int, Path]:
    """Metrics of the runs that finished, by seed."""
    found = folder.glob(f"{PLACE}/*/{NAME}/metrics.json")
    return {json.loads(path.read_text())["parameters"]["seed"]: path for path in found}


def test_a_sweep_goes_on_after_a_job_was_killed(cluster: dict[str, str], tmp_path: Path) -> None:
    folder = copy_repository(tmp_path / "clone")
    sweep = start(folder, *SWEEP, environment=cluster)
    end = time.monotonic() + 900
    while time.monotonic() < end and sweep.poll() is None:  # until all other runs are done and seed 3 is half-way
        if (folder / "waiting").exists() and len(metrics(folder)) == 5:
            break
        with suppress(subprocess.TimeoutExpired):
            sweep.communicate(timeout=1)  # reads on: a full pipe would stop it
    assert sweep.poll() is None, sweep.communicate()[0]
    (half_way,) = [number for number, (_, comment) in jobs(cluster).items() if re.search(r"seed-3-", comment)]
    assert jobs(cluster)[half_way][0] == "RUNNING"
    subprocess.run(["scancel", half_way], env=cluster, check=True)
    written = sweep.communicate(timeout=400)[0]
    assert sweep.returncode == 1, written
    assert re.search(r"autobuild: 1 of 6 runs .* seed-3-\w{8}; ", written), written
    before = {seed: path.stat().st_mtime_ns for seed, path in metrics(folder).items()}
    assert sorted(before) == [1, 2, 4, 5, 6] and len(jobs(cluster)) == 6

    (folder / "open").touch()
    code, written = run(folder, *SWEEP, environment=cluster)
    assert code == 0, written
    after = metrics(folder)
    doubles = {seed: json.loads(path.read_text())["metrics"] for seed, path in after.items()}
    assert doubles == {seed: {"double": 2.0 * seed} for seed in range(1, 7)}
    assert {seed: after[seed].stat().st_mtime_ns for seed in before} == before, "finished runs ran again"
    states = [state for state, _ in jobs(cluster).values()]
    assert len(states) == 7 and states.count("COMPLETED") == 6, states
