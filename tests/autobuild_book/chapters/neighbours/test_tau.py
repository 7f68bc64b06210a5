"""Kendall's tau on NAS-Bench-201: what is planned, summed up, and committed."""

import pandas as pd
import pytest

from autobuild_book.chapters.neighbours import contests, tau
from autobuild_book.chapters.neighbours.nas_bench_201 import NAME
from autobuild_book.chapters.neighbours.systems import find_system


def test_plan_leaves_cells_to_rank(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contests, "rows_of", lambda source: range(8))
    planned = tau.plan([2, 6, 7], range(2))
    assert {(part.source, part.size, part.seed) for part in planned} == {
        (NAME, 2, 0),
        (NAME, 6, 0),
        (NAME, 2, 1),
        (NAME, 6, 1),
    }
    assert {"GATES", *tau.RIVALS} <= {part.model for part in planned}
    monkeypatch.setattr(contests, "rows_of", lambda source: range(2 * tau.TENTH))
    assert {part.model for part in tau.plan([tau.TENTH], [0])} == {"NN-Former"}, "whose paper learns from so many"


def test_summary_has_the_published_number_beside_ours() -> None:
    rows = pd.DataFrame({"model": ["neural predictor"] * 2, "size": [156] * 2, "seed": [0, 1], "tau": [0.4, 0.6]})
    line = tau.summary(rows.assign(fit_seconds=[1.0, 3.0], predict_seconds=0.5)).iloc[0]
    assert (line["tau"], line["published"], line["fit_seconds"]) == (0.5, 0.413, 2.0)
    assert line["low"] < 0.4 and line["high"] > 0.6, "two seeds say little"


def test_committed_rows_are_whole_seeds_of_the_plan() -> None:
    rows = tau.SECTION.committed()
    assert list(rows) == tau.COLUMNS and rows["tau"].between(-1, 1).all() and (rows["fit_seconds"] > 0).all()
    assert not rows.duplicated(["model", "size", "seed"]).any()
    for (model, _), group in rows.groupby(["model", "seed"]):
        further = [tau.TENTH] if tau.TENTH in tau.PUBLISHED.get(model, ()) else []
        assert sorted(group["size"]) == [*tau.SIZES, *further]
    means = tau.summary(rows).set_index(["model", "size"])
    assert {"neural predictor", "GATES", "arch2vec", "CTNAS comparator"} <= set(rows["model"])
    assert (means.loc["GATES", "seeds"] == len(tau.SEEDS)).all()
    assert means.loc[("GATES", 781), "low"] > means.loc[("GATES", 78), "high"], "more cells, better ranks"
    assert (means.loc["neural predictor", "low"] > means.loc["neural predictor", "published"]).all()


def test_published_numbers_lie_in_below_or_above_our_interval() -> None:
    published = tau.PUBLISHED["arch2vec"]
    ahead = {78: 0.2, 156: 0.0, 469: -0.2, 781: 0.2}
    rows = [("arch2vec", size, seed, published[size] + ahead[size] + spread)
            for size in ahead for seed, spread in enumerate((-0.001, 0.001))]  # fmt: skip
    frame = pd.DataFrame([*rows, ("GATES", 78, 0, 0.5), ("neural predictor", 78, 0, 0.5)],
                         columns=["model", "size", "seed", "tau"])  # fmt: skip
    (line,) = tau.beside_published(tau.summary(frame.assign(fit_seconds=1.0, predict_seconds=1.0)))
    assert line.startswith("*arch2vec*") and "above our interval with 469 cells" in line, "not of a single seed"
    assert "below our interval with 78, 781 cells" in line and "in our interval with 156 cells" in line


def test_a_sentence_says_ours_published_and_the_verdict() -> None:
    rows = pd.DataFrame({"model": ["arch2vec"] * 2, "size": [156] * 2, "seed": [0, 1], "tau": [0.5, 0.5]})
    means = tau.summary(rows.assign(fit_seconds=2.0, predict_seconds=0.5))
    system = find_system("arch2vec")
    first, verdict, shares = tau.sentence(means, system).splitlines()
    assert "0.500 [0.500, 0.500]" in first and "published 0.573" in first and "156 cells" in first
    assert system.verdict in verdict and system.shares in shares


def test_a_sentence_names_the_sizes_of_the_numbers_that_were_published() -> None:
    rows = pd.DataFrame({"model": "NN-Former", "size": [78, 156], "seed": 0, "tau": [0.6, 0.7]})
    means = tau.summary(rows.assign(fit_seconds=2.0, predict_seconds=0.5))
    first = tau.sentence(means, find_system("NN-Former")).splitlines()[0]
    assert "0.600, 0.700 with 78, 156 cells" in first and "published 0.804 with 156" in first and "nan" not in first


def test_a_table_for_readers() -> None:
    rows = pd.DataFrame({"model": ["a", "neural predictor"], "size": [78] * 2, "seed": [0, 0], "tau": [0.1, 0.2]})
    shown = tau.readable(tau.summary(rows.assign(fit_seconds=2.0, predict_seconds=0.5)), 78)
    assert shown.index.tolist() == ["neural predictor", "a"] and shown["published"].tolist() == ["0.343", ""]
    assert shown["tau"].tolist() == ["0.200", "0.100"] and shown["seconds"].tolist() == [2.5, 2.5]
