"""The rule of claim C6, and the networks that were trained alone."""

import re

import numpy as np
import pandas as pd
import pytest

from autobuild_book.chapters.panoptic import proposals as building, verdict
from autobuild_book.chapters.panoptic.bundled_rows import TRAINING
from autobuild_book.chapters.panoptic.choice import REGIONS
from tests.helpers.backbones import ERROR, NOISE, OURS, TEXTS, networks, row


@pytest.mark.parametrize(
    ("sure", "wanted"),
    [((True, True, True), "supported"), ((True, False, True), "supported"), ((False, True, False), "partly"),
     ((False, False, False), "not supported")],
)  # fmt: skip
def test_the_rule(sure: tuple[bool, ...], wanted: str) -> None:
    found = verdict.judge(networks(*sure), list(REGIONS))
    assert found.word == wanted and found.checks.holds.tolist() == list(sure)
    assert re.findall(r"\d[\d.]*", found.checks.value[1]) == ["1", "0.0200", "0.0020"]
    assert verdict.judge(networks(*sure).assign(wins=True), list(REGIONS), counted="wins").word == "supported"
    both = pd.concat([networks(*sure), networks(True, True, False, group=building.EFFECT)])
    found = verdict.judge_builders(both, list(REGIONS)).set_index("group")
    assert found.loc[building.NORM, "verdict"] == wanted and found.loc[building.EFFECT, "regions"] == "2 of 3"


def test_estimates_are_means_over_all_that_were_built() -> None:
    columns = ["region", "group", "networks", "macs", "pq", "over", "low", "high", "wins", "sure"]
    rows = [("light", building.NORM, 5, 9.0, 0.5, 0.01, 0.004, 0.016, 1, 0),
            ("light", building.RIDGE, 5, 9.0, 0.5, 0.03, 0.02, 0.04, 1, 0)]  # fmt: skip
    first, second = verdict.region_estimates(pd.DataFrame(rows, columns=columns), ["light", "heavy"])
    assert first["estimate"].startswith("light: ")
    assert (first["value"], first["low"], first["high"]) == (0.01, 0.004, 0.016)
    assert "1,600 images" in first["over"]
    (nothing,) = verdict.region_estimates(pd.DataFrame(columns=columns), ["light"])
    assert np.isnan(second["value"]) and np.isnan(nothing["low"])


def test_the_most_interesting_is_the_surest_of_each_region() -> None:
    more = networks(True, True, True, group=building.EFFECT).assign(ahead=[0.05, 0.0, np.nan])
    found = verdict.surest_networks(pd.concat([networks(True, True, True), more]), [building.NORM, building.EFFECT])
    assert found.group.tolist() == [building.EFFECT, building.NORM, building.NORM]
    assert verdict.surest_networks(more, [building.NORM]).empty


def test_trained_alone() -> None:
    chosen = networks(True, True, True)
    trainings = pd.DataFrame([("x", 0, 4, TEXTS[0]), ("y", 0, 4, TEXTS[9]), ("z", 0, 4, TEXTS[1]), (OURS, 0, 9, "")],
                             columns=TRAINING)  # fmt: skip
    finals = [row(TEXTS[0], 0.60, 9, NOISE, "x"), row(TEXTS[9], 0.58, 9, network="y"), row(TEXTS[0], 0.1, 9),
              row(TEXTS[2], 0.9, 9, network="z")]  # fmt: skip
    found = verdict.compare_alone(chosen, finals, trainings)
    assert found.region.tolist() == list(REGIONS)
    first, second, _ = found.itertuples()
    assert (first.alone, first.alone_rival) == (0.60, 0.58) and first.alone_ahead == pytest.approx(0.02)
    assert first.alone_se == pytest.approx(ERROR, rel=1e-3) and first.ahead == pytest.approx(0.01)
    assert np.isnan(second.alone) and second.alone_rival == 0.58 and np.isnan(second.alone_ahead)
    assert verdict.alone_in_words(found) == f"{first.region} +0.0200 (standard error {first.alone_se:.4f})"
    assert verdict.alone_in_words(pd.DataFrame()) == "not measured"
