"""The registry: one way to fit and predict, nothing known but the training rows; kernels and columns by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import approx_fprime
from scipy.stats import norm

import autobuild_lib as ab
from autobuild_book.chapters.shared.models import combined
from autobuild_book.chapters.shared.models.autobuild import AutoBuild, AutoBuildEnsemble
from autobuild_book.chapters.shared.models.combined import AutoBuildOnGraf, Extension, embeddings
from autobuild_book.chapters.shared.models.features import GRAF, ONE_HOT, PROXIES, as_matrix, compute
from autobuild_book.chapters.shared.models.gaussian import HammingKernel, HammingProcess, hamming_distances
from autobuild_book.chapters.shared.models.learners import NearestRows
from autobuild_book.chapters.shared.models.on_features import FeatureModel
from autobuild_book.chapters.shared.models.on_ranks import OnRanks, RankFit
from autobuild_book.chapters.shared.models.one_hot import choice_columns, one_hot
from autobuild_book.chapters.shared.models.registry import FEW, MODELS, TUNED, find_model
from autobuild_book.chapters.shared.models.sequence_graf import features_of_codes
from autobuild_lib.engine.layers import LayerEncoder
from autobuild_lib.statistics import srcc

PLAIN = [name for name, model in MODELS.items() if not isinstance(model, AutoBuild) and not model.needs_proxies]
COMBINED = (
    "forest: GRAF + embeddings",
    "AutoBuild, tuned + GRAF",
    "AutoBuild, ensemble on ranks",
)  # neural networks: sums may round differently
SMALL = (("epochs", 2), ("width", 8))


@pytest.fixture(scope="module")
def train(toy_table: ab.data.Table) -> ab.data.Table:
    return toy_table.take(range(80))


@pytest.fixture(scope="module")
def unseen(toy_table: ab.data.Table) -> tuple[ab.Architecture, ...]:
    return toy_table.take(range(80, 150)).architectures


@pytest.fixture
def proxies(toy_table: ab.data.Table) -> pd.DataFrame:
    texts = list(map(str, toy_table.architectures))
    return pd.DataFrame({"architecture": texts, "params": np.arange(150.0), "zen": toy_table.labels["additive"] ** 2})


class TestRegistry:
    def test_every_model_is_found_by_its_name(self) -> None:
        assert all(find_model(name).name == name for name in MODELS)
        with pytest.raises(ValueError, match=r"no model 'oracle'; .* AutoBuild, paper preset; "):
            find_model("oracle")

    def test_forest_and_boosting_learn_from_every_union(self) -> None:
        found = {model.kinds for model in MODELS.values() if isinstance(model, FeatureModel)}
        assert len({kinds for kinds in found if set(kinds) <= {ONE_HOT, GRAF, PROXIES}}) == 7
        for learner in ("forest", "boosting"):
            assert (
                sum(
                    model.name.startswith(f"{learner}: ")
                    for model in MODELS.values()
                    if isinstance(model, FeatureModel)
                )
                == 7
            )

    def test_a_configuration_says_everything_about_a_model(self) -> None:
        assert len({repr(model) for model in MODELS.values()}) == len(MODELS)


@pytest.mark.parametrize("name", PLAIN)
def test_every_model(name: str, train: ab.data.Table, unseen: tuple[ab.Architecture, ...]) -> None:
    model, truth = find_model(name), train.labels["additive"].to_numpy()
    other, fitted = model.fit_many(train, ["other", "additive"], seed=3)
    together = fitted.predict(unseen)
    assert np.isfinite(together).all() and srcc(fitted.predict(train.architectures), truth) > 0.6
    assert not np.allclose(other.predict(unseen), together), "each target is learnt for itself"
    # a prediction depends on nothing but its own row: nothing is scaled by what else is predicted
    np.testing.assert_allclose(fitted.predict(unseen[5:12]), together[5:12], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(fitted.predict(unseen[::-1]), together[::-1], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", [name for name in PLAIN if name not in COMBINED])
def test_the_same_seed_gives_the_same_model_for_each_target(
    name: str, train: ab.data.Table, unseen: tuple[ab.Architecture, ...]
) -> None:
    model = find_model(name)
    both = model.fit_many(train, ["other", "additive"], seed=3)
    (alone,) = model.fit_many(train, ["additive"], seed=3)
    np.testing.assert_array_equal(alone.predict(unseen), both[1].predict(unseen))


class TestOnRanks:
    def test_predictions_lie_where_their_ranks_do(self, train: ab.data.Table) -> None:
        labels = np.array([0.0, 1.0, 1.0, 100.0])

        class Scores:
            def predict(self, _: object) -> np.ndarray:
                return norm.ppf([0.125, 0.5, 0.875]) + np.array([0, 0, 0.25])

        found = RankFit(Scores(), labels).predict(train.architectures[:3])
        np.testing.assert_allclose(found, [0, 1, 100 + 0.25 * labels.std()])

    def test_an_outlier_moves_nothing_but_its_rank(
        self, train: ab.data.Table, unseen: tuple[ab.Architecture, ...]
    ) -> None:
        labels = train.labels["additive"].to_numpy().copy()
        worst = labels.argmin()
        model = OnRanks("x", find_model("forest: GRAF"))
        orders = []
        for value in (labels[worst] - 1, -1e9):
            labels[worst] = value
            records = zip(train.architectures, [{"additive": float(label)} for label in labels], strict=True)
            (fitted,) = model.fit_many(ab.data.from_records(train.space, records), ["additive"], seed=1)
            orders.append(fitted.scores.predict(unseen))
        np.testing.assert_array_equal(*orders)

    def test_an_ensemble_is_the_mean_of_its_members(
        self, train: ab.data.Table, unseen: tuple[ab.Architecture, ...]
    ) -> None:
        ensemble = AutoBuildEnsemble("x", AutoBuild("y", "tuned", SMALL), 3)
        first, second = ensemble.fit_many(train, ["additive", "other"], seed=2)
        assert [p.provenance["seed"] for p in first.predictors] == [6, 7, 8]
        assert {p.target for p in second.predictors} == {"other"}
        mean = sum(p.predict(unseen) for p in first.predictors) / 3
        np.testing.assert_allclose(first.predict(unseen), mean)


class TestAutoBuild:
    def test_is_what_the_library_fits(self, train: ab.data.Table, unseen: tuple[ab.Architecture, ...]) -> None:
        model = AutoBuild("x", "tuned", SMALL)
        (found,) = model.fit_many(train, ["additive"], seed=4)
        expected = ab.fit(train.space, train, "additive", seed=4, preset="tuned", progress=False, **dict(SMALL))
        np.testing.assert_array_equal(found.predict(unseen), expected.predict(unseen))

    @pytest.mark.parametrize(("rows", "epochs"), [(8, 400), (25, 100), (100, 31), (400, 8), (100_000, 1)])
    def test_few_labels_take_about_as_many_steps(self, rows: int, epochs: int) -> None:
        model = AutoBuild("x", "tuned", (("batch_size", 8),), steps=400)
        assert model.options(rows) == {"batch_size": 8, "epochs": epochs}
        assert FEW.steps > 0 and TUNED.options(rows) == {}

    def test_embeddings_are_what_the_head_predicts_from(
        self, train: ab.data.Table, unseen: tuple[ab.Architecture, ...], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import torch

        for pooling in ("mean", "sum"):
            predictor = ab.fit(train.space, train, "additive", progress=False, pooling=pooling, **dict(SMALL))
            monkeypatch.setattr(LayerEncoder, "CHUNK", 9)
            found = torch.from_numpy(embeddings(predictor, unseen))[None]
            with torch.inference_mode():
                head = predictor.network.predict_from(found)[0].numpy()
            np.testing.assert_allclose(
                head * predictor.label_sd + predictor.label_mean, predictor.predict(unseen), rtol=1e-4
            )


class TestExtension:
    def test_architectures_keep_their_choices_and_carry_their_features(self, toy: ab.SequenceSpace) -> None:
        architectures = toy.sample(np.random.default_rng(0), 40)
        values = features_of_codes(toy, toy.to_codes(architectures))
        columns = [0, 3, 200]
        extension = Extension.of(toy, columns, values[:, columns])
        for before, after, row in zip(architectures, extension.convert(architectures), values, strict=True):
            assert after.units() == before.units() and after in extension.extended
            assert list(after.global_features.values()) == pytest.approx(row[columns].tolist())

    def test_values_that_training_never_saw_go_to_the_nearest(self, toy: ab.SequenceSpace) -> None:
        architectures = toy.sample(np.random.default_rng(0), 40)
        extension = Extension.of(toy, [0], np.array([[0.0], [10.0]], dtype=np.float32))
        truth = features_of_codes(toy, toy.to_codes(architectures))[:, 0]
        found = [float(a.global_features["graf_0"]) for a in extension.convert(architectures)]
        assert found == [0.0 if value < 5 else 10.0 for value in truth]

    def test_many_values_become_quantiles(self, toy: ab.SequenceSpace) -> None:
        grid = Extension.of(toy, [0], np.linspace(0, 1, 1000, dtype=np.float32)[:, None]).grids[0]
        assert len(grid) == combined.MOST_VALUES and (grid[0], grid[-1]) == (0.0, 1.0)

    def test_a_predictor_gets_eight_columns(self, train: ab.data.Table, unseen: tuple[ab.Architecture, ...]) -> None:
        model = AutoBuildOnGraf("x", AutoBuild("y", "tuned", SMALL), MODELS["forest: GRAF"].learner)  # type: ignore[attr-defined]
        (fitted,) = model.fit_many(train, ["additive"])
        assert len(fitted.columns) == 8 and np.isfinite(fitted.predict(unseen)).all()  # type: ignore[attr-defined]


class TestColumns:
    def test_one_hot_by_hand(self) -> None:
        space = ab.SequenceSpace("s", [ab.Unit(1, 2)], {"op": ["a", "b"], "fixed": ["c"]}, {"side": [1, 2]})
        found = one_hot(space, [space.architecture([["a"]], side=2), space.architecture([["b", "a"]], side=1)])
        assert list(found) == [
            "network side1", "network side2", "unit 0 1 layers", "unit 0 2 layers", "unit 0 layer 0 a",
            "unit 0 layer 0 b", "unit 0 layer 1 a", "unit 0 layer 1 b", "unit 0 layer 1 no op", "unit 0 layer 1 c",
            "unit 0 layer 1 no fixed",
        ]  # fmt: skip
        assert found.iloc[0].to_list() == [0, 1, 1, 0, 1, 0, 0, 0, 1, 0, 1]
        assert found.iloc[1].to_list() == [1, 0, 0, 1, 0, 1, 1, 0, 0, 1, 0]

    def test_every_place_with_a_choice_has_one_one(self, toy: ab.SequenceSpace) -> None:
        found = one_hot(toy, toy.sample(np.random.default_rng(1), 50))
        places = [place for _, place, _ in choice_columns(toy)]
        assert (found.T.groupby(np.array(places)).sum() == 1).all(axis=None)
        assert not found.columns.duplicated().any()

    def test_hamming_distance_counts_choices_that_differ(self, toy: ab.SequenceSpace) -> None:
        architectures = toy.sample(np.random.default_rng(2), 20)
        codes = np.where(toy.absent(toy.to_codes(architectures)), 255, toy.to_codes(architectures))
        expected = (codes[:, None] != codes[None]).sum(2)
        rows = one_hot(toy, architectures).to_numpy()
        np.testing.assert_allclose(hamming_distances(rows, rows), expected, atol=1e-5)

    def test_unions_stand_side_by_side(self, toy_table: ab.data.Table, proxies: pd.DataFrame) -> None:
        architectures = toy_table.architectures[:7]
        parts = [compute((kind,), toy_table.space, architectures, proxies) for kind in (GRAF, PROXIES, ONE_HOT)]
        whole = compute((GRAF, PROXIES, ONE_HOT), toy_table.space, architectures, proxies)
        pd.testing.assert_frame_equal(whole, pd.concat(parts, axis=1))


class TestProxies:
    @pytest.mark.parametrize("name", [name for name, model in MODELS.items() if model.needs_proxies])
    def test_models_that_need_them(self, name: str, train: ab.data.Table, proxies: pd.DataFrame) -> None:
        shuffled = proxies.sample(frac=1, random_state=0)
        (fitted,) = find_model(name).fit_many(train, ["additive"], 0, shuffled)
        assert srcc(fitted.predict(train.architectures), train.labels["additive"].to_numpy()) > 0.9  # zen tells it
        with pytest.raises(ValueError, match=r"table of proxies .*'architecture'"):
            find_model(name).fit_many(train, ["additive"])

    def test_what_is_missing_or_infinite_is_refused(self, train: ab.data.Table, proxies: pd.DataFrame) -> None:
        with pytest.raises(ValueError, match=r"40 architectures .* first is "):
            compute((PROXIES,), train.space, train.architectures, proxies.iloc[40:])
        with pytest.raises(ValueError, match=r"proxies zen: .*finite"):
            compute((PROXIES,), train.space, train.architectures, proxies.assign(zen=np.inf))

    def test_one_that_no_architecture_has_is_left_out(self, train: ab.data.Table, proxies: pd.DataFrame) -> None:
        found = compute((PROXIES,), train.space, train.architectures, proxies.assign(naswot=np.nan))
        pd.testing.assert_frame_equal(found, compute((PROXIES,), train.space, train.architectures, proxies))

    def test_values_beyond_the_type_are_cut_off(self) -> None:
        found = as_matrix(pd.DataFrame({"synflow": [1e200, -1e200, 2.0]}))
        assert np.isfinite(found).all() and found[2, 0] == 2


class TestGaussianProcess:
    def rows(self, toy: ab.SequenceSpace, size: int = 30) -> np.ndarray:
        return one_hot(toy, toy.sample(np.random.default_rng(5), size)).to_numpy(dtype=np.float64)

    @pytest.mark.parametrize("power", [0.3, 1.0])
    def test_kernel_by_hand(self, toy: ab.SequenceSpace, power: float) -> None:
        x = self.rows(toy)
        distances = np.abs(x[:, None] - x[None]).sum(2) / 2
        kernel = HammingKernel(length=4.0, power=power)
        np.testing.assert_allclose(kernel(x), np.exp(-((distances / 4) ** power)), atol=1e-6)
        np.testing.assert_allclose(kernel(x, x[:3]), kernel(x)[:, :3], atol=1e-6)
        np.testing.assert_allclose(kernel.diag(x), np.diag(kernel(x)), atol=1e-6)
        assert np.linalg.eigvalsh(kernel(x)).min() > -1e-8

    def test_gradient_is_that_of_differences(self, toy: ab.SequenceSpace) -> None:
        x = self.rows(toy, 6)
        kernel = HammingKernel(length=3.0, power=0.7)
        _, gradient = kernel(x, eval_gradient=True)
        for i, j in [(0, 1), (2, 5), (3, 3)]:
            numeric = approx_fprime(kernel.theta, lambda t, i=i, j=j: kernel.clone_with_theta(t)(x)[i, j], 1e-6)
            assert gradient[i, j, 0] == pytest.approx(numeric[0], abs=1e-5)

    def test_mean_by_the_plain_formula(self, toy: ab.SequenceSpace) -> None:
        x, y = self.rows(toy, 40), np.random.default_rng(0).normal(3, 2, 40)
        process = HammingProcess(0.8).fit(x[:30], y[:30])
        kernel, mean, sd = process.process_.kernel_, y[:30].mean(), y[:30].std()
        weights = np.linalg.solve(kernel(x[:30]) + 1e-10 * np.eye(30), (y[:30] - mean) / sd)
        np.testing.assert_allclose(process.predict(x[30:]), kernel(x[30:], x[:30]) @ weights * sd + mean, atol=1e-6)

    def test_all_rows_are_learnt_also_when_few_tune_the_kernel(
        self, toy: ab.SequenceSpace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("autobuild_book.chapters.shared.models.gaussian.MOST_TUNED", 20)
        x = self.rows(toy, 60)
        process = HammingProcess().fit(x, x @ np.arange(x.shape[1], dtype=float))
        assert len(process.process_.X_train_) == 60


def test_neighbours_make_do_with_fewer_rows() -> None:
    found = NearestRows(10).fit(np.array([[0.0], [1.0]]), np.array([2.0, 4.0])).predict(np.array([[0.5], [0.0]]))
    assert found == pytest.approx([3.0, 2.0])
