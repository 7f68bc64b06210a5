"""The networks that are measured at the end, of a chapter on a cheap measure."""

from collections.abc import Mapping
from typing import Any

import pytest

from autobuild_book.chapters.machine import building, subjects
from autobuild_book.chapters.machine.building import BEST, RANDOM, SMALLEST
from autobuild_book.chapters.shared import few_labels
from autobuild_book.chapters.shared.few_labels import EFFECT, NORM, RIDGE
from tests.helpers.cheap_measures import toy_latency


def test_what_is_measured_at_the_end(chapter: Mapping[str, Any]) -> None:
    chosen, table, (target,) = chapter["chosen"], chapter["table"], chapter["subject"].targets
    by_group = chosen.groupby("group", sort=False)["architecture"].apply(list)
    assert by_group.map(len).to_dict() == {NORM: 5, EFFECT: 5, RIDGE: 5, BEST: 5, RANDOM: 5, SMALLEST: 1}
    fastest = table.labels["latency"].sort_values().index[:5]
    assert by_group[BEST] == [table.architectures[i] for i in fastest], "the first choice first"
    assert set(by_group[RANDOM]) <= set(table.architectures) and len(set(by_group[RANDOM])) == 5
    assert by_group[SMALLEST] == [subjects.smallest(table.space)]
    for group in (NORM, EFFECT, RIDGE):
        corpus = chapter["corpora"][target, group]
        everything = list(corpus.top(3))
        sums = corpus.top(3).scores(everything)
        assert sorted(corpus.top(3).scores(by_group[group]), reverse=True) == pytest.approx(sorted(sums)[:-6:-1])


def test_no_more_networks_are_taken_than_were_measured(chapter: Mapping[str, Any]) -> None:
    few = chapter["table"].take(range(3))
    chosen = building.candidates(chapter["subject"], few, chapter["corpora"], 5, 0)
    assert set(chosen["group"].value_counts().drop(SMALLEST)) == {3}


def test_the_best_modules_are_those_of_the_first_choice(chapter: Mapping[str, Any]) -> None:
    modules = few_labels.best_modules(chapter["corpora"])
    assert list(modules) == ["unit 0", "unit 1"], "the third unit is scored with the second"
    for key, corpus in chapter["corpora"].items():
        assert "|".join(modules.loc[key]) == str(corpus.top(1).best(1)[0])


def test_labels_of_what_was_built(chapter: Mapping[str, Any]) -> None:
    built = building.labels_of_built(chapter["subject"], chapter["chosen"], chapter["final"])
    assert built["group"].value_counts().to_dict() == {NORM: 5, EFFECT: 5}
    assert (built["latency"] / built["architecture"].map(toy_latency)).between(0.9, 1.1).all()
