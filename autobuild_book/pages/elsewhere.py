"""Verdicts of the same profile on other processors: one that changes with the last digits is too close to call."""

from collections.abc import Sequence
from io import StringIO
from pathlib import Path

import pandas as pd

from autobuild_lib.storage import replace_text

FILE = Path("book") / "elsewhere.csv"
COLUMNS = ["profile", "processor", "claim", "verdict", "judged"]


def read_elsewhere(root: Path) -> pd.DataFrame:
    """Return the verdicts of runs on other processors, a row per run and claim; columns `COLUMNS`, all texts.

    Raises `ValueError` for a file with other columns.
    """
    path = root / FILE
    if not path.is_file():
        return pd.DataFrame(columns=COLUMNS, dtype=str)
    frame = pd.read_csv(StringIO(path.read_text(encoding="utf-8")), dtype=str, keep_default_na=False)
    if list(frame) != COLUMNS:
        raise ValueError(f"{FILE}: columns {', '.join(map(str, frame))[:200]}; expected {', '.join(COLUMNS)}")
    return frame


def record(root: Path, profile: str, processor: str, verdicts: Sequence[tuple[str, str, str]]) -> None:
    """Write the verdicts of a run (claim, verdict, what the rule judged) in the place of those of an earlier one."""
    frame = read_elsewhere(root)
    kept = frame[(frame["profile"] != profile) | (frame["processor"] != processor)]
    rows = pd.DataFrame([(profile, processor, *verdict) for verdict in verdicts], columns=COLUMNS)
    replace_text(root / FILE, pd.concat([kept, rows]).to_csv(index=False, lineterminator="\n"))


def other_verdicts(elsewhere: pd.DataFrame, profile: str, claim: str, verdict: str) -> pd.DataFrame:
    """Return the rows of a claim whose verdict is not the one of this run."""
    rows = elsewhere[(elsewhere["profile"] == profile) & (elsewhere["claim"] == claim)]
    return rows[rows["verdict"] != verdict]


def note(elsewhere: pd.DataFrame, profile: str, claim: str, verdict: str) -> str:
    """Say how the verdict of this run compares with those of the same profile elsewhere; "" where there are none."""
    count = int(((elsewhere["profile"] == profile) & (elsewhere["claim"] == claim)).sum())
    others = other_verdicts(elsewhere, profile, claim, verdict)
    if not count:
        return ""
    if others.empty:
        return f"The same on {count} other processors." if count > 1 else "The same on another processor."
    there = "; ".join(f"*{row.verdict}* on {row.processor} ({row.judged})" for row in others.itertuples())
    return f"**Too close to call**: {there}."
