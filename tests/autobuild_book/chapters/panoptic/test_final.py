"""What was built beside the front, measured within a budget and compared on the same images."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t

import autobuild_lib as ab
from autobuild_book.chapters.panoptic import final, learning, proposals as building, verdict
from autobuild_book.chapters.panoptic.bundled_rows import TRAINING
from autobuild_book.chapters.panoptic.task.jackknife import PairedMeasurement
from autobuild_book.chapters.panoptic.task.space import backbone_space
from tests.helpers.backbones import (
    ERROR,
    NOISE,
    TEXTS,
    plain,
    proposals,
    row,
    subject,
)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Measuring one network takes three seconds; return how many were measured."""
    state = {"time": 0.0, "measured": 0}

    def measure(architectures: list[ab.Architecture], out: Path, **_: Any) -> list[PairedMeasurement]:
        state["time"] += 3
        state["measured"] += len(architectures)
        return [row(str(one), 0.5, 9) for one in architectures]

    monkeypatch.setattr(final, "measure_paired", measure)
    monkeypatch.setattr(final.time, "monotonic", lambda: state["time"])
    return lambda: int(state["measured"])


def test_what_is_missing_is_measured_while_the_budget_lasts(clock: Callable[[], int], tmp_path: Path) -> None:
    known = [row(TEXTS[1], 0.7, 9), row(TEXTS[2], 0.7, 9, network="other"), row(TEXTS[3], 0.7, 9, count=800)]
    found = final.find_or_measure([*TEXTS[:5], TEXTS[0]], known, tmp_path / "measured" / "out.csv", 7)
    assert list(found.rows) == [TEXTS[0], TEXTS[1], TEXTS[2], TEXTS[3]]  # begun at 0, 3 and 6 seconds
    assert (found.fresh, found.missing, clock()) == (3, (TEXTS[4],), 3)
    assert (tmp_path / "measured").is_dir() and found.rows[TEXTS[1]].pq == 0.7 and found.rows[TEXTS[2]].pq == 0.5
    none = final.find_or_measure(TEXTS[:3], known, tmp_path / "measured" / "out.csv", 0)
    assert (list(none.rows), none.fresh, none.missing, clock()) == ([TEXTS[1]], 0, (TEXTS[0], TEXTS[2]), 3)


def test_a_row_is_measured_once_more_beside_the_spread_of_supernets(clock: Callable[[], int]) -> None:
    labels = ab.data.from_records(
        backbone_space(), [(backbone_space().parse(text), dict.fromkeys(final.AGAIN, 0.4)) for text in TEXTS[:2]]
    )
    second = [plain(text, 0.4 + away, "second", "A") for text, away in zip(TEXTS, (0.02, -0.02), strict=False)]
    trainings = pd.DataFrame([("second", 1, 9, "")], columns=TRAINING)
    check = final.measure_again(row(TEXTS[0], 0.503, 9), labels, second, trainings).set_index("what")
    assert check.loc["pq", ["here", "committed"]].tolist() == [0.5, 0.503] and clock() == 1
    assert check.loc["pq", "spread"] == pytest.approx(0.02 / np.sqrt(2))
    assert check.loc["macs", ["difference", "spreads"]].tolist() == [0, 0]
    none = final.supernet_spread(labels, [], trainings[:0])
    assert set(none) == set(final.AGAIN) and np.isnan(list(none.values())).all()


# -------------------------------------------------------------------- comparing


@pytest.fixture
def compared() -> tuple[pd.DataFrame, final.FinalRows, final.Front]:
    """Labelled networks at 6, 8, 10 and 12 millions, of which that at 10 is not on the front, and four built ones."""
    labelled = [row(TEXTS[0], 0.50, 6), row(TEXTS[1], 0.52, 8), row(TEXTS[2], 0.51, 10), row(TEXTS[3], 0.54, 12)]
    built = [row(TEXTS[4], 0.55, 7, NOISE), row(TEXTS[5], 0.521, 8, NOISE), row(TEXTS[6], 0.9, 13, NOISE),
             row(TEXTS[7], 0.49, 5, NOISE)]  # fmt: skip
    asked = proposals(*(("all", building.FRONT, one.architecture) for one in labelled),
                      *(("cheap", building.NORM, one.architecture) for one in built),
                      ("cheap", building.LABELLED, TEXTS[1]))  # fmt: skip
    one = learning.Subject(subject(2).table, "pq", "macs", {"cheap": "1 / macs", "good": "pq"})
    measured = final.FinalRows({r.architecture: r for r in [*labelled, *built]}, 0, ())
    return asked, measured, final.front_again(one, asked, measured)


