"""Experiment 3: rankings, interventions, agreement and verdict on planted scores and effects, worked out by hand."""

import functools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau, spearmanr

import autobuild_lib as ab
from autobuild_book.chapters.modules import agreement, interventions, ranking, verdict
from autobuild_book.chapters.modules.agreement import ALIKE, CELL, UNIT
from autobuild_book.chapters.modules.ranking import Key
from autobuild_book.chapters.shared import hosts, panels
from autobuild_book.chapters.shared.panels import Panel, train_all
from autobuild_book.chapters.shared.splits import Split
from autobuild_lib.units.corpus import ScoredGroup, UnitCorpus

WORTH = {f"{op}_{k}": 1.0 + 3 * i + j for i, op in enumerate("abc") for j, k in enumerate("xyz")}  # 1 ... 9
Score = Callable[[int, str], float]


@functools.cache
def space() -> ab.SequenceSpace:
    """Two units of one or two layers, nine layers to choose from: 90 contents of each unit."""
    return ab.SequenceSpace("small", [ab.Unit(1, 2), ab.Unit(1, 2)], {"op": list("abc"), "k": list("xyz")})


def corpus(score: Score, over: ab.SequenceSpace | None = None) -> UnitCorpus:
    """Every content of every unit, scored by its unit and text."""
    own, groups = over or space(), []
    for number, group in enumerate(own.scoring_groups):
        codes = group.contents()
        scores = np.array([score(number, text) for text in group.texts(codes)])
        groups.append(ScoredGroup(codes, scores, np.full(len(codes), np.nan), np.full(len(codes), np.nan)))
    return UnitCorpus(own, "y", "planted", "none", b"", tuple(groups))


def worth(unit: int, module: str) -> float:
    """What the layers of a module are worth in all; the second unit counts double."""
    return (1 + unit) * sum(WORTH[layer] for layer in module.split(","))


def key(score: str = "norm", target: str = "y", seed: int = 0) -> Key:
    return Key("small", target, seed, score)


def panel(**equations: str) -> Panel:
    return Panel(Split(table(), table(), tuple(equations.values())), "", equations)


@functools.cache
def table() -> ab.data.Table:
    drawn = list(dict.fromkeys(space().sample(np.random.default_rng(1), 300)))[:200]
    return ab.data.from_records(space(), [(a, dict(zip("yz", label(a), strict=True))) for a in drawn])


def label(architecture: ab.Architecture) -> tuple[float, float]:
    """`y` adds the worth of both units; `z` falls with it."""
    total = sum(worth(unit, text) for unit, text in enumerate(str(architecture).split("|")))
    return total, -(total**3)


def judge(codes: Any) -> pd.DataFrame:
    return pd.DataFrame([label(a) for a in space().from_codes(codes)], columns=["y", "z"])


def bench(hosts: int = 24) -> interventions.Bench:
    return interventions.Bench.draw(space(), judge, hosts, b"", seed=3)


# -------------------------------------------------------------------- data, predictors, scores


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


# -------------------------------------------------------------------- best and worst


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


# -------------------------------------------------------------------- interventions


class TestBench:
    def test_a_module_replaces_its_unit_and_nothing_else(self) -> None:
        own = bench(5)
        (text,) = ["b_y,c_x"]
        placed = space().from_codes(own.with_modules(1, interventions._contents(space(), 1, [text])))
        for before, after in zip(space().from_codes(own.hosts), placed, strict=True):
            assert str(after) == f"{str(before).split('|')[0]}|{text}" and after in space()

    def test_merged_units_are_replaced_together(self) -> None:
        pn = ab.spaces.ofa_pn()
        own = interventions.Bench.draw(pn, judge, 4, bytes([0]), 0)
        code = interventions._contents(pn, 4, ["e3_k3,e4_k5|e6_k7"])
        for before, after in zip(pn.from_codes(own.hosts), pn.from_codes(own.with_modules(4, code)), strict=True):
            assert str(after).split("|")[:5] == str(before).split("|")[:5]
            assert str(after).split("|")[5:] == ["e3_k3,e4_k5", "e6_k7"]

    def test_labels_do_not_depend_on_how_they_are_cut(self, monkeypatch: pytest.MonkeyPatch) -> None:
        own = bench(7)
        whole = own.label([own.hosts] * 5)
        monkeypatch.setattr(hosts, "PART", 3)
        pd.testing.assert_frame_equal(own.label([own.hosts] * 5), whole)
        np.testing.assert_array_equal(own.values("y * 2", whole)[4], 2 * judge(own.hosts).y)

    def test_hosts_differ_from_those_of_the_effect_score(self) -> None:
        mbv3 = ab.spaces.ofa_mbv3()
        for seed in range(5):
            hosts = interventions.Bench.draw(mbv3, judge, 50, bytes([0]), seed).hosts
            used = mbv3.sample_codes(np.random.default_rng([seed, 2]), 50)  # as score_units draws them
            assert not set(map(bytes, hosts)) & set(map(bytes, used))

    def test_families_with_a_surrogate_have_one(self) -> None:
        loaded = ranking.load_tasks("ofa_mbv3", {})
        scored = {Key("ofa_mbv3", "acc", 0, "norm"): UnitCorpus(ab.spaces.ofa_mbv3(), "", "", "", bytes([0]), ())}
        own = interventions.draw_benches(loaded, scored, 6, 0)["ofa_mbv3"]
        expected = ab.surrogate.ofa_mbv3().predict(own.space.from_codes(own.hosts))
        pd.testing.assert_frame_equal(own.label([own.hosts]), expected, atol=1e-5)


