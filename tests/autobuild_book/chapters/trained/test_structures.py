"""One reduced space per structure: scores against brute force over all networks of a structure."""

from collections.abc import Sequence

import numpy as np
import pytest

import autobuild_lib as ab
from autobuild_book.chapters.shared.models.autobuild import AutoBuild, AutoBuildEnsemble
from autobuild_book.chapters.shared.models.on_ranks import OnRanks
from autobuild_book.chapters.trained.structures import by_effect, members, predict_all, score_all, scores_of
from autobuild_lib.predictor import Predictor
from tests.helpers.trees import EVERY, SPACE, trees_table

ARCHITECTURES = SPACE.from_codes(EVERY)


class Odd:
    """A model with interactions: a number for every text."""

    def predict(self, architectures: Sequence[ab.Architecture]) -> np.ndarray:
        return np.array([np.random.default_rng(list(map(ord, str(each)))).random() for each in architectures])


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return ab.fit(SPACE, trees_table(), "acc", preset="tuned", epochs=2, progress=False)


def test_effects_and_structures_by_brute_force() -> None:
    structures = by_effect(predict_all(Odd(), SPACE))
    values = Odd().predict(ARCHITECTURES)
    scores = {}
    for structure in structures:
        inside = [place for place, each in enumerate(ARCHITECTURES) if str(each).startswith(structure.name)]
        mean = values[inside].mean()
        assert structure.mean == pytest.approx(mean)
        total = mean
        for unit, group in enumerate(structure.modules.groups):
            texts = SPACE.scoring_groups[unit].texts(group.codes)
            effects = [values[[p for p in inside if str(ARCHITECTURES[p]).split("|")[unit + 1] == text]].mean() - mean
                       for text in texts]  # fmt: skip
            np.testing.assert_allclose(group.scores, effects, atol=1e-12)
            assert effects == sorted(effects, reverse=True)
            total += np.mean(effects[:3])
        scores[structure.name] = total
        built = Odd().predict(list(structure.top()))
        assert structure.score == pytest.approx(total)
        codes = structure.top().codes()
        assert structure.mean_prediction == pytest.approx(Odd().predict(SPACE.from_codes(codes)).mean())
        assert len(codes) == 81 and len(built) <= 81
    assert [structure.name for structure in structures] == sorted(scores, key=lambda name: -scores[name])


def test_scores_of_networks_are_sums(predictor: Predictor) -> None:
    scored = score_all(predictor, SPACE)
    assert list(scored) == ["norm", "effect"]
    chosen = ARCHITECTURES[::97]
    for score, structures in scored.items():
        by_name = {structure.name: structure for structure in structures}
        sums = scores_of(structures, chosen)
        for each, total in zip(chosen, sums, strict=True):
            name, *modules = str(each).split("|")
            structure, expected = by_name[name], by_name[name].mean
            for unit, module in enumerate(modules):
                group = structure.modules.groups[unit]
                expected += group.scores[SPACE.scoring_groups[unit].texts(group.codes).index(module)]
            assert total == pytest.approx(expected), score
    corpus = ab.score_units(predictor, "norm", {"links": "0112"}, progress=False)
    norm = next(structure for structure in scored["norm"] if structure.name == "0112")
    assert norm.top().codes().tolist() == corpus.top(3).codes().tolist()


def test_norm_structures_know_what_is_predicted(predictor: Predictor) -> None:
    for structures in score_all(predictor, SPACE).values():
        for structure in structures:
            values = predictor.predict(SPACE.from_codes(structure.top().codes()))
            assert structure.mean_prediction == pytest.approx(values.mean(), rel=1e-5)


def test_other_models_have_effects_only() -> None:
    assert list(score_all(Odd(), SPACE)) == ["effect"]


def test_an_ensemble_on_ranks_has_the_mean_norm_score_of_its_members() -> None:
    recipe = OnRanks("r", AutoBuildEnsemble("e", AutoBuild("m", "tuned", (("epochs", 1),)), 2))
    (model,) = recipe.fit_many(trees_table(), ["acc"])
    predictors = members(model)
    assert len(predictors) == 2
    scored = score_all(model, SPACE)
    assert list(scored) == ["norm", "effect"]
    norm = next(structure for structure in scored["norm"] if structure.name == "0011")
    corpus = ab.score_units(predictors, "norm", {"links": "0011"}, progress=False)
    assert norm.top().codes().tolist() == corpus.top(3).codes().tolist()
