"""Clusters of built networks against the frontier by hand, and reduced spaces of a small space."""

import ast
import math
from pathlib import Path
from typing import Any

import jupytext
import numpy as np
import pandas as pd
import pytest

import autobuild_lib as ab
from autobuild_book.chapters.regions import clusters as pareto_regions
from autobuild_book.chapters.regions.verdicts import cluster_gains
from autobuild_book.chapters.shared import panels
from autobuild_book.chapters.shared.panels import Panel
from autobuild_book.chapters.shared.ridge import ridge_corpus
from autobuild_book.chapters.shared.splits import Split
from autobuild_book.measured import teachers
from autobuild_lib import surrogate
from autobuild_lib.spaces.sequence import Codes
from tests.helpers.toy_regions import EQUATIONS

Places = list[tuple[float, float]]


def cluster(points: Places, region: str = "fast", score: str = "norm", seed: int = 0) -> pd.DataFrame:
    """Networks (latency, accuracy) of one cluster."""
    frame = pd.DataFrame(points, columns=["latency", "acc"]).assign(value=0.0, architecture="x")
    return frame.assign(family="toy", device="gpu", region=region, score=score, seed=seed)


def test_a_cluster_by_hand(known: pareto_regions.Frontiers, noisy: pareto_regions.Frontiers) -> None:
    networks = cluster([(1, 0.55), (3, 0.75), (5, 0.9), (2, 0.5)])
    (row,) = pareto_regions.judge_clusters(networks, known, noisy).to_dict("records")
    assert row["networks"] == 4
    assert row["share"] == 0.25, "only the first dominates a point of the fast region"
    assert row["any_share"] == 0.5, "the second dominates a point of another region"
    assert row["new_share"] == 0.75, "the third is beyond the end; the fourth is dominated"
    assert row["beaten"] == 0.5, "one of the region's two points"
    assert row["gained"] == pytest.approx((0.05 * 1 + 0.05 * 1) / 0.3)


def test_equal_points_do_not_dominate(known: pareto_regions.Frontiers) -> None:
    same = cluster([(1, 0.5), (2, 0.6)])
    (row,) = pareto_regions.judge_clusters(same, known, known).to_dict("records")
    assert row["share"] == row["any_share"] == row["gained"] == 0 and row["new_share"] == 1


def test_a_noisy_frontier_is_judged_at_its_own_points(
    known: pareto_regions.Frontiers, noisy: pareto_regions.Frontiers
) -> None:
    (row,) = pareto_regions.judge_clusters(cluster([(1.5, 0.5)]), known, noisy).to_dict("records")
    assert row["share"] == 0 and row["noisy_share"] == 1, "it dominates the lucky architecture only"


def test_clusters_are_judged_apart(known: pareto_regions.Frontiers) -> None:
    both = pd.concat([cluster([(1, 0.55)], seed=1), cluster([(3, 0.75)], "accurate"), cluster([(3, 0.75)])])
    judged = pareto_regions.judge_clusters(both, known, known)
    assert judged.region.tolist() == ["fast", "accurate", "fast"]
    assert judged.seed.tolist() == [1, 0, 0] and judged.share.tolist() == [1, 1, 0]


def test_budgets_by_hand(known: pareto_regions.Frontiers) -> None:
    networks = pd.concat([cluster([(2, 0.65), (3.5, 0.7)]), cluster([(4, 0.85)], "accurate")])
    table = pareto_regions.at_budgets(networks, known)
    assert sorted(table["budget"].unique()) == [1.75, 2.5, 3.25, 4.0]  # quarters of latencies 1, 2, 3, 4

    def best(score: str, region: str) -> list[float]:
        return list(table[(table.score == score) & (table.region == region)].acc)

    assert best("training", "all") == pytest.approx([0.5, 0.6, 0.7, 0.8])
    assert best("norm", "fast") == pytest.approx([math.nan, 0.65, 0.65, 0.7], nan_ok=True)
    assert best("norm", "all") == pytest.approx([math.nan, 0.65, 0.65, 0.85], nan_ok=True)
    gains = cluster_gains(table)
    assert gains.norm.to_list() == pytest.approx([math.nan, 5, -5, 5], nan_ok=True)
    assert cluster_gains(table.iloc[:0]).empty