def intervene(score: Score, target: str = "y", hosts: int = 24) -> pd.DataFrame:
    extreme = ranking.extremes({key(target=target): corpus(score)}, seed=0)
    return interventions.intervene({"small": bench(hosts)}, extreme, seed=0)


class TestInterventions:
    def test_true_scores_hold_in_every_cell(self) -> None:
        found = intervene(worth)
        assert verdict.cells_that_hold(found).all() and len(found) == 4
        assert (found.gain > 0).all() and (found.loss > 0).all() and not found.constant.any()
        np.testing.assert_allclose(found.scale, judge(bench().hosts).y.std())
        span = found.set_index(["unit", "depth"])
        assert (span.gain + span.loss).to_dict() == pytest.approx({(0, 1): 8, (0, 2): 16, (1, 1): 16, (1, 2): 32})

    def test_differences_are_paired_with_one_random_module_per_host(self) -> None:
        own, seen = bench(), []
        watched = interventions.Bench(space(), lambda codes: seen.append(codes) or judge(codes), own.hosts)
        extreme = ranking.extremes({key(): corpus(worth)}, seed=0)
        found = interventions.intervene({"small": watched}, extreme, seed=0).set_index(["unit", "depth"])
        batches = np.concatenate(seen).reshape(-1, len(own.hosts), space().code_width)
        random = space().from_codes(batches[3])  # the hosts, then random modules of cells (0, 1), (0, 2), (1, 1), ...
        texts = [str(a).split("|")[1] for a in random]
        assert {text.count(",") for text in texts} == {0} and len(set(texts)) > 4
        assert [str(a).split("|")[0] for a in random] == [str(a).split("|")[0] for a in space().from_codes(own.hosts)]
        gains = np.array([18 - worth(1, text) for text in texts])
        assert found.gain[1, 1] == pytest.approx(gains.mean())
        half = 2.0687 * gains.std(ddof=1) / math.sqrt(24)  # t(0.975, 23)
        assert (found.gain_low[1, 1], found.gain_high[1, 1]) == pytest.approx(
            (gains.mean() - half, gains.mean() + half), rel=1e-4
        )

    def test_the_opposite_score_holds_nowhere(self) -> None:
        found = intervene(lambda unit, module: -worth(unit, module))
        assert not verdict.cells_that_hold(found).any() and (found.gain < 0).all() and (found.gain_p > 0.9).all()

    def test_what_counts_is_the_target(self) -> None:
        assert verdict.cells_that_hold(intervene(lambda u, m: -worth(u, m), target="z")).all()
        assert not verdict.cells_that_hold(intervene(worth, target="z")).any()

    def test_a_constant_or_missing_score_never_holds(self) -> None:
        for nothing in (1.0, math.nan):
            for seed in range(5):
                extreme = ranking.extremes({key(): corpus(lambda _, __, x=nothing: x)}, seed)
                found = interventions.intervene({"small": bench()}, extreme, seed)
                assert found.constant.all() and not verdict.cells_that_hold(found).any()

    def test_a_single_module_is_left_out(self) -> None:
        fixed = ab.SequenceSpace(
            "fixed", [ab.Unit(1, 1, layer_features={"op": ["a"]}), ab.Unit(1, 1)], {"op": ["a", "b"]}
        )
        scored = {Key("fixed", "y", 0, "norm"): corpus(lambda _, module: float(module == "b"), fixed)}

        def one(codes: Any) -> pd.DataFrame:
            return pd.DataFrame({"y": codes[:, -1] + 0.0})

        own = interventions.Bench.draw(fixed, one, 12, b"", 0)
        assert interventions.intervene({"fixed": own}, ranking.extremes(scored, 0), 0).unit.tolist() == [1]

    def test_without_an_evaluator_there_is_an_empty_table(self) -> None:
        found = interventions.intervene({}, ranking.extremes({key(): corpus(worth)}, 0), 0)
        assert found.empty and list(found) == interventions.EFFECTS


