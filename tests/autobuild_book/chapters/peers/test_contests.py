"""Contests: how a ranking is judged, and that nothing of the test rows is known."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import autobuild_lib as ab
from autobuild_book.chapters.peers import (
    contests,
)
from autobuild_book.chapters.peers.contests import Contest, Field
from autobuild_book.chapters.peers.measuring import PeerJob
from autobuild_book.chapters.peers.proxy_tables import sample_architectures
from autobuild_book.chapters.shared.models import registry
from autobuild_book.chapters.shared.models.registry import MODELS
from autobuild_book.chapters.shared.splits import subset
from tests.benchmarks.peer_presets import candidates, validation_splits
from tests.helpers.peer_rows import TOY


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


def test_field_is_what_a_contest_is_made_of(toy_contest: Contest) -> None:
    assert isinstance(contests.field_of(toy_contest), Field)
