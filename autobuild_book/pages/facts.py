"""What pages say about the runs behind them: provenance, times, sources, and how far labels can be trusted."""

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from autobuild_book.pages import markdown
from autobuild_book.pages.executed import Executed
from autobuild_book.pages.markdown import number
from autobuild_book.pages.states import Chapters, Missing
from autobuild_book.runs.recording import provenance_rows

NOISE, BUILT = "00_data", "04_pareto_regions"  # the chapters that compare labels


def provenance(chapters: Chapters, built: str) -> str:
    """Return the table at the end of pages that are no notebooks; `built` is the time of the building."""
    values: dict[str, dict[str, None]] = {"profile": {chapters.profile: None}}
    for run in chapters.executed.values():
        for name, value in provenance_rows(_whole_tables(run, chapters.executed)):
            if name != "parameters":
                values.setdefault(name, {})[value] = None
    rows = [(name, "; ".join(every)) for name, every in values.items()]
    return markdown.table(("built with", "value"), [*rows, ("pages", f"built {built} UTC")])


def _whole_tables(run: Executed, executed: Mapping[str, Executed]) -> dict[str, Any]:
    """Return the record of a run with every table as large as any run used it: parts of a table are not listed."""
    used = [table for other in executed.values() for table in other.record["data"]]
    largest = {table["source"]: table for table in sorted(used, key=lambda table: table["rows"])}
    return {**run.record, "data": [largest[table["source"]] for table in run.record["data"]]}


def times(chapters: Chapters) -> str:
    """Return a table of how long every notebook took, when, and on which machine, or why it has no results."""
    runs = chapters.executed.values()
    took = {run.name: (markdown.duration(run.record["seconds"]), run.ended) for run in runs}
    states = {name: (chapter.state, "") for name, chapter in chapters.missing.items()}
    rows = [(f"[{name}](/artifacts/book/{name}.ipynb)", *cells) for name, cells in sorted((took | states).items())]
    rows.append(("all, one after another", markdown.duration(sum(run.record["seconds"] for run in runs)), ""))
    machines = ", ".join(dict.fromkeys(run.record["machine"] for run in runs)) or "none"
    return f"{markdown.table(('notebook', 'took', 'ended (UTC)'), rows)}\nMachine: {machines}.\n"


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
    took = markdown.duration(run.record["seconds"])
    return (
        f"The notebook took {took} and ended on {run.ended} UTC; the pages were built on {built} UTC. Its figures and "
        f"tables come from these files, which are copied into the book:\n\n{_downloads(files)}\n"
    )


def sources_left(chapter: Missing, profile: str, root: Path) -> str:
    """Return the paragraph at the end of the page of a chapter without results: its source, and what its run left."""
    files = [(f"/notebooks/{chapter.name}.py", "the script"), (f"/notebooks/{chapter.name}.ipynb", "the notebook")]
    files += [(f"/{path.relative_to(root).as_posix()}", "left by the run") for path in chapter.files]
    return f"This page belongs to the profile {profile}. These files are copied into the book:\n\n{_downloads(files)}\n"


def _downloads(files: Sequence[tuple[str, str]]) -> str:
    return markdown.bullets([f"{{download}}`{PurePosixPath(path).name} <{path}>` ({note})" for path, note in files])


def label_quality(run: Executed) -> str:
    """Return a table of how well any model can rank by the bundled labels, and how noisy they are."""
    rows = [
        (row["family"], row["label"], number(row["published MAE"], ".4g"), number(row["noise ceiling (SRCC)"], ".3f"))
        for row in run.metric("noise")
    ]
    return markdown.table(("family", "label", "error of the published predictor (MAE)", "noise ceiling (SRCC)"), rows)


def built_networks(run: Executed) -> str:
    """Return how far the surrogates are from the published predictors on networks that were built here."""
    rows = [
        (row["family"], row["device"],
         f"{number(row['acc_difference'], '+.2f', 100)} ± {number(row['acc_mae'], '.2f', 100)}",
         f"{number(row['latency_difference'], '+.2f')} ± {number(row['latency_mae'], '.2f')}",
         number(row["share"], ".0%"), number(row["other_share"], ".0%"))
        for row in run.metric("published") if row["score"] == "norm"
    ]  # fmt: skip
    header = ("family", "device", "accuracy, points", "latency, ms", "improve their region (surrogate)", "(published)")
    return (
        f"{markdown.table(header, rows)}\n"
        f"Whether at least half of a cluster improves its region, both say the same for {run.metric('judges')} "
        f"clusters (all scores together). With all labels from the published predictors, claim C4 would be "
        f"*{run.metric('c4_published')}*; with the surrogates' it is *{run.metric('c4')}*.\n"
    )
