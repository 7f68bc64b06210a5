"""A repository with small notebooks, some of which have run: what the builder of the pages reads."""

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd

from autobuild_book.houses import digest
from autobuild_book.pages.landing import LINES

DIGEST = digest("")
TABLE = {"source": "ofa_mbv3", "kind": "surrogate", "rows": 2700, "sha256": "ab" * 32}
CHECKS = [{"check": "hop 1 beats hop 0", "value": "+0.5 [+0.1, +0.9]", "holds": True}]
ESTIMATE = {"estimate": "share", "value": 0.5, "low": 0.25, "high": 0.75, "over": "6 panels"}
METRICS: dict[str, dict[str, Any]] = {
    "00_data": {"noise": [{"family": "f", "label": "acc", "published MAE": 0.001, "noise ceiling (SRCC)": 0.98}]},
    "01_predictor_srcc": {"verdict": "partly", "checks": CHECKS},
    "02_ir_operations": {"verdict": "not supported", "checks": CHECKS},
    "03_subgraph_ranking": {"verdict": "undecided", "checks": [], "estimates": [ESTIMATE | {"value": float("nan")}],
                            "verdict_effect": "undecided"},
    "06_diffusion_unets": {"verdict": "supported", "norm": "It wins by 0.1 [0.05, 0.15].", "most_macs": "It loses.",
                           "ridge": "It ties.", "verdict_effect": "not supported"},
    "11_trained_networks": {"c1": "not supported", "checks_c1": [CHECKS[0] | {"check": "trained", "holds": False}],
                            "c1_tuned": "partly"},
    "04_pareto_regions": {
        "c4": "partly", "c4_effect": "not supported", "c4_ridge": "supported", "c5": "supported",
        "c5_effect": "supported", "judges": "5 of 6", "c4_published": "not supported",
        "checks_c4": [{"family": "ofa_pn", "device": "gpu", "value": "1 of 3 regions", "holds": False}],
        "checks_c5": CHECKS, "estimates_c4": [ESTIMATE], "estimates_c5": [],
        "published": [{"family": "f", "device": "gpu", "score": "norm", "acc_difference": 0.001, "acc_mae": 0.002,
                       "latency_difference": -0.1, "latency_mae": 0.2, "share": 1.0, "other_share": 0.5}],
    },
}  # fmt: skip


