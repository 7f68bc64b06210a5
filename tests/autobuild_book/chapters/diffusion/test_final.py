"""The last measurement: what is compared with what, the verdict, what is missing, and a measurement made again."""

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_rel

from autobuild_book.chapters.diffusion import final, labels, ranks as diffusion_ranks
from autobuild_book.chapters.diffusion.bundled_rows import CHOICE
from autobuild_book.chapters.diffusion.choice import ANY, AS_BEST, BEST, RANDOM
from autobuild_book.chapters.diffusion.final import against_group, values_by_seed
from autobuild_book.chapters.diffusion.task.measuring import Job, Measurement, sample_architectures
from autobuild_book.chapters.diffusion.task.space import unet_space
from autobuild_book.chapters.diffusion.task.table import Agreement, intraclass_correlation, seed_agreement
from autobuild_book.chapters.diffusion.verdict import sentence
from autobuild_book.chapters.shared.few_labels import NORM
from tests.helpers.unet_tables import unet_row, unet_table

TEXTS = list(map(str, sample_architectures(6)))
SEEDS = (100, 101, 102)


def chosen(*rows: tuple[str, str, int, int]) -> pd.DataFrame:
    """Choices: setting, group, place, and the number of an architecture."""
    return pd.DataFrame([(*row[:3], TEXTS[row[3]]) for row in rows], columns=CHOICE)


CHOSEN = chosen(
    (AS_BEST, NORM, 0, 0), (AS_BEST, NORM, 1, 1), (AS_BEST, BEST, 0, 2),
    (AS_BEST, RANDOM, 0, 3), (AS_BEST, RANDOM, 1, 4), (ANY, NORM, 0, 1), (ANY, BEST, 0, 2),
)  # fmt: skip
DISTANCES = {0: [1.0, 1.2, 1.1], 1: [1.6, 1.3, 1.5], 2: [1.5, 1.4, 1.6], 3: [2.0, 2.1, 2.2], 4: [2.4, 2.1, 2.0]}
ROWS = [
    unet_row(TEXTS[n], seed, d) for n, own in DISTANCES.items() for seed, d in zip(SEEDS, own, strict=True)
]  # fmt: skip


def test_values_are_those_of_the_untouched_half() -> None:
    others = [unet_row(TEXTS[0], 0, 9.0, "labels"), unet_row(TEXTS[5], 100, 9.0)]
    found = values_by_seed(CHOSEN, [*ROWS, *others])
    assert len(found) == 7 * 3 and set(found["seed"]) == set(SEEDS) and found["log_distance"].max() < 9
    assert values_by_seed(CHOSEN, []).empty and against_group(values_by_seed(CHOSEN, [])).empty


def test_comparison_with_the_best_by_hand() -> None:
    found = against_group(values_by_seed(CHOSEN, ROWS)).set_index(["setting", "group", "place"]).sort_index()
    row = found.loc[AS_BEST, NORM, 0]
    differences = np.array([-0.5, -0.2, -0.5])
    half = 4.302653 * differences.std(ddof=1) / math.sqrt(3)
    assert row["difference"] == pytest.approx(-0.4)
    assert (row["low"], row["high"]) == pytest.approx((-0.4 - half, -0.4 + half), rel=1e-6)
    assert row["p"] == pytest.approx(ttest_rel(DISTANCES[0], DISTANCES[2], alternative="less").pvalue)
    assert (row["mean"], row["seeds"], row["macs"]) == (pytest.approx(1.1), 3, ROWS[0].macs)
    assert found.loc[AS_BEST, BEST, 0]["difference"] == 0 and found.loc[AS_BEST, BEST, 0]["p"] == 1
    assert found.loc[ANY, NORM, 0]["difference"] == found.loc[AS_BEST, NORM, 1]["difference"] == pytest.approx(-1 / 30)


def test_comparison_with_the_mean_of_a_group() -> None:
    found = against_group(values_by_seed(CHOSEN, ROWS), RANDOM)
    assert set(found["setting"]) == {AS_BEST}, "nothing random was measured in the other setting"
    row = found[(found["group"] == NORM) & (found["place"] == 0)].iloc[0]
    assert row["difference"] == pytest.approx(np.mean([1.0 - 2.2, 1.2 - 2.1, 1.1 - 2.1]))


def test_comparisons_for_a_page() -> None:
    values = final.values_by_seed(CHOSEN, ROWS)
    found = final.against_group(values)
    shown = final.readable(found)
    assert shown.loc[AS_BEST, NORM, 0].tolist() == [round(ROWS[0].macs / 1e6, 1), 1.1, "-0.400 [-0.830, 0.030]"]
    both = final.side_by_side({"best": found, "random": final.against_group(values, RANDOM)})
    assert list(both) == ["best", "random"] and len(both) == len(CHOSEN)
    assert both.loc[(AS_BEST, NORM, 0), "best"].startswith("-0.4000 [")
    assert both.loc[(ANY, NORM, 0), "random"] == "", "no random network there"


