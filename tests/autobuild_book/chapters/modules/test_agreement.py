"""Rank correlation of scores with measured effects, by hand."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from autobuild_book.chapters.modules import agreement, ranking
from autobuild_book.chapters.modules.agreement import ALIKE, CELL, UNIT
from tests.helpers.planted_modules import Score, bench, corpus, judge, key, label, space, table, worth


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
