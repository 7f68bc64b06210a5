"""The rule by which U-Nets are chosen: exact within a bound on MACs, and the same for everybody."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import autobuild_lib as ab
from autobuild_book.chapters.diffusion import choice
from autobuild_book.chapters.diffusion.bundled_rows import CHOICE
from autobuild_book.chapters.diffusion.choice import ANY, AS_BEST, AS_MEDIAN, BEST, MOST_MACS, RANDOM, SMALLEST, TARGET
from autobuild_book.chapters.diffusion.task.space import costs, unet_space
from autobuild_book.chapters.shared import few_labels
from autobuild_book.chapters.shared.few_labels import EFFECT, NORM, RIDGE
from tests.helpers.unet_tables import random_corpus, unet_table

SPACE = unet_space()
TABLE = unet_table()
CORPORA = {(TARGET, group): random_corpus(SPACE, n) for n, group in enumerate((NORM, EFFECT, RIDGE))}


@pytest.fixture(scope="module")
def chosen() -> pd.DataFrame:
    """The whole choice from random scores, with MACs."""
    found = choice.choose(TABLE, CORPORA, 7)
    return found.assign(macs=costs([SPACE.parse(text) for text in found["architecture"]])["macs"])


def test_settings_are_bounded_by_the_best_and_by_the_median() -> None:
    macs = TABLE.labels["macs"]
    bounds = {one.name: one.bound for one in choice.settings(TABLE)}
    assert bounds == {
        AS_BEST: macs[TABLE.labels["log_distance"].argmin()],
        AS_MEDIAN: macs.median(),
        ANY: np.inf,
    }


def test_how_many_are_chosen(chosen: pd.DataFrame) -> None:
    sizes = chosen.groupby(["setting", "group"], sort=False).size().unstack(0).fillna(0).astype(int)
    assert sizes[AS_BEST].to_dict() == {NORM: 2, EFFECT: 2, RIDGE: 1, MOST_MACS: 1, BEST: 1, RANDOM: 2, SMALLEST: 0}
    assert sizes[AS_MEDIAN].to_dict() == {NORM: 1, EFFECT: 1, RIDGE: 1, MOST_MACS: 1, BEST: 1, RANDOM: 1, SMALLEST: 0}
    assert sizes[ANY].to_dict() == {NORM: 1, EFFECT: 1, RIDGE: 1, MOST_MACS: 1, BEST: 1, RANDOM: 0, SMALLEST: 1}
    assert chosen["setting"].iloc[0] == AS_BEST, "what decides the claim is measured first"


def test_nothing_is_larger_than_its_bound(chosen: pd.DataFrame) -> None:
    for one in choice.settings(TABLE):
        assert (chosen[chosen["setting"] == one.name]["macs"] <= one.bound).all()


def test_no_architecture_within_the_bound_has_a_higher_score(chosen: pd.DataFrame) -> None:
    others = SPACE.sample(np.random.default_rng(1), 5000)
    macs = costs(others)["macs"].to_numpy()
    for one in choice.settings(TABLE):
        for group in (NORM, EFFECT, RIDGE):
            everything = CORPORA[TARGET, group].everything()
            own = chosen[(chosen["setting"] == one.name) & (chosen["group"] == group)].sort_values("place")
            sums = everything.scores([SPACE.parse(text) for text in own["architecture"]])
            assert (np.diff(sums) <= 0).all()
            assert sums.min() >= everything.scores(others)[macs <= one.bound].max()
            if one.name == ANY:
                assert str(everything.best(1)[0]) == own["architecture"].iloc[0]


def test_the_others_are_what_their_names_say(chosen: pd.DataFrame) -> None:
    rows = chosen.set_index(["setting", "group", "place"]).sort_index()
    assert rows["macs"][ANY, MOST_MACS, 0] == rows["macs"].max() == costs([largest()])["macs"][0]
    assert rows["macs"][ANY, SMALLEST, 0] == rows["macs"].min() < TABLE.labels["macs"].min()
    best = TABLE.architectures[int(TABLE.labels["log_distance"].argmin())]
    assert rows["architecture"][AS_BEST, BEST, 0] == rows["architecture"][ANY, BEST, 0] == str(best)
    small = TABLE.labels[TABLE.labels["macs"] <= TABLE.labels["macs"].median()]["log_distance"].idxmin()
    assert rows["architecture"][AS_MEDIAN, BEST, 0] == str(TABLE.architectures[small])
    for setting in (AS_BEST, AS_MEDIAN):
        drawn, own = rows.loc[setting, RANDOM]["macs"], rows["macs"][setting, NORM, 0]
        assert drawn.between(0.95 * own, own).all()


def largest() -> ab.Architecture:
    stage = {"width": 48, "attention": "yes", "layers": ["residual"] * 3}
    return SPACE.architecture([stage] * 5)


def test_only_the_random_ones_depend_on_the_seed(chosen: pd.DataFrame) -> None:
    other = choice.choose(TABLE, CORPORA, 8)
    differs = chosen["architecture"] != other["architecture"]
    assert set(chosen["group"][differs]) == {RANDOM}


def test_highest_within_a_bound_by_hand() -> None:
    values, macs = np.array([5.0, 9.0, 7.0, 9.0]), np.array([1.0, 4.0, 2.0, 3.0])
    assert choice.highest_within(values, macs, 3, 2).tolist() == [3, 2]
    assert choice.highest_within(values, macs, np.inf, 3).tolist() == [1, 3, 2], "equal ones in their order"
    assert choice.highest_within(values, macs, 0.5, 1).tolist() == []


def test_pictures_show_first_choices_of_the_deciding_setting(chosen: pd.DataFrame) -> None:
    rows = chosen.set_index(["setting", "group", "place"]).sort_index()["architecture"]
    assert choice.first_choices(chosen) == {group: rows[AS_BEST, group, 0] for group in (BEST, NORM, EFFECT)}


def test_without_macs_or_in_another_space_the_highest_sums_are_proposed(toy: ab.SequenceSpace) -> None:
    corpora = {(TARGET, NORM): random_corpus(toy, 0)}
    table = ab.data.from_records(toy, [(a, {"log_distance": 1.0}) for a in list(toy)[:3]])
    found = choice.propose(table, corpora, 0, TARGET, n=4)
    best = corpora[TARGET, NORM].everything().best(4)
    assert found["architecture"].tolist() == list(map(str, best)) and set(found["setting"]) == {ANY}
    assert list(found) == CHOICE and not choice.has_costs(table) and choice.has_costs(TABLE)


def test_choosing_trains_one_predictor_per_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def run(jobs: list[Any], folder: Path) -> Any:
        asked.extend(jobs)
        return [job.run(folder) for job in jobs]

    monkeypatch.setattr(few_labels, "fit_jobs", run)
    found = choice.choose_from(TABLE, [3, 4], 8, tmp_path)
    assert [job.seed for job in asked] == [3, 4] and all(job.targets == (TARGET,) for job in asked)
    assert list(found) == CHOICE and found["group"].nunique() == 7
