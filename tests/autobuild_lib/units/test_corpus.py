"""Module scores: golden values, hand-computed scales, isolation, and effects against one prediction at a time."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

import autobuild_lib as ab
from autobuild_lib.graphs import layer_graphs
from autobuild_lib.predictor import Moments, Predictor
from autobuild_lib.surrogate.published import load_published
from autobuild_lib.units import corpus as units, effects


def deep_space() -> ab.SequenceSpace:
    """Unit features, a restricted unit, a tail unit, a global feature, and a unit deeper than the hops reach."""
    return ab.SequenceSpace(
        name="deep",
        units=[
            ab.Unit(min_layers=1, max_layers=2),
            ab.Unit(min_layers=1, max_layers=4, features={"width": [16, 32], "attention": ["no", "yes"]}),
            ab.Unit(min_layers=1, max_layers=2, layer_features={"op": ["a", "c"]}),
            ab.Unit(min_layers=1, max_layers=2, features={"width": [32, 48]}, score_with_previous=True),
        ],
        layer_features={"op": ["a", "b", "c"]},
        global_features={"resolution": ab.Continuous(values=[192, 224])},
    )


def trained(space: ab.SequenceSpace, seed: int = 0, rows: int = 80, **options: Any) -> Predictor:
    """A predictor trained for one epoch on labels without meaning."""
    rng = np.random.default_rng(seed)
    drawn = list(dict.fromkeys(space.sample(rng, rows * 2)))[:rows]
    table = ab.data.from_records(
        space, [(a, {"y": float(v)}) for a, v in zip(drawn, rng.normal(size=rows), strict=False)]
    )
    return ab.fit(space, table, "y", seed=seed, epochs=1, progress=False, **options)


@pytest.fixture(scope="module")
def golden(reference: Path) -> tuple[Predictor, dict[str, Any]]:
    return (
        load_published(reference / "autobuild_mbv3_acc_gatv2.pt"),
        json.loads((reference / "autobuild_golden.json").read_text()),
    )


class TestGolden:
    def test_every_listed_module_has_the_public_score(self, golden: tuple[Predictor, dict[str, Any]]) -> None:
        predictor, record = golden
        corpus = ab.score_units(predictor)
        assert len(corpus) == 36_855
        for number, unit in enumerate(record["units"].values()):
            rows = corpus.table[corpus.table.unit == number].set_index("module").score
            for listed in [*unit["best"], *unit["worst"]]:
                short = ",".join(name.split("_", 1)[1] for name in listed["layers"])
                assert rows[short] == pytest.approx(listed["score"], abs=1e-6)

    def test_best_and_worst_sets(self, golden: tuple[Predictor, dict[str, Any]]) -> None:
        predictor, record = golden
        corpus = ab.score_units(predictor)
        for number, unit in enumerate(record["units"].values()):
            scores = np.sort(corpus.groups[number].scores)
            best = [one["score"] for one in unit["best"]]
            worst = [one["score"] for one in unit["worst"]]
            np.testing.assert_allclose(scores[::-1][: len(best)], best, atol=1e-6)
            np.testing.assert_allclose(scores[: len(worst)], worst[::-1], atol=1e-6)

    def test_sizes_of_proxylessnas(self) -> None:
        corpus = ab.score_units(trained(ab.spaces.ofa_pn(), rows=400))
        assert [len(group.scores) for group in corpus.groups] == [7371] * 4 + [66339]


class TestNorm:
    @given(st.integers(0, 10_000))
    def test_a_module_in_isolation_is_the_module_inside_a_network(self, seed: int) -> None:
        space = ab.spaces.ofa_pn()
        network = predictor_of_proxylessnas().network
        architecture = space.sample(np.random.default_rng(seed))
        graphs = layer_graphs(space, [architecture])
        with torch.inference_mode():
            inside = [h[0].abs().sum(1) for h in network.node_embeddings(graphs)]
        for group in space.scoring_groups:
            codes = space.to_codes([architecture])[:, group.place]
            norms, depths = units.module_norms(network, space, group, codes, architecture.code[:1])
            last = int((graphs.codes[:, 0] <= group.units[-1]).sum()) - 1
            assert norms[0] == pytest.approx(float(inside[depths[0] - 1][last]), rel=1e-5)

    def test_scores_are_z_scores_of_the_hop_on_the_scale_of_the_target(self) -> None:
        space = small_space()
        predictor = trained(space)
        hops = np.array([[1.0, 2.0], [3.0, 0.5]] + [[0.0, 1.0]] * 3)
        moments = Moments(hops, {(0, 1): (10.0, 4.0), (0, 2): (20.0, 8.0)})
        given = Predictor(predictor.network, "y", 0.0, 1.0, moments)
        corpus = ab.score_units(given)
        codes = corpus.groups[0].codes
        norms, depths = units.module_norms(predictor.network, space, space.scoring_groups[0], codes, b"")
        expected = np.where(depths == 1, (norms - 1) / 2 * 4 + 10, (norms - 3) / 0.5 * 8 + 20)
        np.testing.assert_allclose(corpus.groups[0].scores, expected)

    def test_a_depth_that_training_never_saw_is_an_error(self) -> None:
        space = small_space()
        shallow = [space.architecture([["a"]]), space.architecture([["b"]])]
        table = ab.data.from_records(space, [(a, {"y": float(i)}) for i, a in enumerate(shallow)])
        predictor = ab.fit(space, table, "y", epochs=1, progress=False)
        with pytest.raises(ValueError, match="unit 0 has 2 layers"):
            ab.score_units(predictor)
        assert len(ab.score_units(predictor, "effect")) == 6

    def test_a_unit_deeper_than_the_hops_is_an_error_that_says_how_many(self) -> None:
        with pytest.raises(ValueError, match=r"unit 1 of deep .* 4 layers.*hops=3"):
            ab.score_units(trained(deep_space(), hops=2))

    def test_scores_do_not_depend_on_the_size_of_chunks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        predictor = trained(deep_space())
        whole = ab.score_units(predictor)
        monkeypatch.setattr(units, "CHUNK", 7)
        for one, other in zip(whole.groups, ab.score_units(predictor).groups, strict=True):
            np.testing.assert_allclose(one.scores, other.scores, rtol=1e-5)

    def test_global_features_take_the_value_given_or_the_largest(self) -> None:
        predictor = trained(deep_space())
        largest, small = ab.score_units(predictor), ab.score_units(predictor, global_features={"resolution": 192})
        assert largest.top(1).best(1)[0].global_features == {"resolution": 224}
        assert small.top(1).best(1)[0].global_features == {"resolution": 192}
        assert not np.allclose(largest.groups[0].scores, small.groups[0].scores)


def small_space() -> ab.SequenceSpace:
    return ab.SequenceSpace("small", [ab.Unit(min_layers=1, max_layers=2)], {"op": ["a", "b"]})


_cache: dict[str, Predictor] = {}


def predictor_of_proxylessnas() -> Predictor:
    if "pn" not in _cache:
        _cache["pn"] = trained(ab.spaces.ofa_pn(), rows=200)
    return _cache["pn"]


class TestEffect:
    @pytest.mark.parametrize("convolution", ["gatv2", "graphconv"])
    @pytest.mark.parametrize("pooling", ["mean", "sum", "max"])
    @pytest.mark.parametrize("hops", [1, 2, 4])
    def test_it_is_the_mean_change_of_the_hosts_predictions_with_the_module_in_place(
        self, convolution: str, pooling: str, hops: int
    ) -> None:
        space = deep_space()
        predictor = trained(space, convolution=convolution, pooling=pooling, hops=hops, residual=hops != 2)
        self.check(space, predictor)

    def check(self, space: ab.SequenceSpace, predictor: Predictor) -> None:
        corpus = ab.score_units(predictor, "effect", hosts=5, seed=3)
        hosts = space.sample_codes(np.random.default_rng([3, 2]), 5)
        hosts[:, 0] = 1
        before = predictor.predict(space.from_codes(hosts))[:, None]
        for group, members in zip(corpus.groups, space.scoring_groups, strict=True):
            placed = np.repeat(hosts[:, None], len(group.codes), axis=1)  # [hosts, contents, width]
            placed[:, :, members.place] = group.codes
            predicted = predictor.predict(space.from_codes(placed.reshape(-1, space.code_width)))
            rows = predicted.reshape(5, -1) - before
            np.testing.assert_allclose(group.scores, rows.mean(0), atol=2e-5 * predictor.label_sd)
            half = 2.776445105 * rows.std(0, ddof=1) / np.sqrt(5)  # Student's t with 4 degrees of freedom
            np.testing.assert_allclose(group.high - group.scores, half, atol=5e-5 * predictor.label_sd)

    def test_cutting_the_grid_changes_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(effects, "LARGEST_GRID", 10)
        space = deep_space()
        self.check(space, trained(space))

    def test_proxylessnas_agrees_with_single_predictions(self) -> None:
        predictor, space = predictor_of_proxylessnas(), ab.spaces.ofa_pn()
        corpus = ab.score_units(predictor, "effect", hosts=3)
        hosts = space.sample_codes(np.random.default_rng([0, 2]), 3)
        base = predictor.predict(space.from_codes(hosts)).mean()
        rng = np.random.default_rng(1)
        for group, members in zip(corpus.groups, space.scoring_groups, strict=True):
            for row in rng.integers(0, len(group.codes), 5):
                placed = hosts.copy()
                placed[:, members.place] = group.codes[row]
                expected = predictor.predict(space.from_codes(placed)).mean() - base
                assert group.scores[row] == pytest.approx(expected, abs=2e-5 * predictor.label_sd)


class TestEnsemble:
    def test_scores_are_means_over_seeds_with_an_interval_over_them(self) -> None:
        space = deep_space()
        several = [trained(space, seed) for seed in range(3)]
        for kind in ("norm", "effect"):
            whole = ab.score_units(several, kind, hosts=4)
            single = [ab.score_units(one, kind, hosts=4).groups[1].scores for one in several]
            np.testing.assert_allclose(whole.groups[1].scores, np.mean(single, axis=0))
            half = 4.302652730 * np.std(single, axis=0, ddof=1) / np.sqrt(3)  # 2 degrees of freedom
            np.testing.assert_allclose(whole.groups[1].high - whole.groups[1].scores, half)
            assert whole.interval == "seeds"

    def test_a_single_norm_score_has_no_interval(self) -> None:
        corpus = ab.score_units(trained(deep_space()))
        assert corpus.interval == "none" and corpus.table.low.isna().all()

    def test_predictors_of_different_targets_are_refused(self) -> None:
        one = trained(small_space())
        other = Predictor(one.network, "z", 0.0, 1.0, one.moments)
        with pytest.raises(ValueError, match="same space and target"):
            ab.score_units([one, other])
        with pytest.raises(ValueError, match="same space and target"):
            ab.score_units([])


class TestCorpus:
    def test_the_table_lists_every_content_once(self) -> None:
        corpus = ab.score_units(trained(deep_space()))
        table = corpus.table
        assert list(table.columns) == ["unit", "depth", "module", "score", "low", "high"]
        assert table.groupby("unit").size().tolist() == [3 + 9, 4 * (3 + 9 + 27 + 81), (2 + 4) * 2 * (3 + 9)]
        assert not table.duplicated(["unit", "module"]).any()
        assert table[table.module == "width32;yes;a,b,c"].depth.tolist() == [3]

    def test_top_takes_the_best_of_each_unit(self) -> None:
        corpus = ab.score_units(trained(deep_space()))
        reduced = corpus.top([1, 3, 2])
        assert len(reduced) == 6
        for number, (k, group) in enumerate(zip([1, 3, 2], reduced.groups, strict=True)):
            expected = np.sort(corpus.groups[number].scores)[::-1][:k]
            np.testing.assert_array_equal(group.scores, expected)

    def test_all_of_it_is_the_whole_space(self) -> None:
        corpus = ab.score_units(trained(small_space()))
        assert set(corpus.everything()) == set(small_space())
        assert set(corpus.top(1000)) == set(small_space())

    @pytest.mark.parametrize("k", [0, -1, [1, 2], 1.5, [1, 0, 1]])
    def test_a_k_that_makes_no_sense_is_refused(self, k: Any) -> None:
        corpus = ab.score_units(trained(deep_space()))
        with pytest.raises(ValueError, match="whole number above 0"):
            corpus.top(k)

    def test_unknown_scores_are_refused(self) -> None:
        with pytest.raises(ValueError, match="score='size'; choose from norm, effect"):
            ab.score_units(trained(small_space()), "size")
        with pytest.raises(ValueError, match="hosts=0"):
            ab.score_units(trained(small_space()), "effect", hosts=0)


BIG = """
import resource
import numpy as np
import autobuild_lib as ab

