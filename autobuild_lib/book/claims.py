"""The paper's claims, and what the metrics of the notebooks say about each: the page of verdicts."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from autobuild_lib.book import markdown
from autobuild_lib.book.executed import Executed, needed

NOT_MEASURED = "not yet measured"


@dataclass(frozen=True)
class Finding:
    """Numbers, with intervals where there are any, and the verdict that follows from them."""

    numbers: tuple[str, ...]
    verdict: str


Find: TypeAlias = Callable[[Executed], Finding]


@dataclass(frozen=True)
class Claim:
    """One claim.

    text: what the paper says. notebook: where it is measured. section: the heading there under which the verdict is
    computed. figure: the label of the figure to look at. find: what the notebook's metrics say.
    """

    name: str
    text: str
    notebook: str
    section: str
    figure: str
    find: Find


def checked(checks: str = "checks", verdict: str = "verdict", estimates: str = "") -> Find:
    """Return a reader of the metrics of these names: rows of checks, a verdict, and perhaps means with intervals.

    A row of checks has `value`, `holds`, and names of what is checked; a row of estimates is as `estimates.estimate`
    makes it.
    """

    def find(executed: Executed) -> Finding:
        rows = executed.metric(estimates) if estimates else []
        lines = [*map(_check_line, executed.metric(checks)), *map(_estimate_line, rows)]
        return Finding(tuple(lines), str(executed.metric(verdict)))

    return find


def quoted(*names: str) -> Find:
    """Return a reader of sentences with intervals, metrics of these names, and of the verdict."""
    return lambda executed: Finding(tuple(executed.metric(name) for name in names), str(executed.metric("verdict")))


def _check_line(row: Mapping[str, Any]) -> str:
    names = " ".join(str(value) for key, value in row.items() if key not in ("value", "holds"))
    return f"{names}: {row['value']} ({'holds' if row['holds'] else 'fails'})"


def _estimate_line(row: Mapping[str, Any]) -> str:
    if not math.isfinite(row["value"]):
        return f"{row['estimate']}: unknown"
    interval = f" [{row['low']:.3f}, {row['high']:.3f}]" if math.isfinite(row["low"]) else ""
    return f"{row['estimate']}, mean over {row['over']}: {row['value']:.3f}{interval}"


CLAIMS = (
    Claim(
        "C1",
        "Norms of graph embeddings rank architectures at every hop, better with more hops; the head ranks best "
        "(two families; accuracy and three latencies).",
        "01_predictor_srcc",
        "Verdict on claim C1",
        "figure-srcc-by-hop",
        checked(),
    ),
    Claim(
        "C2",
        "The FE-MLP at hop 0 gives operation types a readable importance, in op-level graphs that mix both families.",
        "02_ir_operations",
        "Verdict on claim C2",
        "figure-importance",
        checked(),
    ),
    Claim(
        "C3",
        "Module scores single out the best and the worst MBConv subgraphs, and these change with the target equation.",
        "03_subgraph_ranking",
        "Verdict on claim C3",
        "figure-modules-norm",
        checked(estimates="estimates"),
    ),
    Claim(
        "C4",
        "Reduced spaces of the three best modules per unit, one for each target equation, improve chosen regions of "
        "the training set's accuracy-latency frontier.",
        "04_pareto_regions",
        "Verdicts",
        "figure-clusters-first",
        checked("checks_c4", "c4", "estimates_c4"),
    ),
    Claim(
        "C5",
        "Evolutionary search inside the product of the 25 best modules per unit beats the full space, with "
        "stage-level or layer-level mutation, and layer spaces reduced by experts.",
        "04_pareto_regions",
        "Verdicts",
        "figure-search-curves",
        checked("checks_c5", "c5", "estimates_c5"),
    ),
    Claim(
        "C6",
        "Panoptic segmentation: backbones built by AutoBuild beat the labelled ones.",
        "05_panoptic",
        "Verdict on claim C6",
        "figure-built-front",
        checked(estimates="estimates"),
    ),
    Claim(
        "C7",
        "Inpainting with diffusion models: from a few dozen evaluated architectures, built U-Nets beat them.",
        "06_diffusion_unets",
        "Verdict on claim C7",
        "figure-built-against-best",
        quoted("norm", "most_macs"),
    ),
)


def verdicts(executed: Mapping[str, Executed], root: Path) -> str:
    """Return the table of verdicts: one row per claim.

    Raises `StaleError` when a notebook of the repository at `root` has not run, or lacks a metric.
    """
    header = ("claim", "the paper says", "found here", "verdict and data")
    rows = [_row(claim, executed, root) for claim in CLAIMS]
    return f"{_weight(next(iter(executed.values())).profile)}\n\n{markdown.list_table(header, rows, 'verdicts')}"


def _weight(profile: str) -> str:
    """Say how much the verdicts of a profile weigh."""
    named = f"These pages were built with the profile `{profile}`."
    if profile == "quick":
        named += " **It trains for minutes only, to see that everything runs: do not quote its verdicts.**"
    return named


def _row(claim: Claim, executed: Mapping[str, Executed], root: Path) -> tuple[str, ...]:
    if not (root / "notebooks" / f"{claim.notebook}.ipynb").is_file():
        return claim.name, claim.text, "nothing yet", NOT_MEASURED
    own = needed(executed, claim.notebook)
    finding = claim.find(own)
    cell = f"[the cell](/artifacts/book/{claim.notebook}.ipynb#{slug(claim.section)})"
    says = f"{claim.text}\n\nSee {{ref}}`the figure <{claim.figure}>` and {cell} in `{claim.notebook}`."
    numbers = markdown.bullets(finding.numbers) if finding.numbers else "nothing that the rule could judge"
    return claim.name, says, numbers, f"**{finding.verdict}**\n\non {own.kinds} data"


def slug(heading: str) -> str:
    """Return the anchor that a heading of a page gets."""
    kept = "".join(letter for letter in heading.lower() if letter.isalnum() or letter in " -_")
    return kept.replace(" ", "-")
