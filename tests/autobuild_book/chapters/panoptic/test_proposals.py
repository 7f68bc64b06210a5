"""What is proposed for each region of the front."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autobuild_book.chapters.panoptic import final, learning, proposals as building
from autobuild_book.chapters.panoptic.choice import REGIONS
from autobuild_book.chapters.panoptic.task.space import backbone_space, costs
from autobuild_book.chapters.shared.ridge import ridge_corpus
from tests.helpers.backbones import corpora, subject


def bundled_part() -> learning.Subject:
    whole = learning.load_subject("bundled", REGIONS)
    return learning.Subject(whole.table.take(range(80)), whole.quality, whole.cost, whole.regions)


@pytest.fixture(scope="module")
def proposed() -> pd.DataFrame:
    one = bundled_part()
    searched = one.table.labels[["pq", "macs"]].iloc[:30].assign(architecture=one.table.architectures[:30])
    return building.propose(one, corpora(one), searched)


def test_every_builder_proposes_five_for_every_region(proposed: pd.DataFrame) -> None:
    assert proposed.groupby(["region", "group"]).size().to_dict() == {
        (region, group): 5 for region in REGIONS for group in building.BUILDERS
    }
    for (_, group), own in proposed.groupby(["region", "group"]):
        assert own.architecture.is_unique and own.place.tolist() == list(range(5)), group


def test_proposals_are_what_they_say(proposed: pd.DataFrame) -> None:
    one = bundled_part()
    table, parse = one.table, backbone_space().parse
    for region in REGIONS:
        groups = proposed[proposed.region == region].groupby("group").architecture
        own = {group: texts.tolist() for group, texts in groups}
        values = pd.Series(one.values(table.labels, region), index=list(map(str, table.architectures)))
        assert own[building.LABELLED] == values.nlargest(5).index.tolist()
        assert own[building.SEARCH] == values.iloc[:30].nlargest(5).index.tolist()
        built, random = (costs(list(map(parse, own[name])))["macs"] for name in (building.NORM, building.RANDOM))
        assert (abs(built - random) / built).max() < 0.01
        sizes = costs(list(map(parse, own[building.MACS])))["macs"]
        assert np.ptp(sizes) / sizes.mean() < 0.02
        assert not {*own[building.RANDOM], *own[building.MACS]} & set(map(str, table.architectures))
        scored = corpora(one)[region, "ridge"].top(3).best(5)
        assert own[building.RIDGE] == own[building.NORM] == list(map(str, scored))


def test_without_multiply_adds_and_search_fewer_propose(cache: Path) -> None:
    one = learning.load_subject(str(cache), REGIONS)
    found = {(name, score): ridge_corpus(one.table, target, one.table.space.encode_globals({"resolution": 224}))
             for name, target in one.targets.items() for score in building.SCORES}  # fmt: skip
    groups = building.propose(one, found)["group"].unique().tolist()
    assert groups == [building.NORM, building.EFFECT, building.RIDGE, building.LABELLED]
    front = final.front_table(one)
    assert front.error.isna().all() and set(", ".join(front.regions).split(", ")) >= set(REGIONS)


def test_scores_by_depth() -> None:
    one = subject()
    found = building.score_by_depth(corpora(one), "pq")
    assert len(found) == 3 * 5 * 3 and found.score.unique().tolist() == list(building.SCORES)
    assert found.groupby(["score", "unit"])["mean"].mean().abs().max() < 1e-12
    table = corpora(one)["pq", "ridge"].table
    own = table[(table.unit == 1) & (table.depth == 3)].score
    (row_found,) = found[(found.score == "ridge") & (found.unit == 1) & (found.depth == 3)].itertuples()
    assert row_found.spread == pytest.approx(own.std())