# -------------------------------------------------------------------- scores against effects


def agree(score: Score, hosts: int = 12, target: str = "y") -> pd.DataFrame:
    corpora = {key(target=target): corpus(score)}
    return agreement.score_agreement({"small": bench(hosts)}, corpora, {"small": table()}, modules=9, seed=0)


class TestAgreement:
    def test_samples(self) -> None:
        samples = agreement.draw_samples(corpus(worth), 20, seed=0)
        assert [(s.scope, s.unit, s.depth, len(s.places)) for s in samples[:4]] == [
            (CELL, 0, 1, 9), (CELL, 0, 2, 20), (ALIKE, 0, -1, 29), (UNIT, 0, -1, 60),
        ]  # fmt: skip
        depths = corpus(worth).depths(0)
        assert set(depths[samples[0].places]) == {1} and set(depths[samples[1].places]) == {2}
        assert samples[2].places.tolist() == [*samples[0].places, *samples[1].places]
        assert all(len(set(s.places)) == len(s.places) for s in samples)

    def test_random_modules_of_a_unit_are_mostly_deep(self) -> None:
        deep = [
            (corpus(worth).depths(0)[s.places] == 2).mean()
            for seed in range(30)
            for s in agreement.draw_samples(corpus(worth), 5, seed)
            if s.scope == UNIT
        ]
        assert np.mean(deep) == pytest.approx(0.9, abs=0.03)

    def test_true_scores_and_their_opposite(self) -> None:
        for factor in (1.0, -1.0):
            found = agree(lambda unit, module, factor=factor: factor * worth(unit, module))
            own = found[found.score == "norm"]
            assert len(own) == 8 and own.srcc.tolist() == pytest.approx([factor] * 8)
        turned = agree(worth, target="z")
        assert turned[turned.score == "norm"].srcc.tolist() == pytest.approx([-1.0] * 8)

    def test_peers_of_an_additive_world_are_perfect(self) -> None:
        found = agree(worth)
        assert found[found.score == "ridge"].srcc.min() > 0.95 and found[found.score == "halves"].srcc.min() > 0.999
        assert set(found[found.score.isin(["ridge", "halves"])].seed) == {ranking.ALL_SEEDS}

    def test_a_score_that_knows_only_depth(self) -> None:
        found = agree(lambda _, module: float(module.count(",")))
        own = found[found.score == "norm"].set_index("scope").srcc
        assert own[ALIKE].min() > 0.6 and own[CELL].isna().all()
        summary = agreement.median_srcc(found[found.score == "norm"], ["scope"]).set_index("scope")
        assert (summary["median"][CELL], summary.missing[CELL]) == (0, 4) and summary.missing[ALIKE] == 0

    def test_measured_effects_are_means_over_hosts(self) -> None:
        noise = np.random.default_rng(0).normal(size=1000)
        shaky = corpus(lambda unit, module: worth(unit, module) + 8 * noise[sum(map(ord, module)) % 1000])
        own = bench(4)
        found = agreement.score_agreement({"small": own}, {key(target="z"): shaky}, {"small": table()}, 9, seed=0)
        for sample in agreement.draw_samples(shaky, 9, seed=0):
            texts = space().scoring_groups[sample.unit].texts(shaky.groups[sample.unit].codes[sample.places])
            effects = []
            for text in texts:
                hosts = [str(host).split("|") for host in space().from_codes(own.hosts)]
                placed = [[*host[: sample.unit], text, *host[sample.unit + 1 :]] for host in hosts]
                effects.append(np.mean([label(space().parse("|".join(units)))[1] for units in placed]))
            rows = found[(found.score == "norm") & (found.scope == sample.scope) & (found.unit == sample.unit)]
            (row,) = rows[rows.depth == sample.depth].to_dict("records")
            expected = spearmanr(shaky.groups[sample.unit].scores[sample.places], effects).statistic
            assert row["srcc"] == pytest.approx(expected) and row["modules"] == len(texts)
            assert row["spread"] == pytest.approx(np.std(effects, ddof=1) / judge(own.hosts).z.std())

    def test_summary_by_hand(self) -> None:
        rows = [("a", 0.2), ("a", 0.6), ("a", math.nan), ("b", -0.5)]
        found = agreement.median_srcc(pd.DataFrame(rows, columns=["scope", "srcc"]), ["scope"])
        assert found.to_dict("list") == {
            "scope": ["a", "b"], "median": [0.2, -0.5], "low": [0.0, -0.5], "high": [0.6, -0.5], "missing": [1, 0],
        }  # fmt: skip

    def test_the_worst_cells_come_first(self) -> None:
        half = agree(lambda unit, module: worth(unit, module) * (1 if unit else -1))
        effect = half[half.score == "norm"].assign(score="effect")
        tasks = pd.DataFrame({"family": ["small"], "target": ["y"], "label": ["mine"]})
        found = agreement.worst_cells(pd.concat([half, effect]), tasks, 2)
        assert found.unit.tolist() == [0, 0] and found.norm.tolist() == pytest.approx([-1, -1])
        assert (found.label == "mine").all() and (found.ridge > 0.9).all() and (found.spread > 0).all()

    def test_without_an_evaluator_tables_are_empty(self) -> None:
        found = agreement.score_agreement({}, {key(): corpus(worth)}, {}, 5, 0)
        assert found.empty and list(found) == agreement.AGREEMENT
        assert agreement.median_srcc(found, ["scope", "score"]).empty
        assert agreement.worst_cells(found, pd.DataFrame(), 3).empty


