"""How models rank U-Nets that they have not seen, what is left when MACs are known, and what module scores say."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata, spearmanr
from sklearn.linear_model import LinearRegression

import autobuild_lib as ab
from autobuild_book.chapters.diffusion import ranks, scores
from autobuild_book.chapters.diffusion.choice import TARGET
from autobuild_book.chapters.diffusion.task.space import unet_space
from autobuild_book.chapters.shared import few_labels
from autobuild_book.chapters.shared.few_labels import EFFECT, NORM, RIDGE, Fold
from autobuild_lib.predictor import Predictor
from autobuild_lib.statistics import srcc_with_interval
from tests.helpers.unet_tables import random_corpus, unet_table

TABLE = unet_table()
Learnt = tuple[dict[str, list[Predictor]], list[Fold]]


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Learnt:
    """Two predictors on 30 U-Nets, and two repeats of five folds, in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(few_labels, "fit_jobs", lambda jobs, folder: [job.run(folder) for job in jobs])
        return few_labels.train(TABLE, (TARGET,), [5, 6], 12, tmp_path_factory.mktemp("trained"), repeats=2)


@pytest.fixture(scope="module")
def predictions(learnt: Learnt) -> pd.DataFrame:
    return ranks.out_of_fold(learnt[1])


def test_every_row_is_in_one_test_part_of_each_repeat(learnt: Learnt) -> None:
    trained, folds = learnt
    assert [p.provenance["seed"] for p in trained[TARGET]] == [5, 6] and len(folds) == 10
    for repeat in (0, 1):
        own = [fold for fold in folds if fold.repeat == repeat]
        tests = [a for fold in own for a in fold.test.architectures]
        assert sorted(map(str, tests)) == sorted(map(str, TABLE.architectures))
        assert all(not set(fold.train.architectures) & set(fold.test.architectures) for fold in own)
        assert {fold.predictors[0].provenance["seed"] for fold in own} == {5 + repeat}
    first, second = ({frozenset(f.test.architectures) for f in folds if f.repeat == n} for n in (0, 1))
    assert first != second, "the second repeat has other folds"


def test_predictions_of_a_fold_are_those_of_its_models(learnt: Learnt, predictions: pd.DataFrame) -> None:
    fold = learnt[1][0]
    texts = list(map(str, fold.test.architectures))
    own = predictions[(predictions["repeat"] == 0) & predictions["architecture"].isin(texts)]
    by_model = {model: part.set_index("architecture").loc[texts] for model, part in own.groupby("model")}
    assert by_model[ranks.HEAD]["predicted"].to_numpy() == pytest.approx(
        fold.predictors[0].predict(fold.test.architectures)
    )
    known, norms = (fold.predictors[0].norms(part.architectures)[3] for part in (fold.train, fold.test))
    assert by_model["hop 3"]["predicted"].to_numpy() == pytest.approx((norms - known.mean()) / known.std())
    line = LinearRegression().fit(np.log(fold.train.labels[["macs"]]), -fold.train.labels["log_distance"])
    wanted = line.predict(np.log(fold.test.labels[["macs"]]))
    assert by_model[ranks.COST]["predicted"].to_numpy() == pytest.approx(wanted)
    assert by_model[ranks.RIDGE]["truth"].to_numpy() == pytest.approx(-fold.test.labels["log_distance"].to_numpy())


def test_models_stand_in_order_and_without_a_cost_one_is_left_out(learnt: Learnt, predictions: pd.DataFrame) -> None:
    models = [ranks.HEAD, "hop 4", "hop 3", "hop 2", "hop 1", "hop 0", ranks.RIDGE, ranks.COST]
    assert list(dict.fromkeys(predictions["model"])) == models
    without = ranks.out_of_fold(learnt[1], cost="energy")
    assert list(dict.fromkeys(without["model"])) == models[:-1] and "cost" not in without
    found = ranks.rank_quality(without, resamples=20)
    assert found["srcc"].notna().all() and found[["partial", "gain"]].isna().all(axis=None)


