"""Real effects: exact ones against brute force, estimates against effects that are known."""

import itertools

import numpy as np
import pytest

import autobuild_lib as ab
from autobuild_book.chapters.trained import effects

WORTH = {"a": 0.0, "b": 1.0, "c": 5.0}


@pytest.fixture(scope="module")
def trees() -> ab.SequenceSpace:
    """Three units of one operation each, in a row or all beside each other."""
    return ab.SequenceSpace(
        name="trees",
        units=[ab.Unit(min_layers=1, max_layers=1) for _ in range(3)],
        layer_features={"op": ["a", "b", "c"]},
        global_features={},
        links={"012": [[], [0], [1]], "000": [[], [], []]},
    )


def exhaustive(space: ab.SequenceSpace) -> ab.data.Table:
    """Every architecture once, up to isomorphism; later units count more in a row, and all alike otherwise."""

    def label(architecture: ab.Architecture) -> float:
        worths = [WORTH[unit["layers"][0]] for unit in architecture.units()]
        return sum(w * (place + 1) for place, w in enumerate(worths)) if architecture.links[1] else -sum(worths)

    different = dict.fromkeys(space.canonical(architecture) for architecture in space)
    return ab.data.from_records(space, [(each, {"acc": label(each)}) for each in different])


class TestExact:
    def test_is_the_mean_over_all_codes(self, trees: ab.SequenceSpace) -> None:
        table = exhaustive(trees)
        assert len(table) == 27 + 10 and effects.is_exhaustive(table)
        rows = effects.exact_effects(table).set_index(["structure", "unit", "module"])
        for unit, (module, worth) in itertools.product(range(3), WORTH.items()):
            text = trees.scoring_groups[unit].texts(trees.scoring_groups[unit].contents())
            key = next(t for t in text if module in t)
            in_row, beside = (unit + 1) * (worth - 2), -(worth - 2)  # 2: the mean worth
            assert rows["mean"]["links 012", unit, key] == pytest.approx(in_row)
            assert rows["mean"]["links 000", unit, key] == pytest.approx(beside)
            assert rows["mean"][effects.ANY, unit, key] == pytest.approx((in_row + beside) / 2)
            assert rows["networks"]["links 000", unit, key] == 9

    def test_networks_that_were_not_trained_do_not_count(
        self, trees: ab.SequenceSpace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        table = exhaustive(trees)
        monkeypatch.setattr(effects, "MOST_MISSING", 0.05)
        missing = table.architectures.index(trees.parse("012|a|a|c"))
        less = table.take([row for row in range(len(table)) if row != missing])
        assert effects.is_exhaustive(less)
        rows = effects.exact_effects(less).set_index(["structure", "unit", "module"])
        assert rows["networks"]["links 012", 0, "a"] == 8 and rows["networks"]["links 012", 0, "b"] == 9
        labels = effects.labels_of(less, trees.to_codes([trees.parse("012|a|a|c"), trees.parse("000|c|a|b")]))
        assert np.isnan(labels[0]) and labels[1] == -6

    def test_a_table_with_a_row_less_is_a_sample(self, trees: ab.SequenceSpace) -> None:
        assert not effects.is_exhaustive(exhaustive(trees).take(range(36)))


@pytest.fixture(scope="module")
def stages() -> ab.SequenceSpace:
    """Two units of one or two layers of one kind."""
    unit = ab.Unit(min_layers=1, max_layers=2, features={"width": [1, 2, 3]})
    return ab.SequenceSpace(name="stages", units=[unit, unit], layer_features={"op": ["mb"]}, global_features={})


@pytest.fixture(scope="module")
def sample(stages: ab.SequenceSpace) -> ab.data.Table:
    """Networks with a sum over units as label; wide first units like to stand before wide second units."""
    records = []
    for architecture in stages:
        first, second = (unit["width"] for unit in architecture.units())
        if abs(first - second) < 2 and architecture.depths != (2, 2):
            records.append((architecture, {"acc": 3.0 * first + second}))
    return ab.data.from_records(stages, records)


class TestSampled:
    def test_adjusting_removes_what_comes_from_other_units(self, sample: ab.data.Table) -> None:
        rows = effects.sampled_effects(sample, resamples=20)
        for unit, slope in ((0, 3.0), (1, 1.0)):
            of_unit = rows[rows["unit"] == unit]
            widths = np.array([int(text.partition("width")[2][:1]) for text in of_unit["module"]])
            assert of_unit["adjusted"].tolist() == pytest.approx((slope * (widths - 2)).tolist())
            assert of_unit["mean"][widths == 3].mean() > slope + 0.2
        assert (rows["low"] <= rows["high"]).all() and (rows["networks"] > 0).all()

    def test_modules_that_no_network_has_have_no_effect(self, sample: ab.data.Table) -> None:
        rows = effects.sampled_effects(sample.take(range(4)), resamples=5)
        assert (rows["mean"].isna() == (rows["networks"] == 0)).all() and rows["networks"].eq(0).any()

    def test_modules_are_where_the_corpus_has_them(self, stages: ab.SequenceSpace) -> None:
        codes = stages.sample_codes(np.random.default_rng(0), 50)
        for group, places in zip(stages.scoring_groups, effects.contents_of(stages, codes), strict=True):
            assert (group.contents()[places] == codes[:, group.place]).all()


def test_a_part_is_about_one_table(monkeypatch: pytest.MonkeyPatch, sample: ab.data.Table) -> None:
    monkeypatch.setattr(effects, "trained_table", lambda name: sample)
    rows = effects.Effects("stages").measure()
    assert list(rows) == effects.COLUMNS and set(rows["source"]) == {"stages"}
    assert len({effects.Effects(name).key for name in ("stages", "other")}) == 2
    assert len({part.source for part in effects.plan()}) == 10
