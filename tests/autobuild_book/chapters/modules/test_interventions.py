"""Modules in random hosts, and what they do there."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

import autobuild_lib as ab
from autobuild_book.chapters.modules import interventions, ranking, verdict
from autobuild_book.chapters.modules.ranking import Key
from autobuild_book.chapters.shared import hosts
from autobuild_lib.units.corpus import UnitCorpus
from tests.helpers.planted_modules import Score, bench, corpus, judge, key, space, worth


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