def predicted(truth: Sequence[float], cost: Sequence[float], **models: Sequence[Sequence[float]]) -> pd.DataFrame:
    """Predictions of models, a list per repeat."""
    frames = [
        pd.DataFrame({"repeat": repeat, "architecture": [f"a{i}" for i in range(len(truth))], "truth": truth,
                      "model": model, "predicted": values, "cost": cost})
        for model, repeats in models.items() for repeat, values in enumerate(repeats)
    ]  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def test_rank_correlations_are_means_over_repeats() -> None:
    truth, cost = [1, 2, 3, 4, 5], [1, 3, 2, 5, 4]
    frame = predicted(truth, cost, **{"m": [[1, 2, 3, 5, 4], [5, 4, 3, 2, 1]], ranks.COST: [cost, cost]})
    found = ranks.rank_quality(frame, resamples=50).set_index("model")
    assert found["srcc"].to_dict() == pytest.approx({"m": (0.9 - 1) / 2, ranks.COST: 0.8})
    assert found["gain"].to_dict() == pytest.approx({"m": -0.05 - 0.8, ranks.COST: 0.0})
    assert np.isnan(found["partial"][ranks.COST]) and found["srcc_low"]["m"] < -0.05 < found["srcc_high"]["m"]


def test_partial_correlation_is_that_of_residuals() -> None:
    rng = np.random.default_rng(0)
    cost = rng.normal(size=60)
    truth, model = cost + rng.normal(size=60), cost + rng.normal(size=60)
    ranked = [rankdata(values) for values in (truth, model, cost)]
    residuals = [own - np.polyval(np.polyfit(ranked[2], own, 1), ranked[2]) for own in ranked[:2]]
    frame = predicted(truth.tolist(), cost.tolist(), m=[model.tolist()])
    found = ranks.rank_quality(frame, resamples=400).iloc[0]
    assert found["partial"] == pytest.approx(np.corrcoef(*residuals)[0, 1])
    assert found["srcc"] == pytest.approx(spearmanr(truth, model).statistic)
    assert found["partial_low"] < 0 < found["partial_high"], "the model knows nothing but the cost"
    assert found["srcc_low"] > 0


def test_the_bootstrap_gives_the_usual_interval() -> None:
    """Fisher's interval of a rank correlation of 200 rows (Bonett and Wright, 2000)."""
    rng = np.random.default_rng(1)
    truth = rng.normal(size=200)
    model = truth + rng.normal(size=200)
    frame = predicted(truth.tolist(), rng.normal(size=200).tolist(), m=[model.tolist()])
    found = ranks.rank_quality(frame, resamples=2000).iloc[0]
    low, high = srcc_with_interval(model, truth)[1:]
    assert (found["srcc_low"], found["srcc_high"]) == pytest.approx((low, high), abs=0.03)


# -------------------------------------------------------------------- module scores


def test_main_effects_by_hand() -> None:
    """A toy corpus: two stages, the first with 2 widths and 1 or 2 blocks."""
    space = ab.SequenceSpace("two", [ab.Unit(1, 2, features={"width": [8, 16]}), ab.Unit(1, 1)], {"block": ["b"]})
    corpus = random_corpus(space, 3)
    found = scores.main_effects(corpus).set_index(["stage", "feature", "value"])["effect"]
    table = corpus.table
    first = table[table["unit"] == 0]
    assert len(first) == 4
    for width in (8, 16):
        own = first[first["module"].str.startswith(f"width{width};")]["score"].mean() - first["score"].mean()
        assert found["unit 0", "width", width] == pytest.approx(own)
    deep = first[first["depth"] == 2]["score"].mean() - first["score"].mean()
    assert found["unit 0", "blocks", 2] == pytest.approx(deep) == -found["unit 0", "blocks", 1]
    assert found["unit 1", "blocks", 1] == 0 and len(found) == 5


def test_effects_of_every_score_with_intervals_over_predictors(learnt: Learnt) -> None:
    found = scores.effects_by_score(TABLE, learnt[0][TARGET])
    assert found.groupby("score", sort=False).size().to_dict() == {NORM: 40, EFFECT: 40, RIDGE: 40}
    assert list(dict.fromkeys(found["stage"])) == ["D1", "D2", "M", "U2", "U1"]
    of_predictors = found[found["score"] != RIDGE]
    assert (of_predictors["low"] <= of_predictors["effect"]).all() and found[found["score"] == RIDGE][
        "low"
    ].isna().all()
    totals = found.groupby(["score", "stage", "feature"])["effect"].sum()
    assert totals.abs().max() < 1e-9, "every value stands in as many modules"
    ridge: Any = found[(found["score"] == RIDGE) & (found["feature"] == "width")].groupby("value")["effect"].mean()
    assert ridge[16] < ridge[48], "distance falls with MACs here, so wider is better"


def test_stages_have_names_only_in_our_space(toy: ab.SequenceSpace) -> None:
    assert scores.stage_name(unet_space(), 2) == "M" and scores.stage_name(toy, 1) == "unit 1"