def test_default_equations_want_the_predictors_of_experiment_3() -> None:
    found = pareto_regions.region_panels("ofa_pn", panels.REGIONS)
    every = panels.load_panels("ofa_pn", panels.COMMON, panels.SPECIAL)
    assert [list(panel.equations) for panel in found] == [["fast", "balanced", "accurate"]] * 3
    assert found[0].split.targets == every[0].split.targets and len(every[0].split.targets) == 12


def test_other_equations_want_other_predictors() -> None:
    found = pareto_regions.region_panels("ofa_pn", {"mine": "acc / {latency}"})
    assert found[0].split.targets == ("acc / latency_gpu", "acc / latency_cpu", "acc / latency_npu")
    assert found[1].equations == {"mine": "acc / latency_cpu"}


def test_data_without_accuracy_are_refused(toy: ab.SequenceSpace, tmp_path: Path) -> None:
    drawn = dict.fromkeys(toy.sample(np.random.default_rng(0), 30))
    rows = pd.DataFrame({"architecture": list(map(str, drawn)), "latency_gpu": np.arange(len(drawn)) + 1.0})
    rows.to_csv(tmp_path / "mine.csv", index=False)
    with pytest.raises(ValueError, match="label acc, a latency"):
        pareto_regions.region_panels(str(tmp_path / "mine.csv"), {"fast": "1 / {latency}"}, toy)


def test_the_notebook_has_the_default_equations() -> None:
    source = Path(__file__).resolve().parents[4] / "notebooks" / "04_pareto_regions.py"
    cells = [cell for cell in jupytext.read(source).cells if cell.metadata.get("tags") == ["parameters"]]
    (found,) = (s for s in ast.parse(cells[0].source).body if ast.unparse(s.targets[0]) == "regions")  # type: ignore[attr-defined]
    assert ast.literal_eval(found.value) == panels.REGIONS  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def scored(toy: ab.SequenceSpace, toy_table: ab.data.Table) -> tuple[Panel, dict[Any, ab.Predictor]]:
    """A panel of the toy space with two equations, and predictors that were trained for a moment."""
    labels = toy_table.labels.assign(acc=toy_table.labels.additive, latency_gpu=1 + toy_table.labels.other.abs())
    records = zip(toy_table.architectures, labels.to_dict("records"), strict=True)
    table = ab.data.from_records(toy, [(a, {str(n): v for n, v in row.items()}) for a, row in records])
    own = Panel(Split(table, table, tuple(EQUATIONS.values())), "gpu", EQUATIONS)
    trained = {(toy.name, e, seed): ab.fit(toy, table, e, seed=seed, epochs=2, progress=False)
               for e in EQUATIONS.values() for seed in (0, 1)}  # fmt: skip
    return own, trained


@pytest.fixture
def reductions(scored: tuple[Panel, dict[Any, ab.Predictor]]) -> list[pareto_regions.Reduction]:
    return pareto_regions.reduce_spaces([scored[0]], scored[1], (0, 1), hosts=3)


def test_clusters_hold_the_best_modules_of_each_score(
    reductions: list[pareto_regions.Reduction], scored: tuple[Panel, dict[Any, ab.Predictor]]
) -> None:
    assert [reduction.seed for reduction in reductions] == [0, 1]
    assert set(reductions[0].spaces) == {(s, r) for s in pareto_regions.SCORES for r in EQUATIONS}
    for kind in ("norm", "effect"):
        wanted = ab.score_units(scored[1]["toy", "acc", 1], kind, hosts=3).top(3)
        found = reductions[1].cluster(kind, "accurate")
        assert list(found) == list(wanted) and found.size == 9
    table = scored[0].split.train
    head = reductions[0].cluster("norm", "fast").head
    assert list(reductions[0].cluster("ridge", "accurate")) == list(ridge_corpus(table, "acc", head).top(3))


def test_the_union_holds_every_region(reductions: list[pareto_regions.Reduction]) -> None:
    union = reductions[0].union("effect")
    for region in EQUATIONS:
        assert all(architecture in union for architecture in reductions[0].cluster("effect", region))


