"""The chapter runs alone on the machine."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]


def test_the_notebook_takes_every_core_of_the_chain(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "snakemake", "--snakefile", "notebooks/Snakefile", "--dry-run", "--nolock"]
    command += ["--cores", "7", "--config", "profile=quick", f"out={tmp_path / 'artifacts'}"]
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    jobs = re.split(r"^(?:local)?rule \w+:", done.stdout + done.stderr, flags=re.MULTILINE)
    threads = {
        found[1]: int(count[1]) if (count := re.search(r"threads: (\d+)", job)) else 1
        for job in jobs
        if (found := re.search(r"wildcards: .*notebook=(\w+)", job))
    }
    assert done.returncode == 0 and threads["07_your_machine"] == 7, done.stdout + done.stderr
    assert all(count < 7 for name, count in threads.items() if name != "07_your_machine")
