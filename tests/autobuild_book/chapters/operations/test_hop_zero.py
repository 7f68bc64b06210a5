"""Data, shuffles, trainings and what they say at hop 0."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import autobuild_lib as ab
from autobuild_book.chapters.operations import hop_zero
from autobuild_book.chapters.operations.hop_zero import CHEAP, TRUE, Plan
from autobuild_book.chapters.shared.fits import FitJob
from autobuild_lib.data import IRTable

PLAN = Plan(paper_seeds=1, paper_epochs=1, cheap_seeds=2, cheap_epochs=1, cheap_train=60, shuffles=2, family_shuffles=1)


def test_bundled_data_hold_as_many_of_each_family(table: IRTable) -> None:
    assert pd.Series(table.families).value_counts().to_dict() == {"ofa_mbv3": 60, "ofa_pn": 60}
    whole, note = hop_zero.load_graphs("bundled", "acc", 10_000)
    assert len(whole) == 6000 and note == ""
    with pytest.raises(ValueError, match="no speed: acc, latency_gpu"):
        hop_zero.load_graphs("bundled", "speed", 60)


def test_a_table_of_one_family_becomes_graphs(tmp_path: Path) -> None:
    small = ab.data.load("ofa_pn").take(range(12))
    path = tmp_path / "mine.csv"
    small.labels[["acc"]].assign(architecture=[str(a) for a in small.architectures]).to_csv(path, index=False)
    mine, note = hop_zero.load_graphs(str(path), "acc", 10, ab.spaces.ofa_pn())
    assert len(mine) == 10 and set(mine.families) == {"ofa_pn"} and note == ""
    assert list(hop_zero.family_rows(mine)) == ["ofa_pn"]


def test_data_without_graphs_or_labels_are_replaced_and_the_page_says_so(
    tmp_path: Path, toy: ab.SequenceSpace, toy_table: ab.data.Table
) -> None:
    path = tmp_path / "toy.csv"
    architectures = [str(a) for a in toy_table.architectures]
    toy_table.labels.assign(architecture=architectures).to_csv(path, index=False)
    found, note = hop_zero.load_graphs(str(path), "acc", 5, toy)
    assert note.startswith(f"{path} has no op-level graphs") and note.endswith("the bundled tables instead.")
    assert len(found) == 10 and found.kind == "surrogate"
    small = ab.data.load("ofa_pn").take(range(12))
    small.labels[["latency_cpu"]].assign(architecture=[str(a) for a in small.architectures]).to_csv(path, index=False)
    _, note = hop_zero.load_graphs(str(path), "acc", 5, ab.spaces.ofa_pn())
    assert "has no label acc" in note


def test_released_caches_with_and_without_graphs(reference: Path, tmp_path: Path) -> None:
    folder = reference / "released_format"
    mixed, _ = hop_zero.load_graphs(str(folder / "ofa_mbv3_pn_onnx_ir_cache.pkl"), "acc", 10)
    assert mixed.kind == "released" and set(mixed.families) == {"ofa_mbv3", "ofa_pn"}
    paths, _ = hop_zero.load_graphs(str(folder / "ofa_pn_custom_cache.pkl"), "acc", 10)
    assert paths.kind == "released" and set(paths.families) == {"ofa_pn"}
    broken = tmp_path / "broken.pkl"
    shutil.copy(folder / "ofa_pn_custom_cache.pkl", broken)
    broken.write_bytes(broken.read_bytes()[:-20])
    with pytest.raises(ValueError, match=r"broken\.pkl"):
        hop_zero.load_graphs(str(broken), "acc", 10)


def test_shuffles_keep_values_and_the_inner_ones_keep_families(table: IRTable) -> None:
    mixed = hop_zero.shuffle_labels(table, "acc", PLAN).labels
    families = np.array(table.families)
    assert list(mixed.columns)[-3:] == ["shuffled_1", "shuffled_2", "within_1"]
    for name in ("shuffled_1", "shuffled_2", "within_1"):
        assert sorted(mixed[name]) == sorted(mixed.acc) and (mixed[name] != mixed.acc).mean() > 0.9
    for family in set(families):
        assert sorted(mixed.within_1[families == family]) == sorted(mixed.acc[families == family])
    assert sorted(mixed.shuffled_1[families == "ofa_pn"]) != sorted(mixed.acc[families == "ofa_pn"])


def test_all_predictors_are_trained_and_read(table: IRTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[FitJob] = []

    def run(jobs: list[FitJob], folder: Path) -> Any:
        asked.extend(jobs)
        return [job.run(folder) for job in jobs]

    monkeypatch.setattr(hop_zero, "fit_jobs", run)
    train, test = table.split(0.75, seed=1)
    fitted = hop_zero.train_presets(train, "acc", 7, PLAN, tmp_path)
    keys = [(one.preset, one.seed, one.labels) for one in fitted]
    assert len(set(keys)) == len(keys) == 1 + 2 * 3 + 2
    assert ("paper", 7, TRUE) in keys and (CHEAP, 8, "within_1") in keys
    assert {len(job.table) for job in asked if job.preset == CHEAP} == {60}
    assert {len(job.table) for job in asked if job.preset == "paper"} == {90}
    ranks = hop_zero.rank_families(fitted, test)
    assert len(ranks) == 3 * 3 * 6 and set(ranks.family) == {hop_zero.ALL, "ofa_mbv3", "ofa_pn"}
    summary = hop_zero.importance_table(hop_zero.importances(fitted))
    assert len(summary) == 2 * 13 and summary.importance.notna().all()
    one_epoch = summary[summary.preset == "paper"]  # has hardly moved
    np.testing.assert_allclose(one_epoch.importance, one_epoch.initial, atol=0.01)


def test_references_tell_what_the_gap_between_families_is_worth(table: IRTable) -> None:
    found = hop_zero.family_references(table, "acc").set_index("family")
    assert found.ceiling.between(0.9, 1).all() and found.gap.notna().tolist() == [True, False, False]
    labels = pd.DataFrame({"acc": [2.0 if f == "ofa_mbv3" else 1.0 for f in table.families]})
    assert hop_zero.family_references(replace(table, labels=labels), "acc").gap.iloc[0] == pytest.approx(1)