space = ab.SequenceSpace("big", [ab.Unit(min_layers=1, max_layers=6)] * 2, {"e": [3, 4, 6], "k": [3, 5, 7]})
drawn = space.sample(np.random.default_rng(0), 300)
table = ab.data.from_records(space, [(a, {"y": float(i)}) for i, a in enumerate(drawn)])
predictor = ab.fit(space, table, "y", epochs=1, hops=5, progress=False)
for score in ("norm", "effect"):
    corpus = ab.score_units(predictor, score, hosts=4)
    assert len(corpus) == 2 * sum(9**n for n in range(1, 7))
    assert all(np.isfinite(group.scores).all() for group in corpus.groups)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
def test_units_of_six_layers_are_scored_in_bounded_memory_with_a_progress_bar() -> None:
    done = subprocess.run([sys.executable, "-c", BIG], capture_output=True, text=True, check=True, timeout=600)
    assert int(done.stdout) < 1_500_000  # kilobytes; all hops of one unit's contents at once would take over 2 GB
    assert "norm scores" in done.stderr and "effect scores" in done.stderr


FIRST = """
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from autobuild_lib.units import corpus

sys.setswitchinterval(1e-6)
ready = Barrier(8)


def first_use(_: int) -> bool:
    ready.wait()
    return callable(corpus.units.effects.forms)


with ThreadPoolExecutor(8) as pool:
    print(sum(pool.map(first_use, range(8))))
"""


def test_threads_that_score_first_see_a_whole_module() -> None:
    done = subprocess.run([sys.executable, "-c", FIRST], capture_output=True, text=True, check=False, timeout=120)
    assert done.stdout.strip() == "8", done.stderr
