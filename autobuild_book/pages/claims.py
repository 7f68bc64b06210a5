"""The paper's claims, and what the metrics of the notebooks say about each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import pandas as pd

from autobuild_book.chapters.diffusion import verdict as diffusion_verdict
from autobuild_book.chapters.diffusion.choice import AS_BEST
from autobuild_book.chapters.modules import verdict as modules_verdict
from autobuild_book.chapters.operations import verdict as operations_verdict
from autobuild_book.chapters.panoptic import verdict as panoptic_verdict
from autobuild_book.chapters.regions import verdicts as regions_verdicts
from autobuild_book.chapters.shared import hop_verdict as ranking_verdict
from autobuild_book.chapters.shared.few_labels import NORM
from autobuild_book.chapters.shared.verdicts import WORDS, check_line, estimate_line
from autobuild_book.pages.elsewhere import other_verdicts
from autobuild_book.pages.executed import Executed
from autobuild_book.pages.numbers import Read, from_check, from_difference, from_estimate
from autobuild_book.pages.states import NOT_RUN_HERE, Chapters

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

    short, text: what the paper says, in a few words and whole. rule: when it is supported, in a line. notebook: where
    it is measured. section: the heading there under which the verdict is computed. figure: the label of the figure to
    look at. find: what the notebook's metrics say. number: the one number to show.
    """

    name: str
    short: str
    text: str
    rule: str
    notebook: str
    section: str
    figure: str
    find: Find
    number: Read


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
        "Norms rank networks, more hops better, the head best",
        "Norms of graph embeddings rank architectures at every hop, better with more hops; the head ranks best "
        "(two families; accuracy and three latencies).",
        ranking_verdict.RULE,
        "01_predictor_srcc",
        "Verdict on claim C1",
        "figure-srcc-by-hop",
        checked(),
        from_check("gain of the head over hop 4", "head beats", 0),
    ),
    Claim(
        "C2",
        "Hop 0 says which operations matter",
        "The FE-MLP at hop 0 gives operation types a readable importance, in op-level graphs that mix both families.",
        operations_verdict.RULE,
        "02_ir_operations",
        "Verdict on claim C2",
        "figure-importance",
        checked(),
        from_check("agreement of seeds (tau)", "seeds agree", 0.6),
    ),
    Claim(
        "C3",
        "Scores single out the best and worst modules",
        "Module scores single out the best and the worst MBConv subgraphs, and these change with the target equation.",
        modules_verdict.RULE,
        "03_subgraph_ranking",
        "Verdict on claim C3",
        "figure-modules-norm",
        checked(estimates="estimates", effect_score="verdict_effect"),
        from_estimate("rank correlation of score and effect", "estimates", "median over units", 0.5),
    ),
    Claim(
        "C4",
        "Spaces of the three best modules improve regions",
        "Reduced spaces of the three best modules per unit, one for each target equation, improve chosen regions of "
        "the training set's accuracy-latency frontier.",
        regions_verdicts.RULE_C4,
        "04_pareto_regions",
        "Verdicts",
        "figure-clusters-first",
        checked("checks_c4", "c4", "estimates_c4", effect_score="c4_effect", additive_ridge="c4_ridge"),
        from_estimate("share that improves its region", "estimates_c4", "share", 0.5),
    ),
    Claim(
        "C5",
        "Search among the 25 best modules beats the full space",
        "Evolutionary search inside the product of the 25 best modules per unit beats the full space, with "
        "stage-level or layer-level mutation, and layer spaces reduced by experts.",
        regions_verdicts.RULE_C5,
        "04_pareto_regions",
        "Verdicts",
        "figure-search-curves",
        checked("checks_c5", "c5", "estimates_c5", effect_score="c5_effect"),
        from_estimate("hypervolume won over the hardest rival", "estimates_c5", "hypervolume", 0, place=-1),
    ),
    Claim(
        "C6",
        "Panoptic: built backbones beat labelled ones",
        "Panoptic segmentation: backbones built by AutoBuild beat the labelled ones.",
        panoptic_verdict.RULE,
        "05_panoptic",
        "Verdict on claim C6",
        "figure-built-front",
        checked(estimates="estimates", effect_score="effect", additive_ridge="ridge"),
        from_estimate("PQ won in the second best region", "estimates", "PQ of a built", 0, place=1),
    ),
    Claim(
        "C7",
        "Diffusion: built U-Nets beat a few dozen labelled ones",
        "Inpainting with diffusion models: from a few dozen evaluated architectures, built U-Nets beat them.",
        diffusion_verdict.RULE,
        "06_diffusion_unets",
        "Verdict on claim C7",
        "figure-built-against-best",
        quoted("norm", "ridge", "most_macs", effect_score="verdict_effect"),
        from_difference(
            "log distance to the best labelled one",
            "comparison_table",
            0,
            setting=AS_BEST,
            group=NORM,
        ),
    ),
)


def in_short(chapters: Chapters) -> list[tuple[str, str, str]]:
    """Return of each claim whose chapter ran: its name, the verdict, and what the rule judged."""
    findings = [(claim, finding_of(claim, chapters)) for claim in CLAIMS if claim.notebook in chapters.executed]
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


def finding_of(claim: Claim, chapters: Chapters) -> Finding:
    """Return what a chapter found about a claim; without results, that it was not run."""
    if claim.notebook in chapters.executed:
        return claim.find(chapters.executed[claim.notebook])
    return Finding((), NOT_RUN_HERE)


def on_trained(claim: Claim, chapters: Chapters) -> Finding | None:
    """Return what the chapter on trained networks found about a claim; None where it did not run, or judges others.

    The verdict is that of the paper's preset; where the tuned one was judged, too, it stands beside it.
    """
    name, executed = claim.name.lower(), chapters.executed.get(TRAINED)
    if executed is None or name not in executed.record["metrics"]:
        return None
    tuned = f"{name}_tuned"
    others = {"tuned_preset": tuned} if tuned in executed.record["metrics"] else {}
    return checked(f"checks_{name}", name, **others)(executed)


def slug(heading: str) -> str:
    """Return the anchor that a heading of a page gets."""
    kept = "".join(letter for letter in heading.lower() if letter.isalnum() or letter in " -_")
    return kept.replace(" ", "-")
