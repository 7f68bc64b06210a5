#!/usr/bin/env bash
# What: Snakemake 9.27.1 (Python 3.11), one local job "sleep 15; touch made.txt", and SIGINT while it runs.
#
# One would guess: SIGINT to Snakemake ends the running jobs, as Ctrl-C in a terminal does. Snakemake prints
# "Terminating processes on user request".
# What happens: when only Snakemake's process gets SIGINT (kill -INT, a supervisor, subprocess.send_signal), it says so
# but sends the job nothing: the job runs to its end, its output is made and kept, then Snakemake ends with status 1.
# Ctrl-C ends jobs because the terminal sends the signal to the whole process group, jobs included. A program that
# wants to stop Snakemake soon has to start it in a group of its own and signal that group.
#
# Seen:
#   SIGINT to the process alone: 17 s; over 13 s True, 'Terminating processes' True, output made True, exit status 1
#   SIGINT to the process group: 3 s; over 13 s False, 'Terminating processes' True, output made False, exit status 1
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export XDG_CACHE_HOME=$folder/cache
python3 -m venv env
env/bin/pip install -qq snakemake==9.27.1 PuLP==3.3.2

cat >Snakefile <<'EOF'
rule all:
    output: "made.txt"
    shell: "touch begun.txt; sleep 15; touch {output}"
EOF

env/bin/python - <<'EOF'
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

results = []
for name, send in [("process alone", os.kill), ("process group", os.killpg)]:
    for path in ["begun.txt", "made.txt"]:
        Path(path).unlink(missing_ok=True)
    command = ["env/bin/snakemake", "--cores", "1", "--forceall", "--nocolor"]
    run = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        while not Path("begun.txt").exists() and run.poll() is None:
            time.sleep(0.1)
        begin = time.monotonic()
        send(run.pid, signal.SIGINT)
        log = run.communicate(timeout=120)[1]
    finally:
        run.kill()
    seconds = time.monotonic() - begin
    results.append((seconds > 13, "Terminating processes" in log, Path("made.txt").exists(), run.returncode))
    print("SIGINT to the {}: {:.0f} s; over 13 s {}, 'Terminating processes' {}, output made {}, exit status {}"
          .format(name, seconds, *results[-1]))
sys.exit(0 if results == [(True, True, True, 1), (False, True, False, 1)] else "the behaviour has changed")
EOF
