"""Another latency in the same equations: what modules and spaces are compared by."""

import itertools

import numpy as np
import pandas as pd
import pytest

import autobuild_lib as ab
from autobuild_book.chapters.shared.panels import REGIONS
from autobuild_book.chapters.trained import swapped
from autobuild_book.chapters.trained.swapped import COLUMN, LATENCIES
from autobuild_lib.spaces import Codes
from autobuild_lib.units.corpus import ScoredGroup, UnitCorpus

SPACE = ab.SequenceSpace(
    name="wide", units=[ab.Unit(min_layers=1, max_layers=1)] * 2, layer_features={"op": [*"abcdefghij"]},
    global_features={},
)  # fmt: skip


def corpus(scores: list[float]) -> UnitCorpus:
    """A corpus whose second unit is worse than its first by 100."""
    values = np.array(scores, float)
    groups = [ScoredGroup(group.contents(), values - shift, values, values)
              for group, shift in zip(SPACE.scoring_groups, (0, 100), strict=True)]  # fmt: skip
    return UnitCorpus(SPACE, "acc", "norm", "none", b"", tuple(groups))


RISING, FALLING = corpus([*range(10)]), corpus([*range(9, -1, -1)])


def test_best_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(swapped, "TOP", 0.2)
    assert sorted(swapped.top_modules(RISING)) == [6, 7, 8, 9]
    shifted = corpus([0, 1, 2, 3, 4, 9, 6, 7, 8, 5])
    assert swapped.shared(RISING, shifted) == 0.75 and swapped.shared(RISING, FALLING) == 0
    assert swapped.mean_srcc(RISING, RISING) == pytest.approx(1)
    assert swapped.mean_srcc(RISING, FALLING) == pytest.approx(-1)


def label(codes: Codes) -> pd.DataFrame:
    """Rising operations are more accurate and slower, but with 64 images faster."""
    total = codes[:, [codec.start + 1 for codec in SPACE.codecs]].astype(float).sum(1)
    latencies = {COLUMN[name]: 1 + total for name in LATENCIES} | {COLUMN[swapped.MANY]: 30 - total}
    return pd.DataFrame({"acc": 0.5 + total / 100, **latencies})


def test_spaces_are_judged_by_every_latency() -> None:
    corpora = dict.fromkeys(itertools.product(REGIONS, LATENCIES), RISING)
    some = SPACE.to_codes([SPACE.parse(text) for text in ("a|a", "c|c", "e|e")])
    rows = pd.DataFrame(list(swapped.compare_spaces(corpora, label, label(some))),
                        columns=["measure", "region", "first", "second", "value"])  # fmt: skip
    assert len(rows) == 3 * 4 * 4
    by_second = rows.groupby("second")["value"].mean()
    assert by_second[swapped.MANY] == 1 and by_second.drop(swapped.MANY).eq(0).all()


def test_every_pair_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(swapped, "TOP", 0.2)
    corpora = dict.fromkeys(itertools.product(REGIONS, LATENCIES), RISING)
    again = {("balanced", name): FALLING for name in LATENCIES}
    rows = pd.DataFrame(list(swapped.compare_modules(corpora, again)),
                        columns=["measure", "region", "first", "second", "value"])  # fmt: skip
    counts = rows.groupby("measure").size()
    assert counts.to_dict() == {"overlap": 18, "srcc": 18, "overlap of equations": 12, "overlap of seeds": 4}
    assert rows[rows["measure"] == swapped.OVERLAP]["value"].eq(1).all()
    assert rows[rows["measure"] == swapped.SEEDS_ALIKE]["value"].eq(0).all()


def test_labels_of_the_judge() -> None:
    space, measured = ab.spaces.ofa_mbv3(), ab.spaces.ofa_mbv3(resolutions=(128, 224))
    drawn = measured.sample(np.random.default_rng(0), 60)
    layers = np.array([sum(a.depths) for a in drawn], float)
    sides = np.array([float(a.global_features["resolution"]) for a in drawn])
    ridge = swapped.AdditiveRidge(measured).fit(drawn, np.log(layers * sides))
    judge = swapped.Judge(space, measured.encode_globals({"resolution": 224}), {swapped.MANY: ridge})
    asked = space.sample(np.random.default_rng(1), 3)
    labels = judge(space.to_codes(asked))
    moved = [measured.from_lists(a.to_lists(), resolution=224) for a in asked]
    np.testing.assert_allclose(labels[COLUMN[swapped.MANY]], np.exp(ridge.predict(moved)))
    np.testing.assert_allclose(labels[COLUMN[swapped.MACS]], [ab.networks.count_macs(a) / 1e6 for a in asked])
    expected = ab.surrogate.ofa_mbv3().predict(asked)
    np.testing.assert_allclose(labels[["acc", COLUMN[swapped.SURROGATE]]], expected[["acc", "latency_gpu"]])
    assert swapped.equation("fast", swapped.MACS).endswith(COLUMN[swapped.MACS])


def test_what_rows_say() -> None:
    keys = ["seed", "score", "measure", "region", "first", "second", "value"]
    rows = pd.DataFrame(
        [
            (0, "norm", swapped.SHARE, "fast", "batch 1", "batch 64", 0.4),
            (1, "norm", swapped.SHARE, "fast", "batch 1", "batch 64", 0.8),
            (0, "norm", swapped.SHARE, "accurate", "batch 1", "batch 64", 0.2),
            (0, "norm", swapped.OVERLAP, "fast", "batch 1", "batch 64", 0.25),
            (1, "norm", swapped.OVERLAP, "fast", "batch 1", "batch 64", 0.75),
            (0, "norm", swapped.SEEDS_ALIKE, "balanced", "batch 1", "batch 1", 0.5),
        ],
        columns=keys,
    )
    assert swapped.regions_that_hold(rows)[["regions", "of"]].values.tolist() == [[1, 2]]
    alike = swapped.likeness(rows).set_index("what")
    assert alike.loc["batch 1 and batch 64"].tolist() == ["norm", 0.5, 0.25] and alike.loc["seeds", "overlap"] == 0.5
