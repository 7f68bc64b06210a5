"""The comparison of models: rows, judgements, resumption, and what is made of the results; by hand where possible."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy

import autobuild_lib as ab
from autobuild_book.chapters.peers import (
    contests,
    figures,
    measuring,
    proxy_ranks,
    results,
    seconds as model_seconds,
    stories,
)
from autobuild_book.chapters.peers.contests import Contest, Field, quality
from autobuild_book.chapters.peers.measuring import COLUMNS, PeerJob
from autobuild_book.chapters.peers.models import registry
from autobuild_book.chapters.peers.models.registry import MODELS
from autobuild_book.chapters.peers.proxy_tables import sample_architectures
from autobuild_book.chapters.shared.splits import subset
from autobuild_lib.training import FEW_ROWS
from autobuild_lib.units.ridge import AdditiveRidge
from tests.benchmarks.peer_presets import candidates, validation_splits

TOY = Contest("toy", "toy", ("additive", "other"), lower=("other",))


@pytest.fixture
def toy_contest(monkeypatch: pytest.MonkeyPatch, toy_table: ab.data.Table) -> Contest:
    """A contest over the toy table, which every module takes for a bundled one."""
    monkeypatch.setattr(contests, "_load", lambda source, space: toy_table)
    return TOY


# -------------------------------------------------------------------- judging a ranking


class TestQuality:
    def test_by_hand(self) -> None:
        truth = np.arange(20.0)
        predicted = truth.copy()
        predicted[[19, 0]] = predicted[[0, 19]]  # the best is taken for the worst, and the other way round
        found = quality(predicted, truth)
        assert found["recall"] == 0.5  # of 19 and 18, 18 is found
        assert found["regret"] == pytest.approx(1 / truth.std())  # 18 is the best of ten
        assert quality(truth, truth) == {"srcc": 1.0, "recall": 1.0, "regret": 0.0}

    def test_less_may_be_better(self) -> None:
        truth = np.arange(30.0)
        assert quality(truth, truth, lower_is_better=True) == {"srcc": 1.0, "recall": 1.0, "regret": 0.0}
        found = quality(-truth, truth, lower_is_better=True)
        assert (found["srcc"], found["recall"], found["regret"]) == (-1.0, 0.0, pytest.approx(20 / truth.std()))

    def test_a_constant_label_has_no_regret(self) -> None:
        assert math.isnan(quality(np.arange(5.0), np.ones(5))["regret"])


# -------------------------------------------------------------------- rows: nothing of the test rows is known


class TestRows:
    @pytest.mark.parametrize("contest", contests.contests_that_exist(), ids=lambda contest: contest.name)
    @pytest.mark.parametrize("seed", [0, 1])
    def test_no_row_is_learnt_from_and_tested(self, contest: Contest, seed: int) -> None:
        field = contests.field_of(contest, seed)
        assert not set(field.train.architectures) & set(field.test.architectures)
        assert len(field.test) >= 10

    def test_large_tables_have_the_test_rows_of_the_other_chapters(self) -> None:
        field = contests.field_of(contests.CONTESTS[0], seed=7)
        assert field.test.architectures == ab.data.load("ofa_mbv3").split(0.9, seed=12345)[1].architectures

    def test_small_tables_draw_their_test_rows(self, toy_contest: Contest) -> None:
        first, again, other = (contests.field_of(toy_contest, seed).test.architectures for seed in (0, 0, 1))
        assert first == again != other and len(first) == 38

    def test_proxies_have_fixed_test_rows(self, toy_table: ab.data.Table, monkeypatch: pytest.MonkeyPatch) -> None:
        order = np.random.default_rng(0).permutation(150)[:130]
        known = replace(toy_table.take(order), labels=pd.DataFrame({"zen": order.astype(float), "flops_m": 0.0}))
        monkeypatch.setattr(contests, "_load", lambda source, space: known if source == "p" else toy_table)
        field = contests.field_of(replace(TOY, proxies="p"), seed=3)
        assert field.test.architectures == known.architectures[:100] and len(field.train) == 30
        expected = toy_table.take(order[:100]).labels["additive"]
        pd.testing.assert_series_equal(field.test.labels["additive"], expected)
        assert field.proxies is not None and list(field.proxies) == ["zen", "architecture"]
        assert field.proxies.zen.tolist() == order.tolist()

    def test_subsets_are_repeatable_distinct_rows(self, toy_table: ab.data.Table) -> None:
        first, again, other = (subset(toy_table, 30, seed).architectures for seed in (1, 1, 2))
        assert first == again != other and len(set(first)) == 30
        assert subset(toy_table, 999, 5).architectures == toy_table.architectures

    def test_configurations_were_chosen_without_any_test_row(self) -> None:
        for family, parts in zip(("ofa_mbv3", "ofa_pn"), validation_splits(), strict=True):
            seen = {architecture for part in parts[:2] for architecture in part.architectures}
            assert not seen & set(ab.data.load(family).split(0.9, seed=12345)[1].architectures)
            assert not seen & set(sample_architectures(family, contests.TEST_WITH_PROXIES))
            assert not set(parts[0].architectures) & set(parts[1].architectures) and len(parts[1]) > 300

    def test_chosen_configurations_are_among_the_candidates(self) -> None:
        for name, own in candidates().items():
            assert MODELS[name] in own, name

    @pytest.mark.parametrize("size", [20, 60])
    def test_models_are_given_training_rows_only(
        self, size: int, toy_contest: Contest, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        given: list[ab.data.Table] = []

        class Spy(registry.RidgeModel):
            def fit_many(self, table: Any, *rest: Any, **more: Any) -> Any:
                given.append(table)
                return super().fit_many(table, *rest, **more)

        monkeypatch.setitem(MODELS, "additive ridge", Spy("additive ridge"))
        PeerJob(toy_contest, "additive ridge", size, 4).run()
        field = contests.field_of(toy_contest, 4)
        assert len(given[0]) == size and set(given[0].architectures) <= set(field.train.architectures)


# -------------------------------------------------------------------- measuring


class TestMeasuring:
    def test_a_run_is_what_the_model_says(self, toy_contest: Contest) -> None:
        found = PeerJob(toy_contest, "additive ridge", 50, 2).run()
        field = contests.field_of(toy_contest, 2)
        train = subset(field.train, 50, 2)
        assert list(found) == COLUMNS and found.target.tolist() == ["additive", "other"]
        for row, lower in zip(found.itertuples(), (False, True), strict=True):
            ridge = AdditiveRidge(train.space).fit(train.architectures, train.labels[row.target].to_numpy())
            expected = quality(ridge.predict(field.test.architectures), field.test.labels[row.target].to_numpy(), lower)
            assert (row.srcc, row.recall, row.regret) == pytest.approx(tuple(expected.values()))
            assert (row.contest, row.model, row.size, row.seed) == ("toy", "additive ridge", 50, 2)

    def test_a_finished_run_is_kept(
        self, toy_contest: Contest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        job = PeerJob(toy_contest, "nearest neighbours", 30, 0)
        first = job.run(tmp_path)
        monkeypatch.setattr(PeerJob, "_measure", lambda _: pytest.fail("measured again"))
        pd.testing.assert_frame_equal(job.run(tmp_path), first)

    def test_runs_that_differ_are_kept_apart(self, toy_contest: Contest, monkeypatch: pytest.MonkeyPatch) -> None:
        job = PeerJob(toy_contest, "nearest neighbours", 30, 0)
        others = [replace(job, size=31), replace(job, seed=1), replace(job, model="additive ridge")]
        others.append(replace(job, contest=replace(toy_contest, lower=())))
        keys = [one.key for one in (job, *others)]
        changed = replace(registry.NEIGHBOURS, learner=registry.Neighbours(1))
        monkeypatch.setitem(MODELS, "nearest neighbours", changed)
        assert len({*keys, job.key}) == 6

    def test_plan(self, toy_contest: Contest) -> None:
        jobs = measuring.plan([toy_contest], [25, 50, 2700])
        assert {job.size for job in jobs} == {25, 50, 112}
        assert min(measuring.SIZES) == FEW_ROWS, "fewer rows are warned of"
        assert not any(MODELS[job.model].needs_proxies for job in jobs)
        assert sorted((job.estimate for job in jobs), reverse=True) == [job.estimate for job in jobs]
        few = measuring.plan([toy_contest], [25], [3, 4], ["additive ridge"])
        assert [(job.size, job.seed) for job in few] == [(25, 3), (25, 4)]
        assert re.findall(r"\d[\d.]*|additive ridge", measuring.describe(few)) == ["2", "0", "additive ridge", "0.0"]

    def test_runs_with_the_same_rows_are_one_draw(self) -> None:
        large, small = contests.CONTESTS[0], contests.CONTESTS[3]
        for contest, size, expected in ((large, 2699, [0, 3]), (large, 2700, [0, 0]), (small, 51, [0, 3])):
            fields = [contests.field_of(contest, seed) for seed in (0, 3)]
            chosen = [subset(field.train, size, seed) for field, seed in zip(fields, (0, 3), strict=True)]
            assert [field.draw(size, seed) for field, seed in zip(fields, (0, 3), strict=True)] == expected
            same = chosen[0].architectures == chosen[1].architectures
            assert same == (len(set(expected)) == 1)

    def test_every_model_that_needs_no_proxies_has_an_estimate(self) -> None:
        assert set(measuring.EFFORTS) == {name for name, model in MODELS.items() if not model.needs_proxies}

    def test_rows_come_in_a_fixed_order(
        self, toy_contest: Contest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def here(work: Callable[..., Any], arguments: Sequence[tuple[Any, ...]], *_: Any) -> list[Any]:
            return [work(*each) for each in arguments]

        monkeypatch.setattr(measuring, "in_processes", here)
        jobs = measuring.plan([toy_contest], [30, 60], [0, 1], ["nearest neighbours", "additive ridge"])
        rows = measuring.run_all(jobs, tmp_path / "parts")
        assert rows.model.unique().tolist() == ["additive ridge", "nearest neighbours"] and len(rows) == 2 * 2 * 2 * 2
        timeless = [name for name in COLUMNS if "seconds" not in name]
        again = measuring.run_all(jobs[::-1], None)
        pd.testing.assert_frame_equal(again[timeless], rows[timeless])
        assert len(list((tmp_path / "parts").iterdir())) == len(jobs)


def test_references_by_hand(toy_table: ab.data.Table, monkeypatch: pytest.MonkeyPatch) -> None:
    noisy = replace(toy_table, noise_free=toy_table.labels[["additive"]])
    monkeypatch.setattr(contests, "_load", lambda source, space: noisy)
    found = contests.references([TOY])
    ceiling = found[found.model == contests.CEILING]
    assert set(ceiling.target) == {"additive"} and np.allclose(ceiling.srcc, 1) and (ceiling.regret == 0).all()
    random = found[found.model == contests.RANDOM]
    assert set(random.target) == {"additive", "other"} and abs(random.srcc.mean()) < 0.2


class TestChoosing:
    def test_your_own_data(self, toy_contest: Contest) -> None:
        (found,) = contests.choose("mine.csv", ["additive", "speed", "additive / (other + 20)"], ["other"])
        assert found.targets == ("additive", "additive / (other + 20)") and found.lower == ("other",)
        assert contests.named([found], contests.LARGE) == ["toy"]
        with pytest.raises(ValueError, match=r"mine.csv: no target of \['speed'\]"):
            contests.choose("mine.csv", ["speed"], [])

    def test_bundled_data(self) -> None:
        found = {one.name: one for one in contests.choose("bundled", ["acc"], [])}
        assert found["ofa_pn"].targets == ("acc",)
        assert all(one.targets != ("acc",) for one in found.values() if one.kind == contests.SMALL)


# -------------------------------------------------------------------- results by hand


def rows_of(values: dict[tuple[str, int], list[float]], target: str = "t", seconds: float = 1.0) -> pd.DataFrame:
    """Rows from {(model, size): SRCC for each seed}."""
    rows = [
        ("c", target, model, size, seed, value, value, 1 - value, seconds * (1 + len(model)), 0.0, seed)
        for (model, size), own in values.items()
        for seed, value in enumerate(own)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


OURS, THEIRS = registry.TUNED.name, "additive ridge"


class TestProxiesByThemselves:
    @pytest.fixture
    def found(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        ours = [contest for contest in contests.contests_that_exist() if contest.proxies]
        return proxy_ranks.ranks_by_proxy(ours), proxy_ranks.ranks_at_full_resolution(ours)

    def test_labels_and_proxies_of_the_same_networks_are_paired(self, found: tuple[pd.DataFrame, ...]) -> None:
        alone, _ = found
        own = alone[(alone.family == "ofa_pn") & (alone.proxy == "synflow") & (alone.against == "latency_gpu")].iloc[0]
        proxies, table = ab.data.load("proxies_ofa_pn"), ab.data.load("ofa_pn")
        place = {architecture: row for row, architecture in enumerate(table.architectures)}
        labels = table.labels["latency_gpu"].to_numpy()[[place[one] for one in proxies.architectures]]
        truth = scipy.stats.spearmanr(proxies.labels["synflow"], labels).statistic
        assert own.srcc == pytest.approx(truth) and own.networks == 500 and own.low < own.srcc < own.high

    def test_counting_ranks_the_same_at_every_resolution(self, found: tuple[pd.DataFrame, ...]) -> None:
        _, full = found
        assert len(full) == 20 and (full.networks == 30).all()
        assert (full[full.proxy == "parameters"].srcc == 1).all() and (full[full.proxy == "macs"].srcc > 0.99).all()


class TestResults:
    def test_summary(self) -> None:
        found = results.mean_measures(rows_of({("m", 25): [0.5, 0.7], ("n", 25): [0.9]}))
        first = found[(found.model == "m") & (found.measure == "srcc")].iloc[0]
        half = 12.706205 * 0.1
        assert (first.value, first.low, first.high) == pytest.approx((0.6, 0.6 - half, 0.6 + half), abs=1e-6)
        regret = found[(found.model == "m") & (found.measure == "regret")].iloc[0]
        assert regret.value == pytest.approx(0.4)
        assert math.isnan(found[found.model == "n"].iloc[0].low)

    def test_by_size_leaves_a_gap_where_a_task_is_missing(self) -> None:
        both = pd.concat([rows_of({("m", 25): [0.5], ("n", 25): [0.7]}), rows_of({("m", 25): [0.7]}, "u")])
        found = results.by_size(results.mean_measures(both), "srcc")
        assert found.loc["m", 25] == pytest.approx(0.6) and math.isnan(found.loc["n", 25])

    @pytest.mark.parametrize(
        ("theirs", "winner"),
        [
            ([0.8, 0.81, 0.82], OURS),
            ([0.97, 0.98, 0.99], THEIRS),
            ([0.9, 0.93, 0.9], "even"),
            ([0.905, 0.915, 0.925], "even"),
        ],  # better for sure, but by less than the margin
    )
    def test_who_wins(self, theirs: list[float], winner: str) -> None:
        rows = rows_of({(OURS, 25): [0.9, 0.91, 0.92], (THEIRS, 25): theirs, (registry.PAPER.name, 25): [0.1] * 3})
        (found,) = results.against_autobuild(rows).itertuples()
        assert (found.autobuild, found.other, found.winner) == (OURS, THEIRS, winner)
        assert found.lead == pytest.approx(0.91 - np.mean(theirs))

    def test_nobody_is_known_to_win_on_one_training_set(self) -> None:
        rows = rows_of({(OURS, 25): [0.9, 0.92], (THEIRS, 25): [0.5, 0.5]}).assign(draw=0)
        (found,) = results.against_autobuild(rows).itertuples()
        assert found.winner == "unknown" and found.lead == pytest.approx(0.41) and math.isnan(found.low)
        assert results.mean_measures(rows).low.isna().all()

    def test_combinations_are_nobodys_peers_but_may_be_advised(self) -> None:
        rows = rows_of({(OURS, 25): [0.9, 0.9], (THEIRS, 25): [0.8, 0.8], (registry.EMBEDDED.name, 25): [1.0, 1.0]})
        (found,) = results.against_autobuild(rows).itertuples()
        assert (found.autobuild, found.other) == (OURS, THEIRS)
        assert results.advise(rows, [25])[0].best == registry.EMBEDDED.name

    def test_regret_is_better_when_it_is_low(self) -> None:
        rows = rows_of({(OURS, 25): [0.9, 0.91], (THEIRS, 25): [0.8, 0.81]})
        (found,) = results.against_autobuild(rows, "regret").itertuples()
        assert found.lead == pytest.approx(0.1) and found.autobuild_value == pytest.approx(0.095)

    def test_gains_are_paired_over_tasks(self) -> None:
        parts = {("forest: GRAF", 25): [0.5, 0.6], ("forest: one-hot + GRAF", 25): [0.6, 0.6]}
        both = pd.concat([rows_of(parts), rows_of({key: [0.5] for key in parts}, "u")])
        (found,) = results.combining(both).itertuples()
        assert (found.combination, found.part, found.tasks) == ("forest: one-hot + GRAF", "forest: GRAF", 2)
        assert found.gain == pytest.approx(0.025)

    def test_models_that_nobody_measured_are_named(self) -> None:
        missing = results.not_measured(rows_of({(OURS, 25): [0.5], (THEIRS, 25): [0.5]}))
        assert registry.PAPER.name in missing and not {OURS, THEIRS} & set(missing)

    def test_spot_check(self) -> None:
        before, live = rows_of({("m", 25): [0.5, 0.7]}), rows_of({("m", 25): [0.5, 0.6]})
        rows = results.spot_check(live, before)
        assert rows.difference.tolist() == pytest.approx([-0.1, 0.0])
        assert rows.spread.tolist() == pytest.approx([0.2 / np.sqrt(2)] * 2)


class TestAdvice:
    def rows(self, cheap: Sequence[float]) -> pd.DataFrame:
        """Four tasks, two training subsets each: AutoBuild reaches 0.9, the cheap ridge what is given for a task."""
        return pd.concat(
            [
                rows_of({(OURS, 50): [0.9, 0.9], (THEIRS, 50): [value, value]}, f"t{place}").assign(
                    fit_seconds=lambda frame: frame.model.map({OURS: 10.0, THEIRS: 0.1})
                )
                for place, value in enumerate(cheap)
            ]
        )

    def test_a_cheap_model_is_advised_when_it_is_shown_to_lose_little(self) -> None:
        (found,) = results.advise(self.rows([0.9, 0.88, 0.91, 0.89]), [50, 400])
        assert (found.best, found.advised, found.tasks) == (OURS, THEIRS, 4)
        assert found.sentence() == (
            "With 50 labelled networks use **additive ridge** (SRCC 0.895), the cheapest shown to be within 0.01 of "
            "AutoBuild, tuned preset (0.900)."
        )

    def test_the_best_model_is_advised_otherwise(self) -> None:
        (found,) = results.advise(self.rows([0.88, 0.89, 0.88, 0.9]), [50])
        assert found.advised == found.best == OURS
        assert found.sentence() == "With 50 labelled networks use **AutoBuild, tuned preset** (SRCC 0.900)."

    def test_losing_now_little_and_now_much_shows_nothing(self) -> None:
        rows = rows_of({(OURS, 50): [0.9, 0.9], (THEIRS, 50): [0.9, 0.894]})
        cheap = rows.assign(fit_seconds=rows.model.map({OURS: 10.0, THEIRS: 0.1}))
        (found,) = results.advise(cheap, [50])
        assert found.advised == OURS, "0.003 on average, but the interval reaches beyond 0.01"

    def test_a_large_loss_in_one_task_counts(self) -> None:
        (found,) = results.advise(self.rows([0.9, 0.9, 0.9, 0.6]), [50])
        assert found.advised == OURS

    def test_several_runs_on_the_same_rows_are_no_interval(self) -> None:
        rows = rows_of({(OURS, 50): [0.9, 0.9, 0.9], (THEIRS, 50): [0.899, 0.899, 0.899]})
        cheap = rows.assign(fit_seconds=rows.model.map({OURS: 10.0, THEIRS: 0.1}))
        assert results.advise(cheap, [50])[0].advised == THEIRS
        (found,) = results.advise(cheap.assign(draw=0), [50])
        assert (found.advised, found.draws) == (THEIRS, 1)
        expected = "the cheapest within 0.01 of AutoBuild, tuned preset (0.900) on the only training set of this size."
        assert found.sentence().endswith(expected)
        (far,) = results.advise(cheap.assign(draw=0, srcc=cheap.srcc.replace(0.899, 0.88)), [50])
        assert far.advised == OURS

    def test_a_model_without_all_tasks_is_left_out(self) -> None:
        rows = self.rows([0.95, 0.95, 0.95, 0.95])
        partly = rows[(rows.model == OURS) | (rows.target != "t3")]
        assert results.advise(partly, [50]) == []

    def test_without_correlations_there_is_no_advice_but_a_sentence(self) -> None:
        advice = results.advise(self.rows([math.nan] * 4).assign(srcc=math.nan), [50])
        assert advice == [] and len(results.sentences(advice)) == 1
        assert results.decision_box({"srcc": advice}).endswith(results.sentences(advice)[0])

    def test_autobuild_is_always_named(self) -> None:
        (found,) = results.advise(self.rows([0.95, 0.96, 0.95, 0.97]), [50])
        assert found.sentence().endswith("**additive ridge** (SRCC 0.958); AutoBuild, tuned preset reaches 0.900.")

    def test_one_task_is_paired_over_training_subsets(self) -> None:
        rows = rows_of({(OURS, 50): [0.9, 0.92, 0.91], (THEIRS, 50): [0.8, 0.82, 0.81]})
        (found,) = results.advise(rows, [50])
        assert (found.best, found.advised, found.tasks) == (OURS, OURS, 1)

    def test_box(self) -> None:
        rows = self.rows([0.95, 0.96, 0.95, 0.97])
        box = results.decision_box({m: results.advise(rows, [50], m) for m in ("srcc", "regret")})
        assert box.startswith("**To rank networks**\n\n- With 50 labelled") and "**To find one of the best**" in box
        assert "(regret 0.043); AutoBuild, tuned preset reaches 0.100" in box


# -------------------------------------------------------------------- costs and stories


def test_costs(toy_table: ab.data.Table) -> None:
    found = model_seconds.model_seconds(toy_table, "additive", ["additive ridge", "forest: GRAF"], 200)
    assert found.model.tolist() == ["additive ridge", "forest: GRAF"]
    assert (found[["train", "total"]] > 0).all(axis=None) and found.features[0] == 0 < found.features[1]
    assert (found.total >= found.train + found.features - 1e-9).all()
    assert math.isnan(model_seconds.proxy_seconds(toy_table, 100)), "toys are no networks"


class TestStories:
    def test_owners_of_the_bytes_of_a_code(self, toy: ab.SequenceSpace) -> None:
        found = stories.owners(toy)
        assert len(found) == toy.code_width
        assert found[:3] == [("unit 0", "depth"), ("unit 0", "op"), ("unit 0", "ratio")]
        assert found[5:7] == [("unit 1", "depth"), ("unit 1", "width")]
        assert found[-1] == ("unit 1", "ratio"), "a tail unit belongs to the unit before"

    def test_contributions_add_up_to_the_prediction(self, toy_table: ab.data.Table) -> None:
        space, y = toy_table.space, toy_table.labels["additive"].to_numpy()
        model, codes = AdditiveRidge(space).fit(toy_table.architectures, y), space.to_codes(toy_table.architectures)
        total = np.sum(list(stories.contributions(space, model, codes).values()), axis=0)
        difference = model.predict(toy_table.architectures) - total
        np.testing.assert_allclose(difference, difference[0], atol=1e-9)

    def test_columns_of_graf(self, toy: ab.SequenceSpace) -> None:
        from autobuild_book.chapters.peers.models.sequence_graf import feature_names

        names = feature_names(toy)
        found = stories._columns(toy, names)
        assert all(names[place].startswith(("unit 1 ", "unit 2 ")) for place in found["units", "unit 1"])
        assert {names[place].split("[")[1][:2] for place in found["features", "width"]} <= {"wi", "no"}
        assert set(found) == {("units", "unit 0"), ("units", "unit 1"), ("features", "op"), ("features", "ratio"),
                              ("features", "width")}  # fmt: skip

    def test_shares_and_agreement(
        self, toy_table: ab.data.Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(stories, "fit_jobs", lambda jobs, folder, workers: [job.run(folder) for job in jobs])
        found = stories.stories(toy_table, ["additive"], 0, tmp_path)
        sums = found.groupby(["view", "part"]).share.sum()
        assert len(sums) == 8 and np.allclose(sums, 1) and (found.share >= 0).all()
        ridge = found[(found["view"] == stories.COEFFICIENTS) & (found.part == "units")].set_index("name").share
        assert ridge["unit 1"] > ridge["unit 0"], "up to four layers and a width, against two layers"
        table = stories.view_agreement(found)
        assert table[table.part == "units"].srcc.isna().all(), "two units cannot be ranked"
        assert table[table.part == "features"].srcc.dropna().between(-1, 1).all()
        figures.shares_by_view(found)


# -------------------------------------------------------------------- figures and the command


def test_figures() -> None:
    sizes = {(m, s): [0.5 + s / 1000, 0.6, 0.7] for m in (OURS, THEIRS, "forest: GRAF") for s in (25, 50, 100)}
    rows = pd.concat([rows_of(sizes, target) for target in ("acc", "latency_gpu", "x")])
    summary = results.mean_measures(rows)
    references = pd.DataFrame([("c", "acc", contests.CEILING, 0.9)], columns=["contest", "target", "model", "srcc"])
    figure = figures.peer_curves(summary, references, results.shown(summary))
    titles = [axes.get_title() for axes in figure.axes if axes.axison]
    assert titles == ["c, accuracy", "c, GPU latency", "c, x"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        contests.CEILING, OURS, THEIRS, "forest: GRAF",
    ]  # fmt: skip
    leads = results.against_autobuild(rows)
    (axes,) = figures.lead_of_autobuild(leads).axes
    assert [text.get_text() for text in axes.get_yticklabels()] == titles
    gains = pd.DataFrame([("a", "b", 25, 0.1, math.nan, math.nan)],
                         columns=["combination", "part", "size", "gain", "low", "high"])  # fmt: skip
    assert figures.gains_of_combining(gains).axes
    costs = pd.DataFrame({"model": ["a", "b"], "total": [0.1, 9.0], "srcc": [0.5, 0.6]})
    assert len(figures.cost_and_quality(costs).axes[0].lines) == 2


class TestCommand:
    def test_plan_runs_nothing(self, run: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
        code, out, _ = run("peers", "measure", "--plan", "--contests", "ofa_mbv3", "--out", tmp_path / "rows.csv")
        assert code == 0 and "(AutoBuild, paper preset" in out and not list(tmp_path.iterdir())

    def test_missing_tables_are_named(
        self, run: Callable[..., tuple[int, str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(
            "autobuild_book.chapters.peers.commands.contests_that_exist", lambda: [contests.CONTESTS[0]]
        )
        code, _, err = run("peers", "measure", "--contests", "ofa_pn", "--out", tmp_path / "rows.csv")
        assert code == 1 and re.search("ofa_pn; .*ofa_mbv3", err)

    def test_measures_and_resumes(
        self, run: Callable[..., tuple[int, str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        toy_contest: Contest,
    ) -> None:  # fmt: skip
        jobs = measuring.plan([toy_contest], [30], [0, 1], ["additive ridge"])
        monkeypatch.setattr("autobuild_book.chapters.peers.commands.contests_that_exist", lambda: [toy_contest])
        monkeypatch.setattr(measuring, "plan", lambda wanted, seeds, models: jobs[: len(seeds)])
        monkeypatch.setattr(measuring, "in_processes", lambda work, each, *_: [work(*one) for one in each])
        code, out, _ = run("peers", "measure", "--seeds", 1, "--out", tmp_path / "rows.csv")
        assert code == 0 and out.endswith(f"2 rows are in {tmp_path / 'rows.csv'}\n")
        first = pd.read_csv(tmp_path / "rows.csv")
        code, out, _ = run("peers", "measure", "--seeds", 2, "--out", tmp_path / "rows.csv")
        assert code == 0 and "4 rows" in out
        rows = pd.read_csv(tmp_path / "rows.csv")
        pd.testing.assert_frame_equal(rows[rows.seed == 0].reset_index(drop=True), first)  # its seconds, too


def test_field_is_what_a_contest_is_made_of(toy_contest: Contest) -> None:
    assert isinstance(contests.field_of(toy_contest), Field)
