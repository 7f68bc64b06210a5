"""What orders measured latencies: each predictor from the rows it may see, and intervals."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

import autobuild_lib as ab
from autobuild_book.chapters.trained import latency


@pytest.fixture(scope="module")
def table() -> ab.data.Table:
    """Networks at three resolutions; every GPU takes a time per layer, and with 64 images another one."""
    space = ab.spaces.ofa_mbv3(resolutions=(128, 216, 224))
    drawn = space.sample(np.random.default_rng(1), 90)
    rng, records = np.random.default_rng(2), []
    for architecture in drawn:
        layers, side = sum(architecture.depths), architecture.global_features["resolution"]
        labels = {latency.label_of(gpu, 1): layers + rng.normal(0, 0.1) + 5 for gpu in latency.GPUS}
        labels |= {latency.label_of(gpu, 64): layers * float(side) ** 2 for gpu in latency.GPUS}
        records.append((architecture, {**labels, "flops_m": layers * float(side) ** 2}))
    return ab.data.from_records(space, records, duplicates="mean")


@pytest.fixture(autouse=True)
def use(monkeypatch: pytest.MonkeyPatch, table: ab.data.Table) -> None:
    monkeypatch.setattr(latency, "measured", lambda: table)
    latency.without_measuring.cache_clear()


def test_a_row_per_predictor_and_resolution(table: ab.data.Table) -> None:
    rows = latency.MeasuredLatency("v100", 1).measure()
    assert list(rows) == latency.COLUMNS and len(rows) == 2 * len(latency.SAYS)
    sides = latency.resolutions(table)
    for least in latency.RESOLUTIONS:
        part = rows[rows["from_resolution"] == least].set_index("says")
        near = sides >= least
        assert set(part["networks"]) == {int(near.sum())}
        layers = np.array([sum(architecture.depths) for architecture in table.architectures])
        expected = spearmanr(layers[near], table.labels["latency_v100_1"][near])[0]
        assert part["srcc"][latency.LAYERS] == pytest.approx(expected)
        assert (part["low"] <= part["srcc"]).all() and (part["srcc"] <= part["high"]).all()
    latency.without_measuring.cache_clear()


def test_what_is_said_without_measuring(table: ab.data.Table) -> None:
    said, near = latency.without_measuring(), latency.resolutions(table) >= 216
    assert (said[latency.SURROGATE].notna() == near).all()
    place = int(np.flatnonzero(near)[0])
    same = ab.spaces.ofa_mbv3().from_lists(table.architectures[place].to_lists(), resolution=224)
    expected = ab.surrogate.ofa_mbv3().predict([same])["latency_gpu"][0]
    assert said[latency.SURROGATE][place] == pytest.approx(expected)
    latency.without_measuring.cache_clear()


def test_other_gpus_leave_this_one_out() -> None:
    rng = np.random.default_rng(0)
    labels = pd.DataFrame({latency.label_of(gpu, 1): rng.uniform(1, 2, 20) for gpu in latency.GPUS})
    before = latency.others(labels, "v100", 1)
    changed = labels.assign(**{latency.label_of("v100", 1): 1.0})
    np.testing.assert_array_equal(latency.others(changed, "v100", 1), before)
    assert not np.allclose(latency.others(changed.assign(latency_2080ti_1=range(1, 21)), "v100", 1), before)


def test_a_ridge_sees_the_other_folds_only(table: ab.data.Table) -> None:
    noise = table.labels.assign(noise=np.random.default_rng(3).uniform(1, 2, len(table)))
    records = list(zip(table.architectures, noise.to_dict("records"), strict=True))
    predicted = latency.out_of_fold(ab.data.from_records(table.space, records), "noise")
    assert abs(spearmanr(predicted, noise["noise"])[0]) < 0.35
    learnt = latency.out_of_fold(table, latency.label_of("v100", 64))
    assert spearmanr(learnt, table.labels["flops_m"])[0] > 0.7


def test_interval_shrinks_with_rows() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=400)
    y = x + rng.normal(size=400)
    widths = [np.ptp(latency.srcc_with_interval(x[:n], y[:n])[1:]) for n in (40, 400)]
    assert widths[1] < widths[0] / 2
    assert len({part.key for part in latency.plan()}) == 12


def test_what_a_latency_means() -> None:
    keys = [(gpu, batch, says) for gpu in latency.GPUS for batch in (1, 64) for says in latency.SAYS]
    rows = pd.DataFrame(keys, columns=["gpu", "batch", "says"])
    rows["srcc"] = [
        0.5 if says == latency.SURROGATE and (batch == 64 or gpu == "v100") else 0.9 for gpu, batch, says in keys
    ]
    table = latency.means(rows).set_index("images")
    assert table["gpus"].to_dict() == {1: 3, 64: 0} and set(table["of"]) == {4}
    assert table[latency.SURROGATE][1] == "0.50 to 0.90"
