#!/usr/bin/env bash
# What: myst-nb 1.4.0 (Sphinx 7.4.7, ipython 9.18.1, ipython_pygments_lexers 1.1.1, Pygments 2.21.0, Python 3.11).
# A cell shows an error on purpose and has the tag "raises-exception", which tells myst-nb that the error is expected.
# The cell itself is valid Python: exec('price = $5').
#
# One would guess: an error that is expected gives no warning, and a traceback that IPython wrote can be coloured by
# IPython's lexer for tracebacks.
# What happens: the traceback of a SyntaxError quotes the line that Python could not read. The lexer (ipythontb)
# reads quoted lines as Python and cannot read it either, and Sphinx makes that a warning about the page, so a book
# built with "sphinx-build -W" fails because of what the traceback quotes. Tagging the cell does not change that;
# another lexer does ("mystnb": {"error_lexer": "text"} in the metadata of the cell).
#
# Seen:
#   lexer of the cell not set: exit status 1, warning about the lexer True
#   lexer of the cell text: exit status 0, warning about the lexer False
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install -qq --no-compile myst-nb==1.4.0 Sphinx==7.4.7 ipykernel==7.4.0 ipython==9.18.1 \
    ipython_pygments_lexers==1.1.1 Pygments==2.21.0 nbformat==5.11.1

env/bin/python - <<'EOF'
import subprocess
import sys
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
Path("book").mkdir()
Path("book/conf.py").write_text("extensions = ['myst_nb']\nnb_execution_mode = 'force'\n")
results = []
for lexer, options in [("not set", {}), ("text", {"error_lexer": "text"})]:
    cell = new_code_cell("exec('price = $5')", metadata={"tags": ["raises-exception"], "mystnb": options})
    cells = [new_markdown_cell("# Title"), cell]
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), "book/index.ipynb")
    command = ["env/bin/sphinx-build", "-q", "-E", "-W", "--keep-going", "book", "html"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300)
    results.append((run.returncode, 'as "ipythontb" resulted in an error' in run.stderr))
    print("lexer of the cell {}: exit status {}, warning about the lexer {}".format(lexer, *results[-1]))
sys.exit(0 if results == [(1, True), (0, False)] else "the behaviour has changed")
EOF
