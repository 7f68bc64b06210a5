"""Whether a predictor ranks better than chance, and what may be said of the networks that it prefers."""

from collections.abc import Mapping, Sequence

import pandas as pd

from autobuild_lib.predictor import Predictor
from autobuild_lib.spaces import Architecture, SequenceSpace
from autobuild_lib.units.reduced import ReducedSpace

HEAD = "head"


def read_rows(space: SequenceSpace, score: str) -> list[str]:
    """Return the rows of a report that a module score rests on: the head, or for each depth of a unit its hop."""
    depths = sorted({depth for group in space.scoring_groups for depth in group.lengths})
    return [HEAD] if score == "effect" else [f"hop {depth - 1}" for depth in depths]


def no_better_than_chance(report: pd.DataFrame, rows: Sequence[str]) -> list[str]:
    """Return those rows of a report of `ab.evaluate` whose interval reaches 0 or below, or is not known."""
    return [row for row in rows if row in report.index and not report.low[row] > 0]


def doubts(report: pd.DataFrame, space: SequenceSpace) -> dict[str, list[str]]:
    """Return for each module score the rows that it rests on and that rank no better than chance."""
    return {score: no_better_than_chance(report, read_rows(space, score)) for score in ("norm", "effect")}


def in_words(report: pd.DataFrame, doubted: Mapping[str, Sequence[str]]) -> str:
    """Say in a sentence or two whether the scores may be believed."""
    if not (rows := [row for some in doubted.values() for row in some]):
        return "All that the scores read ranks unseen networks better than chance."
    numbers = [f"{row} ({report.srcc[row]:+.2f}, {_interval(report, row)})" for row in rows]
    reading = [_reading(score, some) for score, some in doubted.items() if some]
    first = "what such a score puts first there may be the worst"
    return f"No better than chance ranks: {', '.join(numbers)}. {'; '.join(reading)}: {first}."


def _interval(report: pd.DataFrame, row: str) -> str:
    low, high = report.low[row], report.high[row]
    return "no interval" if pd.isna(low) else f"95 % interval {low:+.2f} to {high:+.2f}"


def _reading(score: str, rows: Sequence[str]) -> str:
    if score == "effect":
        return "The effect score reads the head"
    layers = ", ".join(str(int(row.removeprefix("hop ")) + 1) for row in rows)
    return f"The norm score reads such a hop in modules of {layers} layer{'s' * (layers != '1')}"


def warning(report: pd.DataFrame, doubted: Mapping[str, Sequence[str]]) -> str:
    """Return `in_words` as Markdown: set apart, with what to do, where there are doubts."""
    text = in_words(report, doubted)
    if not any(doubted.values()):
        return text
    remedy = "Train longer, on more rows or with other `options`, before you build on these scores."
    return f"> **Warning.** {text} {remedy}"


def built_networks(
    predictor: Predictor, built: Mapping[str, tuple[ReducedSpace, Sequence[Architecture]]],
    doubted: Mapping[str, Sequence[str]],
) -> pd.DataFrame:  # fmt: skip
    """Return a row for each built network: score, place (from 1), architecture, sum, prediction, doubts.

    Args:
        predictor: whose head predicts the label.
        built: for each module score the reduced space, and networks of it, the highest sum first.
        doubted: from `doubts`; what stands there is in the column `doubts`.
    """
    parts = []
    for score, (reduced, networks) in built.items():
        sums, predicted = reduced.scores(networks), predictor.predict(networks)
        columns = {"place": range(1, len(networks) + 1), "architecture": list(map(str, networks)), "sum": sums}
        part = pd.DataFrame({"score": score, **columns, "prediction": predicted})
        parts.append(part.assign(doubts=", ".join(doubted[score])))
    return pd.concat(parts, ignore_index=True)
