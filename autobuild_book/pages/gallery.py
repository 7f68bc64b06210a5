"""The gallery: the figure and the table of a committed sweep, made from the files that `autobuild compare` wrote."""

import io
from pathlib import Path
from typing import Any

import pandas as pd

from autobuild_book.figures.comparison import run_comparison
from autobuild_book.pages import markdown
from autobuild_book.runs.comparison import ORIGINS
from autobuild_lib.extras import extra
from autobuild_lib.storage import read_json

with extra("book"):
    import matplotlib as mpl

STABLE: Any = {"svg.hashsalt": "gallery", "svg.fonttype": "path"}  # the same text every time


def gallery(folder: Path) -> dict[str, str]:
    """Return the texts of gallery.svg and gallery_table.md for the sweep in `folder`; none without it.

    Raises `ValueError` unless the table holds exactly the runs of the plan, with a number for each metric.
    """
    if not folder.is_dir():
        return {}
    plan = read_json(folder / "sweep.json", "the plan of a sweep")
    table = pd.read_csv(folder / "comparison.csv")
    names = [str(name) for name in table if name not in ("run", *ORIGINS)]
    parameters = [name for name in names if any(name in chosen for chosen in plan["runs"].values())]
    metrics = [name for name in names if name not in parameters]
    if sorted(table["run"]) != sorted(plan["runs"]) or table[metrics].isna().any(axis=None) or not metrics:
        raise ValueError(f"{folder}/comparison.csv: not the metrics of all runs in sweep.json; compare them again")
    figure, text = run_comparison(table, parameters, metrics), io.StringIO()
    with mpl.rc_context(STABLE):
        figure.savefig(text, format="svg", metadata={"Date": None})
    cells = [[str(row[name]) for name in parameters] + [f"{row[name]:.4f}" for name in metrics]
             for row in table.to_dict("records")]  # fmt: skip
    return {"gallery.svg": text.getvalue(), "gallery_table.md": markdown.table([*parameters, *metrics], cells)}
