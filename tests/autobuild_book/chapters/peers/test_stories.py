"""What four models say about the same rows."""

from pathlib import Path

import numpy as np
import pytest

import autobuild_lib as ab
from autobuild_book.chapters.peers import (
    figures,
    stories,
)
from autobuild_book.chapters.shared.ridge import AdditiveRidge


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
        from autobuild_book.chapters.shared.models.sequence_graf import feature_names

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
