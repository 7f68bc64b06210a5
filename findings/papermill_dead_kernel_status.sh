#!/usr/bin/env bash
# What: papermill 2.7.0 (ipykernel 7.4.0, nbclient 0.11.0, Python 3.11).
# The notebook has four cells; the second one ends its own kernel process on purpose (os._exit(0)).
#
# One would guess: the saved notebook marks where it ended, as it does for a cell that raises an exception.
# What happens: papermill says so on standard error and ends with exit status 138, but in the notebook that it saves
# the run has no exception and every cell is "completed": the one that ended the kernel, and those that never ran.
# What does tell in the notebook: execution_count, null in all three.
#
# Seen:
#   exit status 138
#   exception of the run: None
#   cell 0: completed, exception False, started True, execution count 1
#   cell 1: completed, exception False, started True, execution count None
#   cell 2: completed, exception None, started False, execution count None
#   cell 3: completed, exception None, started False, execution count None
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install -qq --no-compile papermill==2.7.0 ipykernel==7.4.0 nbclient==0.11.0 nbformat==5.11.1

env/bin/python - <<'EOF'
import nbformat
from nbformat.v4 import new_code_cell, new_notebook

sources = ["print('first')", "import os; os._exit(0)", "print('third')", "print('fourth')"]
kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
notebook = new_notebook(cells=[new_code_cell(source) for source in sources], metadata={"kernelspec": kernel})
nbformat.write(notebook, "input.ipynb")
EOF
status=0
timeout 300 env/bin/papermill -k python3 input.ipynb output.ipynb 2>log.txt || status=$?
echo "exit status $status"

env/bin/python - "$status" <<'EOF'
import sys

import nbformat

notebook = nbformat.read("output.ipynb", as_version=4)
exception = notebook.metadata.papermill.exception
print("exception of the run:", exception)
cells = [(cell.metadata.papermill, cell.execution_count) for cell in notebook.cells]
for number, (run, count) in enumerate(cells):
    started = run.start_time is not None
    print(f"cell {number}: {run.status}, exception {run.exception}, started {started}, execution count {count}")
same = sys.argv[1] == "138" and exception is None and len(cells) == 4
same = same and all(run.status == "completed" and not run.exception for run, _ in cells)
same = same and [run.start_time is not None for run, _ in cells] == [True, True, False, False]
sys.exit(0 if same else "the behaviour has changed")
EOF
