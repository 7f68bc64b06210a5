"""Labels against other measurements of the same backbones."""

import re

import numpy as np
import pandas as pd

import autobuild_lib as ab
from autobuild_book.chapters.panoptic import agreement
from autobuild_book.chapters.panoptic.bundled_rows import TRAINING
from autobuild_book.chapters.panoptic.task.space import backbone_space, largest, smallest
from tests.helpers.backbones import MANY, OURS, TEXTS, plain, quality_of, subject


def test_pairs_by_what_was_changed() -> None:
    labels = subject(3).table.labels.assign(pq_half1=[0.1, 0.2, 0.3], pq_half2=[0.4, 0.5, 0.6])
    table = ab.data.from_records(backbone_space(), zip(MANY[:3], labels.to_dict("records"), strict=True))
    corner = str(smallest())
    rows = [
        plain(TEXTS[0], 0.61, OURS, calibration=1), plain(TEXTS[1], 0.62, "second"), plain(TEXTS[2], 0.9, OURS),
        plain(corner, 0.63, OURS, "B"), plain(corner, 0.64, "alone", "B"), plain(TEXTS[50], 0.7, "second"),
        plain(corner, 0.66, "again", "B"),
    ]  # fmt: skip
    trainings = pd.DataFrame([("second", 1, 9, ""), ("alone", 0, 4, corner), ("again", 1, 4, corner)], columns=TRAINING)
    found = agreement.pairs(table, rows, trainings)
    kept = found[["comparison", "architecture", "first", "second"]].to_numpy().tolist()
    assert kept == [
        *([agreement.HALVES, TEXTS[n], *both] for n, both in enumerate([(0.1, 0.4), (0.2, 0.5), (0.3, 0.6)])),
        [agreement.BATCH, TEXTS[0], labels["pq"][0], 0.61], [agreement.SEED, TEXTS[1], labels["pq"][1], 0.62],
        [agreement.ALONE, corner, 0.63, 0.64], [agreement.AGAIN, corner, 0.64, 0.66],
    ]  # fmt: skip


def test_luck_of_a_training_beside_differences_of_networks() -> None:
    values = [(agreement.ALONE, TEXTS[2], 0.5, 0.4), (agreement.ALONE, TEXTS[3], 0.5, 0.6),
              (agreement.ALONE, str(smallest()), 0.5, 0.9), (agreement.AGAIN, TEXTS[2], 0.4, 0.45),
              (agreement.AGAIN, TEXTS[3], 0.6, 0.59)]  # fmt: skip
    frame = pd.DataFrame(values, columns=["comparison", "architecture", "first", "second"])
    assert re.findall(r"\d[\d.]*", agreement.luck_in_words(frame)) == ["0.030", "2", "2", "0.141"]
    assert agreement.luck_in_words(frame[:3]) == agreement.luck_in_words(pd.DataFrame()) == "not measured"


def test_agreement_beyond_multiply_adds() -> None:
    macs = np.linspace(5e6, 1.6e7, 200)
    rng = np.random.default_rng(0)
    own = rng.normal(size=200)
    first, second = quality_of(macs) + 0.002 * own, quality_of(macs) + 0.002 * own + 1e-5 * rng.normal(size=200)
    frame = pd.DataFrame({"comparison": "x", "architecture": "e3_k3|e4_k3", "macs": macs, "first": first,
                          "second": second})  # fmt: skip
    (found,) = agreement.rank_agreement(frame).itertuples()
    assert found.networks == 200 and found.srcc > 0.99 and found.rest > 0.99 and found.rest_low < found.rest
    shuffled = frame.assign(second=quality_of(macs) + 0.002 * rng.normal(size=200))
    (other,) = agreement.rank_agreement(shuffled).itertuples()
    assert other.srcc > 0.9 and abs(other.rest) < 0.2 and other.macs > 0.9
    np.testing.assert_allclose(agreement.without_macs(quality_of(macs), macs), 0, atol=1e-12)


def test_the_corners_are_told_from_the_others() -> None:
    texts = [*TEXTS[2:8], str(smallest()), str(largest())]
    assert [agreement.is_extreme(text) for text in texts] == [False] * 6 + [True] * 2
    frame = pd.DataFrame({"comparison": agreement.ALONE, "architecture": texts, "macs": np.arange(1.0, 9) * 1e6,
                          "first": np.arange(8.0), "second": [0.0, 1, 2, 3, 5, 4, 6, 7]})  # fmt: skip
    found = agreement.rank_agreement(frame)
    assert found[["comparison", "networks"]].to_numpy().tolist() == [[agreement.ALONE, 8], [agreement.SIMILAR, 6]]
    assert found.rest.isna().all()  # too few to take multiply-adds out
    said = agreement.in_words(found)
    assert said.startswith("SRCC 0.98 [") and "] for 8 backbones of all sizes, SRCC 0.94 [" in said
    assert said.endswith("] for 6 of similar multiply-adds") and agreement.in_words(pd.DataFrame()) == "not measured"