def test_only_seeds_that_both_have_are_compared() -> None:
    found = against_group(values_by_seed(CHOSEN, ROWS[1:])).set_index(["setting", "group", "place"]).sort_index()
    row = found.loc[AS_BEST, NORM, 0]
    assert row["seeds"] == 2 and row["difference"] == pytest.approx(-0.35)


def test_another_label() -> None:
    found = against_group(values_by_seed(CHOSEN, ROWS), label="flow_loss")
    assert found["difference"].iloc[0] == pytest.approx(-0.1)


def test_the_front_counts_every_network_once() -> None:
    found = final.on_the_front(against_group(values_by_seed(CHOSEN, ROWS)))
    assert found["architecture"].is_unique and found["group"].iloc[-1] == BEST
    for row in found.itertuples():
        others = found[(found["macs"] <= row.macs) & (found["mean"] <= row.mean)]
        assert row.front == (len(others) == 1)
    assert final.on_the_front(against_group(values_by_seed(CHOSEN, []))).empty


# -------------------------------------------------------------------- what nobody has measured


def test_what_is_missing_comes_cheapest_first() -> None:
    jobs = final.missing(CHOSEN, ROWS[:-1], SEEDS)
    assert [(str(job.architecture), job.seed, job.half) for job in jobs] == [(TEXTS[4], 102, "final")]
    jobs = final.missing(CHOSEN, [], SEEDS)
    macs = [unet_row(str(job.architecture), 0, 0).macs for job in jobs]
    assert len(jobs) == 5 * 3 and macs == sorted(macs)
    assert final.table_of_jobs(jobs).iloc[0].tolist() == [str(jobs[0].architecture), 100, "final"]


def test_as_much_is_measured_as_the_minutes_allow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[Job] = []

    def run(job: Job) -> Measurement:
        ran.append(job)
        return unet_row(str(job.architecture), job.seed, 1.0)

    monkeypatch.setattr(Job, "run", run)
    jobs = final.missing(CHOSEN, [], SEEDS)
    seconds = [unet_row(str(job.architecture), 0, 0).seconds for job in jobs]  # they rise with MACs in a straight line
    minutes = (sum(seconds[:4]) + 0.5) / 60
    found = final.measure_within(jobs, ROWS, minutes, tmp_path / "measured" / "live.csv")
    assert len(found) == 4 and ran == jobs[:4]
    again = final.measure_within(jobs, ROWS, minutes, tmp_path / "measured" / "live.csv")
    assert again == found and len(ran) == 4, "kept"
    for arguments in ((jobs, ROWS, 0.0), ([], ROWS, 9.0), (jobs, [], 9.0)):
        assert final.measure_within(*arguments, tmp_path / "none.csv") == []
    assert not (tmp_path / "none.csv").exists()


def test_the_bundled_choice_is_compared_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    proposed = chosen((ANY, NORM, 0, 5))
    monkeypatch.setattr(final, "final_choices", lambda: CHOSEN)
    assert final.to_compare(proposed, True) is CHOSEN and final.to_compare(proposed, False) is proposed
    monkeypatch.setattr(final, "final_choices", lambda: CHOSEN[:0])
    assert final.to_compare(proposed, True) is proposed


def test_a_measurement_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    row, rng = ROWS[0], np.random.default_rng(0)
    known = [unet_row(t, s, float(rng.normal()), "labels") for t in TEXTS for s in (0, 1)]
    monkeypatch.setattr(Job, "run", lambda job: unet_row(str(job.architecture), job.seed, 1.0))
    same = final.measure_again(row, known)
    assert (same["here"] == same["committed"]).all() and (same["spreads"] == 0).all()
    monkeypatch.setattr(Job, "run", lambda job: unet_row(str(job.architecture), job.seed, 1.001))
    elsewhere = final.measure_again(row, known).set_index("what").loc["log_distance"]
    assert elsewhere.spread == pytest.approx(seed_agreement(known).seed_sd)
    assert elsewhere.difference == pytest.approx(0.001) and elsewhere.spreads == pytest.approx(0.001 / elsewhere.spread)


# -------------------------------------------------------------------- labels


def label_rows() -> list[Measurement]:
    rng = np.random.default_rng(2)
    return [unet_row(t, s, float(rng.normal()), "labels") for t in TEXTS for s in (0, 1)]


