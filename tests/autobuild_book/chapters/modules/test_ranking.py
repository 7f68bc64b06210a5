"""Loading, training and ranking of planted scores, by hand."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau, spearmanr

import autobuild_lib as ab
from autobuild_book.chapters.modules import interventions, ranking
from autobuild_book.chapters.shared import panels
from autobuild_book.chapters.shared.panels import Panel, train_all
from autobuild_book.chapters.shared.splits import Split
from tests.helpers.planted_modules import corpus, key, panel, space, table, worth


class TestLoad:
    def test_the_equations_of_the_book(self) -> None:
        loaded = ranking.load_tasks("ofa_pn", {})
        assert [(p.family, p.device) for p in loaded] == [("ofa_pn", "gpu"), ("ofa_pn", "cpu"), ("ofa_pn", "npu")]
        assert set(loaded[0].equations) == {"accuracy", "per latency", "power-log", "fast"}
        assert all(set(p.equations) == {"accuracy", "fast", "balanced", "accurate"} for p in loaded[1:])
        every = panels.load_panels("ofa_pn", panels.COMMON, panels.SPECIAL)[0].split.targets
        assert loaded[0].split.targets == every, "otherwise the next experiment would train its predictors again"

    def test_own_equations_need_no_latency(self, tmp_path: Path) -> None:
        rows = pd.DataFrame({"architecture": list(map(str, table().architectures))}).join(table().labels)
        rows.to_csv(tmp_path / "mine.csv", index=False)
        given = {"mine": "y * 2.0", "none": "speed", "other": "z"}
        (own,) = ranking.load_tasks(str(tmp_path / "mine.csv"), given, space())
        assert own.equations == {"mine": "y * 2", "other": "z"} and own.device == ""
        assert interventions.draw_benches([own], {}, 10, 0) == {}, "nothing judges this space"

    def test_the_equations_of_the_book_need_a_latency(self, tmp_path: Path) -> None:
        rows = pd.DataFrame({"architecture": list(map(str, table().architectures)), "acc": table().labels["y"]})
        rows.to_csv(tmp_path / "mine.csv", index=False)
        with pytest.raises(ValueError, match=r"mine\.csv has labels acc; .* latency_gpu, latency_cpu") as caught:
            ranking.load_tasks(str(tmp_path / "mine.csv"), {}, space())
        assert "\n" not in str(caught.value)

    def test_tasks_name_the_device_where_it_matters(self) -> None:
        tasks = ranking.task_table(ranking.load_tasks("ofa_mbv3", {}))
        assert tasks.label.tolist()[:2] == ["accuracy", "fast, GPU"] and len(tasks) == 10
        assert not tasks.duplicated(["family", "target"]).any()
        assert ranking.task_table([panel(a="y", b="z")]).label.tolist() == ["a", "b"]


class TestTraining:
    @pytest.fixture
    def asked(self, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
        calls: list[Any] = []

        def train(tasks: list[tuple[Split, int]], folder: Path, **options: Any) -> dict[Any, str]:
            calls.append((tasks, options))
            return {(split.family, target, seed): "trained" for split, seed in tasks for target in split.targets}

        monkeypatch.setattr(panels, "train", train)
        return calls

    def test_further_seeds_learn_only_what_the_first_panel_shows(self, asked: list[Any], tmp_path: Path) -> None:
        both = Panel(Split(table(), table(), ("y", "z", "y + z")), "", {"a": "y"})
        trained = train_all([both], [5], [6], tmp_path, epochs=3)
        assert set(trained) == {("small", "y", 5), ("small", "z", 5), ("small", "y + z", 5), ("small", "y", 6)}
        train_all([both], [5], [], tmp_path, epochs=3)
        assert [([seed for _, seed in tasks], options) for tasks, options in asked] == [
            ([5, 6], {"epochs": 3}), ([5], {"epochs": 3})
        ]  # fmt: skip

    def test_deep_units_get_the_hops_they_need(self, asked: list[Any], tmp_path: Path) -> None:
        deep = ab.SequenceSpace("deep", [ab.Unit(1, 5), ab.Unit(1, 2, score_with_previous=True)], {"op": ["a", "b"]})
        drawn = list(dict.fromkeys(deep.sample(np.random.default_rng(0), 30)))
        own = ab.data.from_records(deep, [(a, {"y": float(i)}) for i, a in enumerate(drawn)])
        train_all([Panel(Split(own, own, ("y",)), "", {"a": "y"})], [0], [], tmp_path, epochs=1)
        assert asked[0][1] == {"epochs": 1, "hops": 6}

    def test_every_predictor_that_is_shown_gets_both_scores(self) -> None:
        one = ab.fit(space(), table(), "y", epochs=1, progress=False)
        trained = {("small", "y", 0): one, ("small", "z", 0): one}
        scored = ranking.score_all([panel(a="y")], trained, hosts=2)
        assert list(scored) == [key("norm"), key("effect")]
        for kind in ranking.KINDS:
            expected = ab.score_units(one, kind, hosts=2)
            np.testing.assert_array_equal(scored[key(kind)].groups[1].scores, expected.groups[1].scores)


class TestExtremes:
    def test_best_and_worst_of_every_unit_and_depth(self) -> None:
        found = ranking.extremes({key(): corpus(worth)}, seed=0).set_index(["unit", "depth", "end"])
        assert len(found) == 8
        assert found.module[1, 2, "best"] == "c_z,c_z" and found.value[1, 2, "best"] == 36
        assert found.module[0, 1, "worst"] == "a_x" and found.value[0, 1, "worst"] == 1
        assert found.tied.eq(1).all() and found.modules.tolist() == [9, 9, 81, 81] * 2

    def test_ties_are_drawn_not_taken_in_order(self) -> None:
        tied = corpus(lambda _, module: float(module.startswith("b")))
        draws = [ranking.extremes({key(): tied}, seed) for seed in range(12)]
        best = pd.concat(draws).query("unit == 0 and depth == 1 and end == 'best'")
        assert set(best.module) == {"b_x", "b_y", "b_z"} and best.tied.eq(3).all()
        pd.testing.assert_frame_equal(draws[3], ranking.extremes({key(): tied}, 3))

    def test_scores_that_are_not_numbers_tie_all_modules(self) -> None:
        dead = corpus(lambda unit, module: math.nan if (unit, module.count(",")) == (0, 1) else worth(unit, module))
        found = ranking.extremes({key(): dead}, seed=0)
        assert found[found.value.isna()].tied.tolist() == [81, 81] and found.value.notna().sum() == 6

    def test_best_of_size_is_the_best_over_units(self) -> None:
        corpora = {key(): corpus(worth), key("effect"): corpus(lambda unit, module: -worth(unit, module))}
        extreme, shares = ranking.extremes(corpora, 0), ranking.top_shares(corpora, 0)
        found = ranking.best_of_size(extreme, shares).set_index(["score", "depth", "end"])
        assert len(found) == 8
        assert (found.unit["norm", 2, "best"], found.unit["norm", 2, "worst"]) == (1, 0)
        assert (found.unit["effect", 2, "best"], found.unit["effect", 2, "worst"]) == (0, 1)
        assert found.share["norm", 2, "best"] == 1 and found.share["norm", 1, "best"] == 0


class TestTopSet:
    def test_the_best_one_percent_of_all_units(self) -> None:
        best = ranking.top_set(corpus(worth), seed=0)
        assert best.tolist() == [179, *{178, 171} & {int(best[1])}], "c_z,c_z, then one of the two next best"

    def test_it_holds_at_least_one_module(self) -> None:
        assert len(ranking.top_set(corpus(worth), 0, share=0.001)) == 1

    def test_equal_scores_are_drawn_and_missing_ones_come_last(self) -> None:
        flat = corpus(lambda unit, _: math.nan if unit else 1.0)
        sets = [ranking.top_set(flat, seed, share=0.1) for seed in range(20)]
        assert all((chosen < 90).all() and len(set(chosen)) == 18 for chosen in sets)
        assert len(set(np.concatenate(sets).tolist())) > 80

    def test_shares_by_hand(self) -> None:
        found = ranking.top_shares({key(): corpus(lambda unit, _: -float(unit))}, 0).set_index(["unit", "depth"])
        assert found.share.sum() == 1 and found.share.loc[0].sum() == 1
        assert found.expected.tolist() == pytest.approx([9 / 180, 81 / 180] * 2)


def test_rows_of_a_panel_come_in_its_order() -> None:
    frame = pd.DataFrame({"family": ["small"] * 3 + ["other"], "target": ["z", "y", "w", "y"], "score": list("aaba")})
    found = ranking.of_panel(frame, panel(first="y", second="z"), score="a")
    assert found.name.tolist() == ["first", "second"] and found.device.tolist() == ["", ""]


class TestAgreementOfRankings:
    def test_overlap_of_targets(self) -> None:
        other = corpus(lambda unit, module: -worth(unit, module))
        corpora = {key(): corpus(worth), key(target="z"): corpus(worth), key(target="w"): other}
        found = ranking.overlaps([panel(a="y", b="z", c="w")], corpora, seed=0)
        pairs = found.set_index(["first", "second"]).overlap
        assert pairs.to_dict() == {("a", "b"): 1.0, ("a", "c"): 0.0, ("b", "c"): 0.0}

    def test_one_equation_has_no_pairs(self) -> None:
        assert ranking.overlaps([panel(a="y")], {key(): corpus(worth)}, seed=0).empty

    def test_seeds_are_compared_in_every_way(self) -> None:
        noise = np.random.default_rng(0).normal(size=1000)
        shaky = corpus(lambda unit, module: worth(unit, module) + 8 * noise[hash((unit, *map(ord, module))) % 1000])
        corpora = {key(seed=1): corpus(worth), key(seed=2): shaky, key("effect", seed=1): corpus(worth)}
        found = ranking.stability(panel(a="y"), corpora, 0).set_index(["measure", "unit", "depth"])
        assert (found.pair == "1, 2").all() and (found.score == "norm").all()
        one, other = (corpora[key(seed=seed)].groups[1].scores for seed in (1, 2))
        assert found.value["Spearman", 1, -1] == pytest.approx(spearmanr(one, other).statistic)
        assert found.value["Kendall", 1, -1] == pytest.approx(kendalltau(one, other).statistic)
        assert found.value["Spearman, same depth", 1, 1] == pytest.approx(spearmanr(one[:9], other[:9]).statistic)
        assert ("best 1 %", -1, -1) in found.index

    def test_the_same_and_the_opposite(self) -> None:
        for factor in (1.0, -1.0):
            again = corpus(lambda unit, module, factor=factor: factor * worth(unit, module))
            corpora = {key(seed=1): corpus(worth), key(seed=2): again}
            found = ranking.stability(panel(a="y"), corpora, 0).groupby("measure").value.mean()
            assert found.drop("best 1 %").tolist() == pytest.approx([factor] * 3)
            assert found["best 1 %"] >= 0.5 if factor > 0 else found["best 1 %"] == 0

    def test_a_constant_score_has_no_correlation(self) -> None:
        corpora = {key(seed=1): corpus(worth), key(seed=2): corpus(lambda _, __: 1.0)}
        found = ranking.stability(panel(a="y"), corpora, 0)
        assert found[found.measure != "best 1 %"].value.isna().all()
        assert math.isnan(ranking.srcc_or_nan(np.array([1.0, np.nan]), np.array([1.0, 2.0])))