def test_the_front_is_that_of_the_second_measurement(compared: Any) -> None:
    front = compared[2]
    assert [one.macs for one in front.rows] == [6, 8, 12]
    marks = {name: own.tolist() for name, own in front.regions.items()}
    assert marks == {"cheap": [True, True, False], "good": [False, True, True]}
    table = final.front_table(subject(), front)
    assert table.regions.tolist() == ["cheap", "cheap, good", "good"] and table.error.tolist() == [0.004] * 3
    with pytest.raises(ValueError, match="no labelled network"):
        final.front_again(subject(), proposals(("all", building.NORM, "x")), final.FinalRows({}, 0, ()))


def test_a_rival_needs_no_fewer_multiply_adds(compared: Any) -> None:
    found = final.mark_wins(final.against_front(*compared)).set_index("macs")
    first, second, third, fourth = (found[found.group == building.NORM].loc[macs] for macs in (7, 8, 13, 5))
    assert (first.rival, first.below) == (TEXTS[1], TEXTS[0])
    assert first.ahead == pytest.approx(0.03) and first.over == pytest.approx(0.05)
    assert first.ahead_se == pytest.approx(ERROR, rel=1e-3)
    assert first.p == pytest.approx(t.sf(0.03 / ERROR, 39), rel=0.02)
    assert first.wins and not second.wins and second.ahead == pytest.approx(0.001)
    assert (third.rival, third.below) == ("", TEXTS[3]) and np.isnan(third.ahead) and not third.wins
    assert (fourth.rival, fourth.below) == (TEXTS[0], "") and fourth.ahead == pytest.approx(-0.01)
    (itself,) = found[found.group == building.LABELLED].itertuples()
    assert (itself.ahead, itself.ahead_se, itself.p, itself.wins) == (0, 0, 1, False)


def test_holm_over_the_networks_of_a_builder() -> None:
    frame = pd.DataFrame({"group": ["a"] * 3 + ["b"], "p": [0.02, 0.03, np.nan, 0.02], "ahead": [3.0, 3, np.nan, 3],
                          "ahead_se": [1.0, 1, np.nan, 1]})  # fmt: skip
    found = final.mark_wins(frame)
    assert found.adjusted.tolist() == pytest.approx([0.06, 0.06, 1.0, 0.02])
    assert found.wins.tolist() == [True, True, False, True] and found.sure.tolist() == [False, False, False, True]


def test_means_of_builders(compared: Any) -> None:
    asked, measured, front = compared
    networks = final.mark_wins(final.against_front(asked, measured, front))
    found = final.by_builder(networks, measured).set_index("group").loc[building.NORM]
    assert found.networks == 4 and found.macs == 33 / 4 and found.wins == 1
    assert found.over == pytest.approx((0.05 + 0.001 + 0.36) / 3)  # the cheapest has nothing to be compared with
    assert (found.high - found.low) / 2 == pytest.approx(t.ppf(0.975, 39) * ERROR, rel=1e-3)  # all err alike


def test_nothing_measured_is_an_empty_table(compared: Any) -> None:
    empty = final.FinalRows({}, 0, ("x",))
    networks = final.mark_wins(final.against_front(compared[0], empty, None))
    assert networks.empty and final.by_builder(networks, empty).empty
    found = verdict.judge(networks, ["cheap", "good"])
    assert found.word == "undecided" and not found.checks.holds.any()
    assert verdict.judge_builders(networks, ["cheap"]).empty
    assert verdict.surest_networks(networks, [building.NORM]).empty
    assert verdict.sentence(found.checks).count("nothing to compare with") == 2