def markdown_cell(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": "text", "metadata": {}, "source": [text]}


def code_cell(source: str, *outputs: dict[str, Any], count: int | None = None) -> dict[str, Any]:
    return {"cell_type": "code", "id": "code", "metadata": {"tags": []}, "execution_count": count, "source": source,
            "outputs": list(outputs)}  # fmt: skip


def error_output(message: str, traceback: str) -> dict[str, Any]:
    return {"output_type": "error", "ename": "AssertionError", "evalue": message, "traceback": [traceback]}


def notebook(cells: list[dict[str, Any]], **papermill: Any) -> str:
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}, "papermill": papermill}
    numbered = [{**cell, "id": f"c{number}"} for number, cell in enumerate(cells)]
    return json.dumps({"cells": numbered, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


RESULT = """## Result

({name}-result)=
It is {{glue:text}}`number:.2f`.

```{{glue:figure}} drawn
---
name: figure-{name}
---
Some.
```
"""


def display(data: str, **metadata: Any) -> dict[str, Any]:
    return {"output_type": "display_data", "metadata": metadata, "data": {"text/plain": data}}


def source_cells(name: str) -> list[dict[str, Any]]:
    """A notebook that has not run: a title with a label, a section with another one and a figure, the end."""
    title, result = f"({name})=\n# Chapter {name}\n\nIts claim.", RESULT.format(name=name)
    return [markdown_cell(title), code_cell("run.start()"), markdown_cell(result), code_cell("run.provenance()")]


def write_notebook(root: Path, name: str, metrics: dict[str, Any]) -> None:
    """Write a notebook, the same executed, and its metrics, as papermill and `Run` leave them."""
    (root / "notebooks").mkdir(exist_ok=True)
    (root / "notebooks" / f"{name}.ipynb").write_text(notebook(source_cells(name)))
    (root / "notebooks" / f"{name}.py").touch()
    folder, given = root / "artifacts" / "quick", {"profile": "quick", "seed": 3}
    glued = [display("1", scrapbook={"name": key}) for key in ("number", "drawn")]
    ran = source_cells(name)
    ran[1] = code_cell("run.start()", *glued, count=1)
    ran[-1] = code_cell("run.provenance()", display(f"sources sha256 {DIGEST[:12]}"), count=2)
    (folder / name).mkdir(parents=True)
    (folder / f"{name}.ipynb").write_text(notebook(ran, parameters=given, end_time="2026-01-02T03:04:05.678+00:00"))
    record = {"notebook": name, "parameters": given | {"tuned_seeds": 2, "regions": {"fast": "acc / {latency}"}}}
    record |= {"data": [TABLE], "versions": {"autobuild-book": "0.1.0", "torch": "2.13.0", "python": "3.11.7"}}
    record |= {"machine": "Linux, 2 cores", "sources": DIGEST, "seconds": 90.0, "metrics": metrics}
    (folder / name / "metrics.json").write_text(json.dumps(record))


def write_small_book(root: Path) -> None:
    """Write a repository in which the chapters with claims have run, all but panoptic segmentation."""
    for name, metrics in METRICS.items():
        write_notebook(root, name, metrics)
    text, own = "resolution224|e3_k3,e3_k5|e6_k7", root / "artifacts" / "quick" / "04_pareto_regions"
    key = {"family": ["ofa_pn"], "device": ["gpu"], "acc": [0.75], "latency": [6.5]}
    pd.DataFrame(key).to_csv(own / "frontier.csv", index=False)
    seeds = [pd.DataFrame({**key, "region": "fast", "score": "norm", "seed": s, "architecture": text}) for s in (8, 9)]
    pd.concat(seeds).to_csv(own / "clusters.csv", index=False)
    points = {"family": ["ofa_pn"], "architecture": [text], "acc": [0.7512345], "latency_gpu": [6.54321987]}
    pd.DataFrame({**points, "score gpu fast": [None]}).to_csv(own / "explorer.csv", index=False)
    curves().to_csv(root / "artifacts" / "quick" / "11_trained_networks" / "curves.csv", index=False)


def curves() -> pd.DataFrame:
    """Learning curves: two data sets, a tenth apart, of which one has no largest size; another table and model."""
    levels = {name: level for level, name in enumerate(LINES, 1)}
    rows = [
        (f"nas-bench-graph:{place}", model, size, level / 10 + place / 10)
        for place in (0, 1)
        for model, level in {**levels, "another": 9}.items()
        for size in (100, 300, *[1000] * (1 - place))
    ]
    rows.append(("accel-nasbench", next(iter(LINES)), 300, 0.99))
    return pd.DataFrame(rows, columns=["source", "model", "size", "mean"])


def change(root: Path, name: str, edit: Any) -> None:
    """Change what the metrics.json of a notebook holds."""
    path = root / "artifacts" / "quick" / name / "metrics.json"
    record = json.loads(path.read_text())
    edit(record)
    path.write_text(json.dumps(record))


def remove(root: Path, name: str) -> None:
    """Remove what the run of a notebook left."""
    (root / "artifacts" / "quick" / f"{name}.ipynb").unlink()
    shutil.rmtree(root / "artifacts" / "quick" / name)


LOG = "Traceback (most recent call last):\n  papermill\nDeadKernelError: Kernel died\n"


def fail(root: Path, name: str, text: str = "", log: str = LOG) -> None:
    """Leave what a notebook leaves that fails in its second cell; or another text and log of the run."""
    remove(root, name)
    folder = root / "artifacts" / "quick" / "failed"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.ipynb").write_text(text or notebook(failed_cells(root, name), exception=True))
    (folder / f"{name}.txt").write_text(log)


def failed_cells(root: Path, name: str) -> list[dict[str, Any]]:
    """The cells that papermill leaves: its own about the error, and a second one that raised it."""
    mark = markdown_cell("<span>An Exception was encountered</span>")
    mark["metadata"] = {"tags": ["papermill-error-cell-tag"]}
    trace = f"\x1b[31mFile {root.resolve()}/autobuild_lib/x.py\x1b[0m:3: `AssertionError`"
    title, _, *others = source_cells(name)
    raised = code_cell("run.start()", error_output("the table is `out` of date\nby 0.1", trace), count=1)
    raised["metadata"] = {"tags": ["remove-output"]}
    return [mark, title, raised, *others]
