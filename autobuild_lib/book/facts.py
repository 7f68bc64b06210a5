"""What pages say about the runs behind them: provenance, times, sources, and how far labels can be trusted."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from autobuild_lib.book import markdown
from autobuild_lib.book.executed import Executed, needed
from autobuild_lib.runs import provenance_rows

NOISE, BUILT = "00_data", "04_pareto_regions"  # the chapters that compare labels


def provenance(executed: Mapping[str, Executed], built: str) -> str:
    """Return the table at the end of pages that are no notebooks; `built` is the time of the building."""
    values: dict[str, dict[str, None]] = {}
    for run in executed.values():
        for name, value in provenance_rows(_whole_tables(run, executed)):
            if name != "parameters":
                values.setdefault(name, {})[value] = None
    rows = [(name, "; ".join(found)) for name, found in values.items()]
    return markdown.table(("built with", "value"), [*rows, ("pages", f"built {built} UTC")])


def _whole_tables(run: Executed, executed: Mapping[str, Executed]) -> dict[str, Any]:
    """Return the record of a run with every table as large as any run used it: parts of a table are not listed."""
    used = [table for other in executed.values() for table in other.record["data"]]
    largest = {table["source"]: table for table in sorted(used, key=lambda table: table["rows"])}
    return {**run.record, "data": [largest[table["source"]] for table in run.record["data"]]}


def times(executed: Mapping[str, Executed]) -> str:
    """Return a table of how long every notebook took, when, and on which machine."""
    rows = [
        (f"[{name}](/artifacts/book/{name}.ipynb)", markdown.duration(run.record["seconds"]), run.ended)
        for name, run in executed.items()
    ]
    total = sum(run.record["seconds"] for run in executed.values())
    machines = ", ".join(dict.fromkeys(run.record["machine"] for run in executed.values()))
    rows.append(("all, one after another", markdown.duration(total), ""))
    table = markdown.table(("notebook", "took", "ended (UTC)"), rows)
    return f"{table}\nMachine: {machines}.\n"


def sources(run: Executed, built: str) -> str:
    """Return the paragraph at the end of a notebook's page: times, the source, and the tables behind its figures."""
    name, folder = run.name, f"/artifacts/{run.profile}"
    files = [
        (f"/notebooks/{name}.py", "the script"),
        (f"/notebooks/{name}.ipynb", "the notebook, not executed"),
        (f"{folder}/{name}.ipynb", "executed, as on this page"),
        (f"{folder}/{name}/metrics.json", "the numbers quoted here"),
    ]
    for path in sorted(run.folder.glob("*.csv")):
        files.append((f"{folder}/{name}/{path.name}", markdown.file_size(path.stat().st_size)))
    links = [f"{{download}}`{PurePosixPath(path).name} <{path}>` ({note})" for path, note in files]
    took = markdown.duration(run.record["seconds"])
    return (
        f"The notebook took {took} and ended on {run.ended} UTC; the pages were built on {built} UTC. Its figures and "
        f"tables come from these files, which are copied into the book:\n\n{markdown.bullets(links)}\n"
    )


def label_quality(executed: Mapping[str, Executed]) -> str:
    """Return a table of how well any model can rank by the bundled labels, and how noisy they are."""
    rows = [
        (row["family"], row["label"], f"{row['published MAE']:.4g}", f"{row['noise ceiling (SRCC)']:.3f}")
        for row in needed(executed, NOISE).metric("noise")
    ]
    return markdown.table(("family", "label", "error of the published predictor (MAE)", "noise ceiling (SRCC)"), rows)


def built_networks(executed: Mapping[str, Executed]) -> str:
    """Return how far the surrogates are from the published predictors on networks that were built here."""
    run = needed(executed, BUILT)
    rows = [
        (row["family"], row["device"], f"{100 * row['acc_difference']:+.2f} ± {100 * row['acc_mae']:.2f}",
         f"{row['latency_difference']:+.2f} ± {row['latency_mae']:.2f}", f"{row['share']:.0%}",
         f"{row['other_share']:.0%}")
        for row in run.metric("published") if row["score"] == "norm"
    ]  # fmt: skip
    header = ("family", "device", "accuracy, points", "latency, ms", "improve their region (surrogate)", "(published)")
    return (
        f"{markdown.table(header, rows)}\n"
        f"Whether at least half of a cluster improves its region, both say the same for {run.metric('judges')} "
        f"clusters (all scores together). With all labels from the published predictors, claim C4 would be "
        f"*{run.metric('c4_published')}*; with the surrogates' it is *{run.metric('c4')}*.\n"
    )
