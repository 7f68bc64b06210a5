"""The additive ridge: finds additive functions, sees absent layers, and is plain ridge regression."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

import autobuild_lib as ab
from autobuild_book.chapters.shared.ridge import PENALTIES, AdditiveRidge, ridge_corpora, ridge_corpus

RNG = np.random.default_rng(2)


def worth(architecture: ab.Architecture) -> float:
    """What each choice adds: width / 16, an amount per operation, and twice the ratio, for each layer that is there."""
    amounts = {"identity": 0.0, "mb3": 1.0, "mb6": 2.5}
    total = 0.0
    for unit in architecture.units():
        parts = [layer.split("_") for layer in unit["layers"]]
        total += unit.get("width", 0) / 16
        total += sum(amounts[first] + 2 * float(rest[-1].removeprefix("ratio")) for first, *rest in parts)
    return total


def test_finds_an_additive_function_and_most_of_it_under_noise(toy: ab.SequenceSpace) -> None:
    architectures = toy.sample(RNG, 300)
    truth = np.array([worth(a) for a in architectures])
    exact = AdditiveRidge(toy).fit(architectures[:200], truth[:200])
    np.testing.assert_allclose(exact.predict(architectures[200:]), truth[200:], atol=0.01)
    noise = RNG.normal(0, 0.5, 200)
    noisy = AdditiveRidge(toy).fit(architectures[:200], truth[:200] + noise)
    assert np.abs(noisy.predict(architectures[200:]) - truth[200:]).mean() < 0.25


def test_cannot_find_a_product() -> None:
    space = ab.SequenceSpace("two", [ab.Unit(1, 1)] * 2, {"op": ["a", "b", "c"]})
    architectures = list(space)
    sign = np.array([(1.0 if a.code[1] else -1.0) * (1.0 if a.code[3] else -1.0) for a in architectures])
    sign -= sign.mean()
    model = AdditiveRidge(space).fit(architectures, sign)
    assert np.abs(model.predict(architectures) - sign).max() > 0.3


def test_an_absent_layer_is_not_the_first_choice() -> None:
    # Worth: each layer 1 whatever it is. Codes of absent layers are 0, as are those of choice "a".
    space = ab.SequenceSpace("depth", [ab.Unit(1, 3)], {"op": ["a", "b"]})
    architectures = list(space)
    worth = np.array([float(sum(layer == "a" for layer in a.to_lists()[0])) for a in architectures])
    model = AdditiveRidge(space).fit(architectures, worth)
    np.testing.assert_allclose(model.predict(architectures), worth, atol=0.02)


def plain_one_hot(architectures: list[ab.Architecture]) -> np.ndarray:
    """One column for each choice at each place that the architectures hold, from their nested lists."""
    facts = []
    for architecture in architectures:
        own = set()
        for number, layers in enumerate(architecture.to_lists()):
            own.add((number, "depth", len(layers)))
            padded = [layer.split("_") for layer in layers] + [["none"] * 3] * (4 - len(layers))
            for place, parts in enumerate(padded):
                own |= {(number, place, part, text) for part, text in enumerate(parts)}
        facts.append(own)
    columns = sorted(set().union(*facts), key=str)
    return np.array([[column in own for column in columns] for own in facts], dtype=float)


def test_equals_ridge_by_the_plain_route() -> None:
    space = ab.spaces.ofa_mbv3()
    architectures = space.sample(RNG, 120)
    x, y = plain_one_hot(architectures), RNG.normal(size=120)
    x -= x[:90].mean(0)

    def left_out(alpha: float) -> float:  # squared error of leaving out each training row: residual / (1 - leverage)
        a, b = x[:90], y[:90] - y[:90].mean()
        hat = a @ np.linalg.solve(a.T @ a + alpha * np.eye(a.shape[1]), a.T) + 1 / 90
        return float(np.mean(((b - hat @ b) / (1 - np.diag(hat))) ** 2))

    alpha = min(PENALTIES, key=left_out)
    expected = Ridge(alpha=alpha).fit(x[:90], y[:90]).predict(x[90:])
    model = AdditiveRidge(space).fit(architectures[:90], y[:90])
    assert model.model[-1].alpha_ == pytest.approx(alpha)
    np.testing.assert_allclose(model.predict(architectures[90:]), expected, atol=1e-6)


def test_a_choice_that_training_never_saw_adds_nothing() -> None:
    space = ab.SequenceSpace("one", [ab.Unit(1, 1)], {"op": ["a", "b", "c"]})
    a, b, c = space
    model = AdditiveRidge(space).fit([a, b] * 5, np.array([0.0, 1.0] * 5))
    assert model.predict([c])[0] == pytest.approx(0.5)


def test_architectures_of_another_space_are_refused(toy: ab.SequenceSpace) -> None:
    other = ab.spaces.ofa_mbv3().sample(RNG)
    with pytest.raises(ab.SpaceError, match="'ofa_mbv3' given to space 'toy'"):
        AdditiveRidge(toy).fit([other], np.zeros(1))


# -------------------------------------------------------------------- as scores of modules


def test_ridge_scores_are_differences_of_predictions(toy: ab.SequenceSpace, toy_table: ab.data.Table) -> None:
    corpus = ridge_corpus(toy_table, "additive", b"")
    ridge = AdditiveRidge(toy).fit(toy_table.architectures, toy_table.labels.additive.to_numpy())
    drawn = toy.sample(np.random.default_rng(3), 40)
    gap = corpus.everything().scores(drawn) - ridge.predict(drawn)
    assert np.ptp(gap) < 1e-9, "summed scores and predictions differ by a constant"
    assert (corpus.kind, corpus.interval, len(corpus)) == ("ridge", "none", len(ab.score_units(
        ab.fit(toy, toy_table, "additive", epochs=1, progress=False))))  # fmt: skip


def test_several_targets_at_once_score_as_each_does_alone(toy_table: ab.data.Table) -> None:
    both = ridge_corpora(toy_table, ["additive", "other"], b"")
    for target, corpus in both.items():
        for together, alone in zip(corpus.groups, ridge_corpus(toy_table, target, b"").groups, strict=True):
            np.testing.assert_array_equal(together.scores, alone.scores)
    assert [corpus.target for corpus in both.values()] == ["additive", "other"]


def test_ridge_finds_the_best_modules_of_an_additive_label(toy_table: ab.data.Table) -> None:
    best = ridge_corpus(toy_table, "additive", b"").top(1).best(1)[0]
    assert best.to_lists() == [["mb6_k5_ratio1"] * depth for depth in (2, 3, 1)] and best.units()[1]["width"] == 48
