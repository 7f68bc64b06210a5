"""The page of verdicts: a table that one screen holds, and below it, folded, the rule and all numbers of each claim."""

from collections.abc import Mapping

import pandas as pd

from autobuild_book.pages import markdown
from autobuild_book.pages.claims import CLAIMS, TRAINED, VERDICTS, Claim, Finding, finding_of, on_trained, slug
from autobuild_book.pages.elsewhere import note, other_verdicts
from autobuild_book.pages.numbers import drawing
from autobuild_book.pages.states import Chapters, link

HEADER = ("claim", "verdict", "on trained networks", "one number")


def verdicts(chapters: Chapters, elsewhere: pd.DataFrame) -> str:
    """Return what held, in a sentence, the table of verdicts with a row per claim, and all about each claim, folded.

    elsewhere: the verdicts of runs on other processors (`read_elsewhere`).
    """
    findings = {claim: finding_of(claim, chapters) for claim in CLAIMS}
    rows = [_row(claim, finding, chapters, elsewhere) for claim, finding in findings.items()]
    table = markdown.list_table(HEADER, rows, "verdicts")
    folded = [_folded(claim, finding, chapters, elsewhere) for claim, finding in findings.items()]
    return "\n\n".join([f"{counts(findings)} {_weight(chapters.profile)}", table, *folded])


def counts(findings: Mapping[Claim, Finding]) -> str:
    """Say how many claims got each verdict, and which."""
    words = dict.fromkeys([*VERDICTS, *(finding.verdict for finding in findings.values())])
    names = {text: [claim.name for claim, finding in findings.items() if finding.verdict == text] for text in words}
    parts = [f"*{text}* {len(claims)} ({', '.join(claims)})" for text, claims in names.items() if claims]
    return f"Of {len(findings)} claims: {'; '.join(parts)}."


def _weight(profile: str) -> str:
    """Say how much the verdicts of a profile weigh."""
    named = f"These pages were built with the profile `{profile}`."
    if profile == "quick":
        named += " **It trains for minutes only, to see that everything runs: do not quote its verdicts.**"
    return named


def word(verdict: str) -> str:
    """Write a verdict as a word whose colour, and a mark before it, say the same."""
    return f"[{verdict}]{{.verdict .{verdict.replace(' ', '-')}}}"


def _row(claim: Claim, finding: Finding, chapters: Chapters, elsewhere: pd.DataFrame) -> tuple[str, ...]:
    named = f"{{ref}}`{claim.name} <claim-{claim.name.lower()}>` {claim.short}"
    again = on_trained(claim, chapters)
    number = claim.number(chapters.executed[claim.notebook]) if claim.notebook in chapters.executed else None
    shown = f"{drawing(number)} [{number}]{{.number}} {number.name}" if number else "–"
    close = not other_verdicts(elsewhere, chapters.profile, claim.name, finding.verdict).empty
    verdict = f"{word(finding.verdict)}{' (too close to call)' * close}"
    return named, verdict, word(again.verdict) if again else "–", shown


def _folded(claim: Claim, finding: Finding, chapters: Chapters, elsewhere: pd.DataFrame) -> str:
    """Write all about a claim: what the paper says, the rule, what was found, on which data."""
    text = "\n\n".join(filter(None, _parts(claim, finding, chapters, elsewhere)))
    return f"````{{dropdown}} {claim.name}: rule and numbers\n\n(claim-{claim.name.lower()})=\n{text}\n````"


def _parts(claim: Claim, finding: Finding, chapters: Chapters, elsewhere: pd.DataFrame) -> list[str]:
    says = [f"{claim.text}", f"Rule: {claim.rule}"]
    if claim.notebook not in chapters.executed:
        missing = f" See {link(claim.notebook)}." if claim.notebook in chapters.missing else ""
        return [*says, f"**{finding.verdict}**{missing}"]
    cell = f"[the cell](/artifacts/book/{claim.notebook}.ipynb#{slug(claim.section)})"
    beside = f"Beside the rule:\n\n{markdown.bullets(finding.beside)}" if finding.beside else ""
    again = on_trained(claim, chapters)
    trained = (
        f"**On trained networks, with the paper's preset: {again.verdict}** ({link(TRAINED)})\n\n"
        f"{markdown.bullets([*again.judged, *again.beside])}"
        if again
        else ""
    )
    return [
        *says,
        f"See {{ref}}`the figure <{claim.figure}>` and {cell} in `{claim.notebook}`.",
        f"**{finding.verdict}**. Data: {chapters.executed[claim.notebook].kinds}.",
        note(elsewhere, chapters.profile, claim.name, finding.verdict),
        markdown.bullets(finding.judged) or "Nothing that the rule could judge.",
        beside,
        trained,
    ]
