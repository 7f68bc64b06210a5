"""Scores of modules, kept one row per unit."""

import numpy as np
import pandas as pd
import pytest

import autobuild_lib as ab
from autobuild_book.chapters.shared.ridge import ridge_corpus
from autobuild_book.chapters.trained import scores


@pytest.fixture(scope="module")
def trees() -> ab.data.Table:
    """Two units of one operation, in a row or beside each other; `acc` counts operations b."""
    space = ab.SequenceSpace(
        name="pairs",
        units=[ab.Unit(min_layers=1, max_layers=1)] * 2,
        layer_features={"op": ["a", "b", "c"]},
        global_features={},
        links={"01": [[], [0]], "00": [[], []]},
    )
    different = dict.fromkeys(space.canonical(architecture) for architecture in space)
    labels = [{"acc": float(str(each).count("b")) + 0.1 * str(each).count("c")} for each in different]
    return ab.data.from_records(space, list(zip(different, labels, strict=True)))


def test_a_row_per_score_structure_and_unit(trees: ab.data.Table) -> None:
    predictor = ab.fit(trees.space, trees, "acc", preset="tuned", epochs=2, progress=False)
    named = list(scores.predictor_scores(predictor))
    assert [(score, structure) for score, structure, _ in named] == [
        ("norm", scores.ANY), ("effect", "links 01"), ("effect", "links 00")
    ]  # fmt: skip
    by_links = ab.score_units(predictor, "effect", {"links": "00"}, progress=False)
    np.testing.assert_allclose(named[2][2].groups[1].scores, by_links.groups[1].scores)


def test_long_form_has_every_module(trees: ab.data.Table) -> None:
    rows = scores.scored(trees, scores.RIDGE, 0)
    corpus = ridge_corpus(trees, "acc", bytes(1))
    assert rows["unit"].tolist() == [0, 1] and set(rows["structure"]) == {scores.ANY}
    values = scores.long_form(rows)
    assert values["place"].tolist() == [0, 1, 2] * 2 and "scores" not in values
    np.testing.assert_allclose(values["value"], np.concatenate([g.scores for g in corpus.groups]), rtol=1e-4)


def test_a_part_names_what_it_is_about(monkeypatch: pytest.MonkeyPatch, trees: ab.data.Table) -> None:
    monkeypatch.setattr(scores, "trained_table", lambda source: trees)
    part = scores.Scores("pairs", scores.RIDGE, 6, 1)
    rows = part.measure()
    assert list(rows) == scores.COLUMNS and rows[["source", "size", "seed"]].drop_duplicates().values.tolist() == [
        ["pairs", 6, 1]
    ]
    others = [scores.Scores("pairs", scores.RIDGE, 6, 2), scores.Scores("pairs", scores.TUNED, 6, 1)]
    assert len({each.key for each in (part, *others)}) == 3


def test_plan() -> None:
    parts = pd.DataFrame([vars(part) for part in scores.plan()])
    assert not parts.duplicated().any() and set(parts["source"]) == set(scores.SOURCES)
    accel = parts[parts["source"] == scores.ACCEL]
    assert set(accel["size"]) == {scores.LARGE[size] for size in scores.SIZES} and set(accel["model"]) == {
        "tuned",
        "paper",
        "ridge",
    }
    assert set(parts[parts["source"] == scores.SOURCES[-1]]["size"]) == {scores.MIDDLE}
    presets = parts[parts["source"] != scores.ACCEL].groupby("model")[["source", "size", "seed"]]
    pd.testing.assert_frame_equal(*(presets.get_group(model).reset_index(drop=True) for model in ("tuned", "paper")))
    assert {part.seed for part in scores.plan(seeds=[7])} == {7}