def test_spread_says_what_the_table_of_variances_says() -> None:
    rows = label_rows()
    found = labels.spread(rows, unet_table(6)).set_index("label")
    wide = pd.DataFrame(rows).pivot_table(index="architecture", columns="seed", values="log_distance", sort=False)
    by_hand = intraclass_correlation(wide)
    assert found["icc"]["log_distance"] == pytest.approx(by_hand.shared_seeds)
    assert found["seed_sd"]["flow_loss"] == pytest.approx(by_hand.seed_sd / 4)
    assert found["reliability"]["log_distance"] == pytest.approx(labels.reliability(by_hand, 2))
    assert labels.ceiling(found.reset_index(), " -(flow_loss)") == math.sqrt(max(found["reliability"]["flow_loss"], 0))
    assert math.isnan(labels.ceiling(found.reset_index(), "1 / flow_loss"))
    assert math.isnan(labels.ceiling(pd.DataFrame({"skipped": ["x"]}), "-flow_loss"))
    assert len(found) == 3 and found["srcc_macs"].between(-1, 1).all()


def test_reliability_of_two_runs() -> None:
    found = dataclasses.replace(seed_agreement(label_rows()), shared_seeds=0.5)
    assert labels.reliability(found, 1) == 0.5 and labels.reliability(found, 2) == pytest.approx(2 / 3)


def test_labelled_points_reach_from_run_to_run() -> None:
    table, rows = unet_table(6), label_rows()
    found = labels.labelled_points(table, rows, "-log_distance")
    assert found["mean"].to_numpy() == pytest.approx(table.labels["log_distance"].to_numpy())
    own = [row.log_distance for row in rows if row.architecture == TEXTS[3]]
    assert (found["low"][3], found["high"][3]) == (min(own), max(own))
    alone = labels.labelled_points(table, [], "-log_distance")
    assert (alone["low"] == alone["mean"]).all() and (alone["high"] == alone["mean"]).all()
    cheapest = int(found["macs"].argmin())
    assert found["front"][cheapest] and found["front"][int(found["mean"].argmin())]


def test_baselines_stand_beside_unets() -> None:
    table = unet_table(5)
    found = labels.beside_baselines(table, [0]).set_index("filled by")
    assert found["log_distance"].is_monotonic_increasing and len(found) == 4 + 3
    assert found["log_distance"][labels.BEST] == table.labels["log_distance"].min()
    assert found["log_distance"][labels.MEDIAN] == table.labels["log_distance"].median()


def test_own_tables_take_the_place_of_the_bundled_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = unet_table(4)
    path, space = tmp_path / "mine.csv", tmp_path / "space.json"
    table.labels.assign(architecture=list(map(str, table.architectures))).to_csv(path, index=False)
    space.write_text(json.dumps(unet_space().to_json()))
    found, note = labels.load_table(str(path), str(space), "-log_distance")
    assert found.architectures == table.architectures and note == ""
    monkeypatch.setattr(labels.data, "load", lambda source, space=None: (source, table)[source != labels.NAME])
    found, note = labels.load_table("mine.csv", "", "-fid")
    assert found == labels.NAME
    assert all(name in note for name in ("mine.csv", "label fid", "target -fid", labels.NAME))


def test_numbers_of_the_summary() -> None:
    table, comparison = unet_table(5), against_group(values_by_seed(CHOSEN, ROWS))
    models = [diffusion_ranks.HEAD, diffusion_ranks.RIDGE, diffusion_ranks.COST]
    gains = {"gain": [-0.11, 0.13, 0.0], "gain_low": [-0.2, 0.03, 0.0], "gain_high": [-0.05, 0.24, 0.0]}
    ranks = pd.DataFrame({"model": models, "srcc": [0.61, 0.85, 0.72], **gains})
    spread = labels.spread(label_rows(), unet_table(6))
    found: dict[str, Any] = final.summary_numbers(table, spread, ranks, comparison)
    assert (found["networks"], found["head_srcc"], found["macs_srcc"]) == (5, "0.61", "0.72")
    assert found["ridge_srcc"] == "0.85" and found["ridge_gain"] == "+0.13 [+0.03, +0.24]"
    assert found["head_gain"] == "-0.11 [-0.20, -0.05]"
    assert found["norm"] == sentence(comparison) and "not been measured" in found["ridge"]
    bare = final.summary_numbers(table, pd.DataFrame({"skipped": ["x"]}), ranks[:1], comparison)
    assert (bare["icc"], bare["macs_srcc"]) == ("nan", "nan")
    icc = spread.set_index("label").icc["log_distance"]
    assert found["runs"] == labels.runs_for(0.9, icc) and isinstance(bare["runs"], str)


@pytest.mark.parametrize("icc", [0.2, 0.5, 0.85])
@pytest.mark.parametrize("runs", [1, 4, 9])
def test_runs_for_a_reliability_solve_the_formula_of_spearman_and_brown(icc: float, runs: int) -> None:
    reached = labels.reliability(Agreement(icc, *[math.nan] * 5), runs)
    assert labels.runs_for(reached, icc) == runs and labels.runs_for(reached + 0.001, icc) == runs + 1
    assert labels.runs_for(0.9, 0.5) == 9