def test_built_networks_come_best_first(reductions: list[pareto_regions.Reduction], toy: ab.SequenceSpace) -> None:
    table = pareto_regions.best_networks(reductions, n=4)
    assert len(table) == 2 * 6 * 4 and not table.duplicated(["score", "region", "seed", "rank"]).any()
    own = table[(table.score == "ridge") & (table.region == "fast") & (table.seed == 1)]
    sums = reductions[1].cluster("ridge", "fast").scores([toy.parse(text) for text in own.architecture])
    assert own["rank"].tolist() == [1, 2, 3, 4] and (np.diff(sums) <= 0).all()


def test_all_networks_of_all_clusters_are_evaluated(reductions: list[pareto_regions.Reduction]) -> None:
    def judge(codes: Codes) -> pd.DataFrame:
        acc = codes.sum(1) / 100.0
        return pd.DataFrame({"acc": acc, "latency_gpu": 2 * acc, "latency_cpu": 0.0})

    clusters = pareto_regions.evaluate_clusters(reductions, {"toy": judge})
    assert len(clusters) == 2 * 6 * 9 and not clusters.duplicated([*pareto_regions.KEY, "architecture"]).any()
    np.testing.assert_allclose(clusters.latency, 2 * clusters.acc)
    np.testing.assert_allclose(clusters.value, np.where(clusters.region == "fast", 0.5, clusters.acc))
    nothing = pareto_regions.evaluate_clusters(reductions, {})
    assert nothing.empty and list(nothing) == list(clusters)
    assert pareto_regions.judge_clusters(nothing, {}, {}).empty and pareto_regions.at_budgets(nothing, {}).empty


def test_another_judge_is_compared_network_by_network(reductions: list[pareto_regions.Reduction]) -> None:
    def judge(codes: Codes, more: float = 0.0) -> pd.DataFrame:
        acc = codes.sum(1) / 100.0
        return pd.DataFrame({"acc": acc + more, "latency_gpu": 1 + 10 * acc - 3 * more})

    own, other = {"toy": judge}, {"toy": lambda codes: judge(codes, 0.25)}
    table = pareto_regions.compare_judges(reductions, own, other)
    assert len(table) == 12
    for label, value in {"acc": 0.25, "latency": -0.75}.items():
        np.testing.assert_allclose(table[f"{label}_difference"], value)
        np.testing.assert_allclose(table[f"{label}_mae"], abs(value))
    np.testing.assert_allclose(table.other_acc - table.acc, 0.25)
    pd.testing.assert_series_equal(table.share, table.other_share, check_names=False)  # all moves together
    best = pareto_regions.evaluate_clusters(reductions, own).groupby(pareto_regions.KEY, sort=False).value.max()
    fast = (table.region == "fast").to_numpy()
    np.testing.assert_allclose(np.where(fast, table.acc / table.latency, table.acc), best)


def test_the_committed_comparison_is_complete() -> None:
    table = pareto_regions.committed_comparison()
    keys = {(f, d, r, s) for f in ("ofa_mbv3", "ofa_pn") for d in panels.LABELS for r in panels.REGIONS
            for s in pareto_regions.SCORES}  # fmt: skip
    assert set(zip(table.family, table.device, table.region, table.score, strict=True)) == keys and len(table) == 54
    assert table[["share", "other_share"]].stack().between(0, 1).all()


def test_its_networks_have_the_labels_of_surrogate_and_published_predictors(reference: Path) -> None:
    table = pareto_regions.committed_comparison()
    for family, own in table.groupby("family"):
        space = surrogate.SPACES[str(family)]()
        codes = space.to_codes([space.parse(text) for text in own.architecture])
        published = teachers.load_teachers(str(family), reference / "l1_predictors")
        ours = surrogate.load_bundled(str(family)).predict_codes(codes)
        theirs = pd.DataFrame(teachers.label_codes(published, space, codes).T, columns=list(surrogate.LABELS))
        for prefix, labels in (("", ours), ("other_", theirs)):
            column = [labels.columns.get_loc(panels.LABELS[device]) for device in own.device]
            latency = labels.to_numpy()[np.arange(len(own)), column]
            np.testing.assert_allclose(own[f"{prefix}acc"], labels.acc, rtol=1e-4)
            np.testing.assert_allclose(own[f"{prefix}latency"], latency, rtol=1e-4)
