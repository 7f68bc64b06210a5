#!/usr/bin/env bash
# What: papermill 2.7.0 (ipykernel 7.4.0, nbformat 5.11.1, Python 3.11).
# The output "-" means standard output. Here the output is a file called "-result.ipynb", given after "--" as usual
# for names that begin with a dash.
#
# One would guess: only the name "-" is standard output; "-result.ipynb" is a file.
# What happens: the place to write to is chosen by the beginning of the name, so every name that begins with "-" is
# standard output. papermill names the file as its output, makes no file, and ends with exit status 0. As it takes the
# name for a file elsewhere, it also writes after each step: five whole notebooks, one after another, where "-" alone
# gives one. "./-result.ipynb" is a file.
#
# Seen:
#   -result.ipynb: exit status 0, file made False, notebooks on standard output 5
#   -: exit status 0, file made False, notebooks on standard output 1
#   ./-result.ipynb: exit status 0, file made True, notebooks on standard output 0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install -qq papermill==2.7.0 ipykernel==7.4.0 nbclient==0.11.0 nbformat==5.11.1

env/bin/python - <<'EOF'
import json
import subprocess
import sys
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
nbformat.write(new_notebook(cells=[new_code_cell("print(1)")], metadata={"kernelspec": kernel}), "input.ipynb")


def documents(text):
    """How many JSON documents stand one after another in the text."""
    count, text = 0, text.strip()
    while text:
        text = text[json.JSONDecoder().raw_decode(text)[1] :].strip()
        count += 1
    return count


results = []
for name in ["-result.ipynb", "-", "./-result.ipynb"]:
    command = ["env/bin/papermill", "-k", "python3", "--", "input.ipynb", name]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300)
    results.append((run.returncode, Path(name).exists(), documents(run.stdout)))
    print("{}: exit status {}, file made {}, notebooks on standard output {}".format(name, *results[-1]))
same = results[0][:2] == (0, False) and results[0][2] > 1 and results[1:] == [(0, False, 1), (0, True, 0)]
sys.exit(0 if same else "the behaviour has changed")
EOF
