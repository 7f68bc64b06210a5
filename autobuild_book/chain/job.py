"""Run a notebook with papermill: `python -m autobuild_book.chain.job NOTEBOOK PARAMETERS [FILE]`, parameters in JSON.

FILE holds the notebook where it is not the one of that name in `notebooks/`. While it runs, the executed notebook lies
in `failed`, beside the log, and stays there if a cell raises an error.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from autobuild_book.chain.parents import PATIENCE, end_with_parent
from autobuild_book.chain.plans import NOTEBOOKS, Job
from autobuild_book.locks import held
from autobuild_lib.extras import extra
from autobuild_lib.storage import parse_json

with extra("book"):
    import yaml

MOST_REASON = 500  # characters
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def main(arguments: list[str]) -> int:
    """Run a notebook; return 0, 1 if it failed, 130 after an interruption."""
    notebook, parameters = arguments[0], parse_json(arguments[1])
    job = Job(Path(parameters["out"]), notebook)
    source = Path(arguments[2]) if arguments[2:] else NOTEBOOKS / f"{notebook}.ipynb"
    end_with_parent()
    try:
        with held(job.lock, str(job.executed)):
            return _run(job, parameters, source)
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        sys.stderr.write(f"{notebook}: {error}\n")
        return 1
    finally:
        with suppress(OSError):
            job.running.parent.rmdir()  # where nothing failed


def _run(job: Job, parameters: Mapping[str, Any], source: Path) -> int:
    """Run a notebook while its lock is held."""
    for path in (job.running, job.log, job.executed, job.metrics):
        path.unlink(missing_ok=True)
    try:
        code = _papermill(job, parameters, source)
    except KeyboardInterrupt:
        for path in (job.running, job.log, job.metrics):  # it has not failed
            path.unlink(missing_ok=True)
        raise
    if code:
        job.metrics.unlink(missing_ok=True)
        sys.stderr.write(f"{failure(job)}\n")
        return 1
    job.running.replace(job.executed)
    job.log.unlink()
    return 0


def _papermill(job: Job, parameters: Mapping[str, Any], source: Path) -> int:
    """Run papermill as a process of its own; return its exit code. An interruption ends it first, and its kernel."""
    output = str(job.running).replace("{", "{{").replace("}", "}}")  # papermill fills parameters in,
    output = f"./{output}" if output.startswith("-") else output  # and takes all of these for the standard output
    command = [sys.executable, "-m", "papermill", "--kernel", "python3", "--no-progress-bar"]
    command += ["--parameters_yaml", to_yaml(parameters), "--", str(source), output]
    with job.log.open("wb") as log:
        process = subprocess.Popen(command, env=environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)  # noqa: S603
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(PATIENCE / 2)
            process.kill()
            process.wait()
            raise


def to_yaml(parameters: Mapping[str, Any]) -> str:
    """Return parameters as papermill reads them, each with its own type."""
    return yaml.safe_dump(dict(parameters), default_flow_style=True, width=float("inf"))


def environment() -> dict[str, str]:
    """Return the environment of a kernel: as here, with as many threads as AUTOBUILD_THREADS says (default: 1).

    Parallelism comes from processes, so that runs do not fight over cores.
    """
    threads = os.environ.get("AUTOBUILD_THREADS") or "1"
    return {**os.environ, **dict.fromkeys(THREADS, threads)}


def failure(job: Job) -> str:
    """Say in one line that a notebook failed, why, and where to look."""
    return f"{job.notebook} failed: {reason(job)}; the cells that ran are in {job.running}"


def reason(job: Job) -> str:
    """Return the last line of what papermill wrote, which is the error."""
    with suppress(OSError):
        lines = [line for line in job.log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
        return "".join(filter(str.isprintable, lines[-1]))[:MOST_REASON] if lines else "it wrote nothing"
    return "it never started, or was killed"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
