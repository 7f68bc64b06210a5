"""Scores beside real effects: ranks and correlations by hand, and the verdict."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from autobuild_book.chapters.shared.verdicts import NOT_SUPPORTED, PARTLY, SUPPORTED, UNDECIDED
from autobuild_book.chapters.trained import agreement
from autobuild_book.chapters.trained.effects import ACCEL, ANY, COLUMNS as EFFECT_COLUMNS

GRAPH = "nas-bench-graph:cora"


def effects_of(source: str, structure: str, real: Sequence[float], width: float = 0.0, depth: int = 1) -> pd.DataFrame:
    """Rows of one unit; a sample where there is a width, whose marginal means are all alike."""
    frame = pd.DataFrame({"module": list("abcdefgh"[: len(real)]), "mean": real, "networks": 9}).assign(
        source=source, structure=structure, unit=0, depth=depth
    )
    if width:
        ends = {"adjusted_low": frame["mean"] - width, "adjusted_high": frame["mean"] + width}
        frame = frame.assign(adjusted=real, mean=0.0, low=-1.0, high=1.0, **ends)
    return frame.reindex(columns=EFFECT_COLUMNS)


def scores_of(
    source: str, size: int, values: Sequence[float], structure: str = ANY, score: str = "norm", seed: int = 0,
    model: str = "paper",
) -> pd.DataFrame:  # fmt: skip
    text = " ".join(map(str, values))
    keys = {"source": source, "size": size, "seed": seed, "model": model, "score": score}
    return pd.DataFrame([{**keys, "structure": structure, "unit": 0, "scores": text}])


def test_a_score_in_any_structure_stands_beside_effects_in_each() -> None:
    effects = pd.concat([effects_of(GRAPH, name, real) for name, real in
                         ((ANY, [0, 0]), ("links 01", [-1, 1]), ("links 00", [2, -2]))])  # fmt: skip
    scores = pd.concat([scores_of(GRAPH, 300, [5, 6]), scores_of(GRAPH, 300, [7, 8], "links 00", "effect")])
    rows = agreement.beside(scores, effects).set_index(["score", "structure", "module"])
    assert len(rows) == 6
    assert rows.loc["norm", "links 01", "b"][["value", "real"]].tolist() == [6, 1]
    assert rows.loc["norm", "links 00", "a"][["value", "real"]].tolist() == [5, 2]
    assert rows.loc["effect", "links 00", "b"][["value", "real"]].tolist() == [8, -2]


def test_of_samples_the_adjusted_effect_counts() -> None:
    rows = agreement.beside(scores_of(ACCEL, 400, [1, 2]), effects_of(ACCEL, ANY, [3, -3], 0.5))
    assert rows["real"].tolist() == [3, -3] and rows["real_low"].tolist() == [2.5, -3.5]
    assert rows["mean"].tolist() == [0, 0]


def test_marginal_means_stand_beside_adjusted_effects() -> None:
    effects = effects_of(ACCEL, ANY, [0, 1, 2, 3], 0.5).assign(mean=[3.0, 2.0, 1.0, 0.0])
    (numbers,) = agreement.agreement(agreement.beside(scores_of(ACCEL, 400, [1, 2, 3, 4]), effects)).to_dict("records")
    assert (numbers["srcc"], numbers["marginal"]) == (pytest.approx(1), pytest.approx(-1))
    exact = agreement.beside(scores_of(GRAPH, 300, [1, 3, 2]), effects_of(GRAPH, ANY, [0, 1, 2]))
    (numbers,) = agreement.agreement(exact).to_dict("records")
    assert numbers["srcc"] == numbers["marginal"] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("values", "srcc", "rank", "certain", "lost", "ordered"),
    [
        ([1, 2, 3, 4], 1, 1, 1, 0, True),
        ([4, 3, 2, 1], -1, 4, 3, 3, False),  # c, at 2 with a width of 1, may be no better than a
        ([1, 2, 4, 3], 0.8, 2, 1, 1, False),  # the interval of c reaches the mean, 1.5
        ([5, 5, 5, 5], 0, 4, 3, 3, False),
    ],
)
def test_numbers_of_a_cell(
    values: list[float], srcc: float, rank: int, certain: int, lost: float, ordered: bool
) -> None:
    rows = agreement.beside(scores_of(ACCEL, 400, values), effects_of(ACCEL, ANY, [0, 1, 2, 3], 0.9))
    (numbers,) = agreement.agreement(rows).to_dict("records")
    assert numbers["srcc"] == pytest.approx(srcc) and numbers["lost"] == lost and numbers["modules"] == 4
    assert (numbers["rank"], numbers["certain"], numbers["ordered"]) == (rank, certain, ordered)


def test_depths_are_parts_of_a_unit() -> None:
    effects = pd.concat([effects_of(ACCEL, ANY, [0, 1], 0.1, 1), effects_of(ACCEL, ANY, [5, 6, 7], 0.1, 2)])
    rows = agreement.beside(scores_of(ACCEL, 400, [10, 11, 1, 2, 3]), effects)
    whole, parts = agreement.agreement(rows), agreement.agreement(rows, ["depth"])
    assert whole["srcc"].item() < 0 and parts["srcc"].tolist() == pytest.approx([1, 1])
    assert parts["ordered"].all() and parts["depth"].tolist() == [1, 2]
    summary = agreement.by_score(parts)
    assert summary["cells"].item() == 2 and summary["ordered"].item() == 1


def test_intervals_are_over_seeds() -> None:
    effects = effects_of(ACCEL, ANY, [0, 1, 2], 0.1)
    seeds = [scores_of(ACCEL, 400, values, seed=seed) for seed, values in enumerate(([1, 2, 3], [1, 3, 2], [1, 2, 3]))]
    numbers = agreement.agreement(agreement.beside(pd.concat(seeds), effects))
    (row,) = agreement.over_seeds(numbers, ["score"]).to_dict("records")
    assert row["srcc"] == pytest.approx((1 + 0.5 + 1) / 3) and row["low"] < row["srcc"] < row["high"]


def test_the_module_with_the_largest_difference_of_ranks_is_first() -> None:
    effects = effects_of(ACCEL, ANY, [0, 1, 2, 3], 0.1)
    seeds = [scores_of(ACCEL, 400, [9, 1, 2, 3], seed=0), scores_of(ACCEL, 400, [7, 1, 2, 3], seed=1)]
    means = agreement.mean_scores(agreement.beside(pd.concat(seeds), effects))
    assert means["value"].tolist() == pytest.approx(list(np.array([8, 1, 2, 3]) - 3.5))
    (worst,) = agreement.misjudged(means, 1).to_dict("records")
    assert (worst["module"], worst["score_rank"], worst["real_rank"]) == ("a", 1, 4)


def test_one_order_for_all_places() -> None:
    effects = pd.concat([effects_of(GRAPH, name, real) for name, real in
                         (("links 01", [0, 1, 2]), ("links 00", [0, 4, 8]), ("links 02", [5, 4, 3]))])  # fmt: skip
    (row,) = agreement.single_order(effects).to_dict("records")  # the means are 5/3, 3 and 13/3
    assert row["cells"] == 3 and row["srcc"] == pytest.approx(1) and row["worst"] == pytest.approx(-1)


def test_verdict() -> None:
    effects = pd.concat([effects_of(ACCEL, ANY, [0, 1, 2, 3], 0.1), effects_of(GRAPH, "links 01", [0, 1, 2, 3])])

    def word(accel: list[int], graph: list[int], size: int = 300) -> str:
        scores = pd.concat([scores_of(ACCEL, 400, accel), scores_of(GRAPH, size, graph)])
        return agreement.judge(agreement.beside(scores, effects)).word

    right, wrong = [1, 2, 3, 4], [4, 3, 2, 1]
    assert word(right, right) == SUPPORTED and word(right, wrong) == PARTLY
    assert word(wrong, wrong) == NOT_SUPPORTED and word(right, right, size=1000) == UNDECIDED


def test_each_preset_is_judged_by_itself() -> None:
    effects = pd.concat([effects_of(ACCEL, ANY, [0, 1, 2, 3], 0.1), effects_of(GRAPH, "links 01", [0, 1, 2, 3])])
    values = {"paper": [4, 3, 2, 1], "tuned": [1, 2, 3, 4]}
    scores = [scores_of(source, size, values[model], model=model) for source, size in ((ACCEL, 400), (GRAPH, 300))
              for model in values]  # fmt: skip
    rows = agreement.beside(pd.concat(scores), effects)
    assert agreement.judge(rows).word == NOT_SUPPORTED and agreement.judge(rows, preset="tuned").word == SUPPORTED
    assert set(agreement.middle(rows, "paper", "tuned")["model"]) == {"paper", "tuned"}
    assert "tuned preset" in agreement.judge(rows, preset="tuned").claim
