"""The paper's claims, and what the metrics of the notebooks say about each: the page of verdicts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import pandas as pd

from autobuild_book.chapters.diffusion import verdict as diffusion_verdict
from autobuild_book.chapters.modules import verdict as modules_verdict
from autobuild_book.chapters.operations import verdict as operations_verdict
from autobuild_book.chapters.panoptic import verdict as panoptic_verdict
from autobuild_book.chapters.regions import verdicts as regions_verdicts
from autobuild_book.chapters.shared import hop_verdict as ranking_verdict
from autobuild_book.chapters.shared.verdicts import WORDS, check_line, estimate_line
from autobuild_book.pages import markdown
from autobuild_book.pages.elsewhere import note, other_verdicts
from autobuild_book.pages.executed import Executed
from autobuild_book.pages.states import NOT_RUN_HERE, Chapters, link

VERDICTS = (*WORDS, NOT_RUN_HERE)
TRAINED = "11_trained_networks"  # judges some claims once more


@dataclass(frozen=True)
class Finding:
    """What a chapter found.

    judged: numbers that the rule judges, with intervals where there are any. verdict: what follows from them. beside:
    numbers that decide nothing.
    """

    judged: Sequence[str]
    verdict: str
    beside: Sequence[str] = ()


Find: TypeAlias = Callable[[Executed], Finding]


@dataclass(frozen=True)
class Claim:
    """One claim.

    text: what the paper says. rule: when it is supported, in a line. notebook: where it is measured. section: the
    heading there under which the verdict is computed. figure: the label of the figure to look at. find: what the
    notebook's metrics say.
    """

    name: str
    text: str
    rule: str
    notebook: str
    section: str
    figure: str
    find: Find


def checked(checks: str = "checks", verdict: str = "verdict", estimates: str = "", **others: str) -> Find:
    """Return a reader of the metrics of these names: rows of checks, a verdict, and what stands beside them.

    A row of checks has `value`, `holds`, and names of what is checked; a row of estimates is as `verdicts.estimate`
    makes it. `others` are verdicts of the same rule on something else: its name, with "_" for blanks, and the metric.
    """

    def find(executed: Executed) -> Finding:
        rows = executed.metric(estimates) if estimates else []
        beside = [*map(estimate_line, rows), *_other_lines(executed, others)]
        return Finding([*map(check_line, executed.metric(checks))], str(executed.metric(verdict)), beside)

    return find


def quoted(judged: str, *names: str, **others: str) -> Find:
    """Return a reader of sentences, metrics of these names of which the rule judges the first, and of the verdict."""

    def find(executed: Executed) -> Finding:
        beside = [*map(executed.metric, names), *_other_lines(executed, others)]
        return Finding([executed.metric(judged)], str(executed.metric("verdict")), beside)

    return find


def _other_lines(executed: Executed, others: Mapping[str, str]) -> list[str]:
    return [f"{name.replace('_', ' ')}, by the same rule: {executed.metric(metric)}" for name, metric in others.items()]


CLAIMS = (
    Claim(
        "C1",
        "Norms of graph embeddings rank architectures at every hop, better with more hops; the head ranks best "
        "(two families; accuracy and three latencies).",
        ranking_verdict.RULE,
        "01_predictor_srcc",
        "Verdict on claim C1",
        "figure-srcc-by-hop",
        checked(),
    ),
    Claim(
        "C2",
        "The FE-MLP at hop 0 gives operation types a readable importance, in op-level graphs that mix both families.",
        operations_verdict.RULE,
        "02_ir_operations",
        "Verdict on claim C2",
        "figure-importance",
        checked(),
    ),
    Claim(
        "C3",
        "Module scores single out the best and the worst MBConv subgraphs, and these change with the target equation.",
        modules_verdict.RULE,
        "03_subgraph_ranking",
        "Verdict on claim C3",
        "figure-modules-norm",
        checked(estimates="estimates", effect_score="verdict_effect"),
    ),
    Claim(
        "C4",
        "Reduced spaces of the three best modules per unit, one for each target equation, improve chosen regions of "
        "the training set's accuracy-latency frontier.",
        regions_verdicts.RULE_C4,
        "04_pareto_regions",
        "Verdicts",
        "figure-clusters-first",
        checked("checks_c4", "c4", "estimates_c4", effect_score="c4_effect", additive_ridge="c4_ridge"),
    ),
    Claim(
        "C5",
        "Evolutionary search inside the product of the 25 best modules per unit beats the full space, with "
        "stage-level or layer-level mutation, and layer spaces reduced by experts.",
        regions_verdicts.RULE_C5,
        "04_pareto_regions",
        "Verdicts",
        "figure-search-curves",
        checked("checks_c5", "c5", "estimates_c5", effect_score="c5_effect"),
    ),
    Claim(
        "C6",
        "Panoptic segmentation: backbones built by AutoBuild beat the labelled ones.",
        panoptic_verdict.RULE,
        "05_panoptic",
        "Verdict on claim C6",
        "figure-built-front",
        checked(estimates="estimates", effect_score="effect", additive_ridge="ridge"),
    ),
    Claim(
        "C7",
        "Inpainting with diffusion models: from a few dozen evaluated architectures, built U-Nets beat them.",
        diffusion_verdict.RULE,
        "06_diffusion_unets",
        "Verdict on claim C7",
        "figure-built-against-best",
        quoted("norm", "ridge", "most_macs", effect_score="verdict_effect"),
    ),
)


def verdicts(chapters: Chapters, elsewhere: pd.DataFrame) -> str:
    """Return what held, in a sentence, and the table of verdicts: one row per claim.

    elsewhere: the verdicts of runs on other processors (`read_elsewhere`).
    """
    findings = {claim: _finding(claim, chapters) for claim in CLAIMS}
    header = ("claim", "the paper says", "found here", "verdict and data")
    rows = [_row(claim, finding, chapters, elsewhere) for claim, finding in findings.items()]
    table = markdown.list_table(header, rows, "verdicts")
    return f"{_counts(findings)} {_weight(chapters.profile)}\n\n{table}"


def in_short(chapters: Chapters) -> list[tuple[str, str, str]]:
    """Return of each claim whose chapter ran: its name, the verdict, and what the rule judged."""
    findings = [(claim, _finding(claim, chapters)) for claim in CLAIMS if claim.notebook in chapters.executed]
    return [(claim.name, finding.verdict, "; ".join(finding.judged)) for claim, finding in findings]


def close_calls(executed: Executed, elsewhere: pd.DataFrame) -> list[str]:
    """Return a line for each claim of a chapter whose verdict is another one on another processor."""
    lines = []
    for claim in (claim for claim in CLAIMS if claim.notebook == executed.name):
        verdict = claim.find(executed).verdict
        others = other_verdicts(elsewhere, executed.profile, claim.name, verdict)
        there = ", ".join(dict.fromkeys(f"*{other}*" for other in others["verdict"]))
        if there:
            lines.append(f"The verdict on claim {claim.name} is *{verdict}* here, and {there} on other processors")
    return lines


def _finding(claim: Claim, chapters: Chapters) -> Finding:
    if claim.notebook in chapters.executed:
        return claim.find(chapters.executed[claim.notebook])
    return Finding((), NOT_RUN_HERE)


def _counts(findings: Mapping[Claim, Finding]) -> str:
    """Say how many claims got each verdict, and which."""
    verdicts = dict.fromkeys([*VERDICTS, *(finding.verdict for finding in findings.values())])
    names = {text: [claim.name for claim, finding in findings.items() if finding.verdict == text] for text in verdicts}
    parts = [f"*{text}* {len(claims)} ({', '.join(claims)})" for text, claims in names.items() if claims]
    return f"Of {len(findings)} claims: {'; '.join(parts)}."


def _weight(profile: str) -> str:
    """Say how much the verdicts of a profile weigh."""
    named = f"These pages were built with the profile `{profile}`."
    if profile == "quick":
        named += " **It trains for minutes only, to see that everything runs: do not quote its verdicts.**"
    return named


def _row(claim: Claim, finding: Finding, chapters: Chapters, elsewhere: pd.DataFrame) -> tuple[str, ...]:
    says = f"{claim.text}\n\nRule: {claim.rule}"
    if claim.notebook not in chapters.executed:
        missing = f" See {link(claim.notebook)}." if claim.notebook in chapters.missing else ""
        return claim.name, says, f"nothing.{missing}", f"**{finding.verdict}**"
    cell = f"[the cell](/artifacts/book/{claim.notebook}.ipynb#{slug(claim.section)})"
    says += f"\n\nSee {{ref}}`the figure <{claim.figure}>` and {cell} in `{claim.notebook}`."
    numbers = markdown.bullets(finding.judged) or "nothing that the rule could judge"
    if finding.beside:
        numbers += f"\n\nBeside the rule:\n\n{markdown.bullets(finding.beside)}"
    there = note(elsewhere, chapters.profile, claim.name, finding.verdict)
    again = on_trained(claim, chapters)
    if again:
        numbers += f"\n\nOn trained networks:\n\n{markdown.bullets(again.judged)}"
    trained = f"**On trained networks: {again.verdict}** ({link(TRAINED)})" if again else ""
    verdict = [f"**{finding.verdict}**", there, f"Data: {chapters.executed[claim.notebook].kinds}", trained]
    return claim.name, says, numbers, "\n\n".join(filter(None, verdict))


def on_trained(claim: Claim, chapters: Chapters) -> Finding | None:
    """Return what the chapter on trained networks found about a claim; None where it did not run, or judges others."""
    name, executed = claim.name.lower(), chapters.executed.get(TRAINED)
    if executed is None or name not in executed.record["metrics"]:
        return None
    return checked(f"checks_{name}", name)(executed)


def slug(heading: str) -> str:
    """Return the anchor that a heading of a page gets."""
    kept = "".join(letter for letter in heading.lower() if letter.isalnum() or letter in " -_")
    return kept.replace(" ", "-")