# -------------------------------------------------------------------- verdict


def effects_table(holding: int, total: int = 100, score: str = "norm", p: float = 1e-9) -> pd.DataFrame:
    good = np.arange(total) < holding
    return pd.DataFrame(
        {"family": "f", "target": "t", "score": score, "constant": False,
         "gain_p": np.where(good, p, 0.5), "loss_p": np.where(np.arange(total) % 2, p, np.where(good, p, 0.9))}
    )  # fmt: skip


def correlations_table(median: float, score: str = "norm") -> pd.DataFrame:
    rows = [(score, UNIT, x) for x in (median - 0.2, median, median + 0.2)] + [(score, CELL, -1.0)] * 9
    return pd.DataFrame(rows, columns=["score", "scope", "srcc"])


def overlap_table(*values: float, score: str = "norm") -> pd.DataFrame:
    return pd.DataFrame({"score": score, "overlap": values}, columns=["score", "overlap"])


class TestVerdict:
    def test_supported_when_all_checks_hold(self) -> None:
        judged = verdict.judge(effects_table(80), correlations_table(0.5), overlap_table(0.1, 0.49))
        found, text = judged.checks, judged.word
        assert text == "supported" and found.holds.all()
        assert found.value.tolist() == [
            "80 of 100 cells (80%)", "0.500 (units: 0.30 to 0.70)", "2 of 2 pairs (median 0.29, largest 0.49)",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("effects", "correlations", "overlap", "holds", "expected"),
        [
            (79, 0.5, 0.1, [False, True, True], "partly"),
            (80, 0.49, 0.1, [True, False, True], "partly"),
            (80, 0.5, 0.5, [True, True, False], "partly"),
            (79, 0.49, 0.1, [False, False, True], "not supported"),
            (0, -0.5, 0.9, [False, False, False], "not supported"),
        ],
    )
    def test_each_check_can_fail(
        self, effects: int, correlations: float, overlap: float, holds: list[bool], expected: str
    ) -> None:
        tables = effects_table(effects), correlations_table(correlations), overlap_table(0.2, overlap)
        judged = verdict.judge(*tables)
        found, text = judged.checks, judged.word
        assert (found.holds.tolist(), text) == (holds, expected)

    def test_both_comparisons_must_hold_in_a_cell(self) -> None:
        assert not verdict.cells_that_hold(effects_table(0)).any(), "the worst is bad in half of them"
        assert verdict.cells_that_hold(effects_table(3)).tolist() == [True] * 3 + [False] * 97

    def test_tests_are_corrected_for_their_number(self) -> None:
        few, many = (effects_table(n, total=n, p=0.001) for n in (10, 100))
        assert verdict.cells_that_hold(few).all() and not verdict.cells_that_hold(many).any()

    def test_constant_scores_count_as_cells_that_fail(self) -> None:
        effects = effects_table(100)
        effects.loc[:20, "constant"] = True
        assert verdict.judge(effects, correlations_table(0.9), overlap_table(0.1)).word == "partly"

    def test_missing_correlations_count_as_zero(self) -> None:
        correlations = correlations_table(0.9)
        correlations.loc[[0, 2], "srcc"] = math.nan
        judged = verdict.judge(effects_table(100), correlations, overlap_table(0.1))
        found, _ = judged.checks, judged.word
        assert found.value[1] == "0.000 (units: 0.00 to 0.90)" and not found.holds[1]

    def test_a_test_without_a_result_does_not_hold(self) -> None:
        effects = effects_table(3, total=3)
        effects.loc[1, "gain_p"] = math.nan
        assert verdict.cells_that_hold(effects).tolist() == [True, False, True]

    def test_only_the_score_in_question_is_judged(self) -> None:
        tables = [
            pd.concat([make(good), make(bad, score="effect")], ignore_index=True)
            for make, good, bad in ((effects_table, 100, 0), (correlations_table, 0.9, -0.5), (overlap_table, 0.1, 0.9))
        ]
        assert verdict.judge(*tables).word == "supported"
        assert verdict.judge(*tables, "effect").word == "not supported"

    def test_undecided_without_measured_effects_or_with_one_equation(self) -> None:
        no_effects, no_correlations = (
            pd.DataFrame(columns=interventions.EFFECTS),
            pd.DataFrame(columns=agreement.AGREEMENT),
        )
        judged = verdict.judge(no_effects, no_correlations, overlap_table(0.1))
        found, text = judged.checks, judged.word
        assert text == "undecided" and len(found) == 1
        assert verdict.judge(effects_table(100), correlations_table(0.9), overlap_table()).word == "undecided"
        judged = verdict.judge(no_effects, no_correlations, overlap_table())
        found, text = judged.checks, judged.word
        assert text == "undecided" and found.empty

    def test_seeds_are_judged_one_by_one(self) -> None:
        tables = [
            pd.concat([make(one).assign(seed=1), make(other).assign(seed=2)], ignore_index=True)
            for make, one, other in (
                (effects_table, 100, 0),
                (correlations_table, 0.9, -0.5),
                (overlap_table, 0.1, 0.9),
            )
        ]
        found = verdict.by_seed(*tables).set_index("seed")
        assert found.verdict.to_dict() == {1: "supported", 2: "not supported"}
        assert found["best beats random beats worst"].tolist() == ["100 of 100 cells (100%)", "0 of 100 cells (0%)"]

    def test_counts_by_task_add_up_to_the_verdict(self) -> None:
        effects = pd.concat([effects_table(30).assign(target="u"), effects_table(10, total=20)], ignore_index=True)
        tasks = pd.DataFrame({"family": "f", "target": ["t", "u", "v"], "label": ["second", "first", "unused"]})
        found = verdict.cells_by_task(effects, tasks)
        assert found.norm.to_dict() == {("f", "second"): "10 of 20", ("f", "first"): "30 of 100"}
        assert verdict.cells_by_task(effects.iloc[:0], tasks).empty


def test_the_whole_chain_on_planted_scores_supports_a_true_score_and_rejects_an_empty_one() -> None:
    """Two targets that want the opposite; "effect" knows the truth, "norm" draws lots."""
    noise = np.random.default_rng(0)
    corpora = {
        key("effect", "y"): corpus(worth),
        key("effect", "z"): corpus(lambda unit, module: -worth(unit, module)),
        key("norm", "y"): (lots := corpus(lambda _, __: noise.normal())),
        key("norm", "z"): lots,
    }
    own, both = panel(a="y", b="z"), {"small": bench()}
    effects = interventions.intervene(both, ranking.extremes(corpora, 0), 0)
    correlations = agreement.score_agreement(both, corpora, {"small": table()}, 9, 0)
    overlap = ranking.overlaps([own], corpora, 0)
    assert verdict.judge(effects, correlations, overlap, "effect").word == "supported"
    assert verdict.judge(effects, correlations, overlap, "norm").word == "not supported"
