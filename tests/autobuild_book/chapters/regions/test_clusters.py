"""Experiment 4, clusters: dominance, regions, budgets and verdicts by hand, and reduced spaces of a small space."""

import ast
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jupytext
import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import autobuild_lib as ab
from autobuild_book.chapters.regions import clusters as pareto_regions
from autobuild_book.chapters.regions.verdicts import cluster_gains, cluster_means, judge_regions, ways_to_count
from autobuild_book.chapters.shared import frontiers, panels
from autobuild_book.chapters.shared.frontiers import Frontier
from autobuild_book.chapters.shared.panels import Panel
from autobuild_book.chapters.shared.splits import Split
from autobuild_book.measured import teachers
from autobuild_lib import surrogate
from autobuild_lib.spaces.sequence import Codes
from autobuild_lib.units.ridge import ridge_corpus

POINTS = arrays(np.int64, st.tuples(st.integers(1, 8), st.just(2)), elements=st.integers(0, 4)).map(np.float64)
Array = npt.NDArray[np.float64]

# -------------------------------------------------------------------- frontiers


# Latency and accuracy without noise: four points on the frontier, two dominated ones.
CLEAN = {"latency_gpu": [1.0, 2.0, 3.0, 4.0, 2.0, 4.0], "acc": [0.5, 0.6, 0.7, 0.8, 0.5, 0.7]}
NOISY = {"latency_gpu": [1.0, 2.0, 3.0, 4.0, 2.0, 4.0], "acc": [0.4, 0.6, 0.65, 0.8, 0.7, 0.7]}
EQUATIONS = {"fast": "acc / latency_gpu", "accurate": "acc"}


@pytest.fixture(scope="module")
def panel(toy: ab.SequenceSpace) -> Panel:
    drawn = list(dict.fromkeys(toy.sample(np.random.default_rng(0), 10)))[:6]
    records = [(a, {name: values[row] for name, values in NOISY.items()}) for row, a in enumerate(drawn)]
    table = ab.data.from_records(toy, records)
    return Panel(Split(table, table, tuple(EQUATIONS.values())), "gpu", EQUATIONS)


@pytest.fixture(scope="module")
def judges(panel: Panel) -> dict[str, frontiers.Judge]:
    """One judge, which knows the labels without noise."""
    rows = {architecture.code: row for row, architecture in enumerate(panel.split.train.architectures)}

    def judge(codes: Codes) -> pd.DataFrame:
        return pd.DataFrame(CLEAN).iloc[[rows[code.tobytes()] for code in codes]].reset_index(drop=True)

    return {"toy": judge}


def frontier(panel: Panel, judges: dict[str, frontiers.Judge], noisy: bool = False) -> Frontier:
    labels = frontiers.training_labels([panel], judges)
    return frontiers.training_frontiers([panel], labels, noisy)["toy", "gpu"]


def test_frontier_by_hand(panel: Panel, judges: dict[str, frontiers.Judge]) -> None:
    known = frontier(panel, judges)
    np.testing.assert_allclose(known.points, [[1, -0.5], [2, -0.6], [3, -0.7], [4, -0.8]])
    np.testing.assert_allclose([known.reference, known.scale], [[4, -0.5], [3, 0.3]])
    assert known.hypervolume(np.array([[1, -0.8]])) == pytest.approx(1), "the table's rectangle has area 1"
    assert known.hypervolume(known.points) == pytest.approx((2 * 0.1 + 1 * 0.1) / (3 * 0.3))


def test_a_region_is_the_part_of_the_frontier_that_its_equation_values_most(
    panel: Panel, judges: dict[str, frontiers.Judge]
) -> None:
    regions = frontier(panel, judges).regions
    assert regions["fast"].tolist() == [True, True, False, False]  # 0.5, 0.3, 0.23, 0.2: half of it, two equations
    assert regions["accurate"].tolist() == [False, False, True, True]
    three = Panel(panel.split, "gpu", {**EQUATIONS, "middle": "-abs(latency_gpu - 3)"})
    regions = frontier(three, judges).regions
    assert [marks.sum() for marks in regions.values()] == [2, 2, 2], "a third, rounded up"
    assert regions["middle"].tolist() == [False, True, True, False]


def test_noisy_labels_choose_other_points_but_do_not_move_them(
    panel: Panel, judges: dict[str, frontiers.Judge]
) -> None:
    seen = frontier(panel, judges, noisy=True)  # the fifth architecture is lucky: it hides the second and the third
    np.testing.assert_allclose(seen.points, [[1, -0.5], [2, -0.5], [4, -0.8]])
    np.testing.assert_allclose([seen.reference, seen.scale], [[4, -0.5], [3, 0.3]])
    assert seen.regions["fast"].tolist() == [True, True, False]
    assert seen.regions["accurate"].tolist() == [True, False, True]  # of the equal ones, the faster


def test_families_without_a_judge_have_no_frontier(panel: Panel) -> None:
    assert frontiers.training_frontiers([panel], frontiers.training_labels([panel], {})) == {}
    assert frontiers.surrogate_judges([panel]) == {}
    assert frontiers.published_judges([panel], Path("nowhere")) == {}
    empty = frontiers.frontier_table({})
    assert empty.empty and "regions" in empty


def test_frontier_table(panel: Panel, judges: dict[str, frontiers.Judge]) -> None:
    table = frontiers.frontier_table({("toy", "gpu"): frontier(panel, judges)})
    assert table.latency.tolist() == [1, 2, 3, 4] and table.acc.tolist() == pytest.approx([0.5, 0.6, 0.7, 0.8])
    assert table.regions.tolist() == ["fast", "fast", "accurate", "accurate"]
    assert table.hypervolume.tolist() == pytest.approx([1 / 3] * 4)


# -------------------------------------------------------------------- clusters against the frontier


Places = list[tuple[float, float]]


def cluster(points: Places, region: str = "fast", score: str = "norm", seed: int = 0) -> pd.DataFrame:
    """Networks (latency, accuracy) of one cluster."""
    frame = pd.DataFrame(points, columns=["latency", "acc"]).assign(value=0.0, architecture="x")
    return frame.assign(family="toy", device="gpu", region=region, score=score, seed=seed)


@pytest.fixture(scope="module")
def known(panel: Panel, judges: dict[str, frontiers.Judge]) -> pareto_regions.Frontiers:
    return {("toy", "gpu"): frontier(panel, judges)}


@pytest.fixture(scope="module")
def noisy(panel: Panel, judges: dict[str, frontiers.Judge]) -> pareto_regions.Frontiers:
    return {("toy", "gpu"): frontier(panel, judges, noisy=True)}


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


# -------------------------------------------------------------------- verdict

Share = Callable[[int, int], float]  # of panel and region


def judged(share: Share, score: str = "norm", panels: int = 6, regions: int = 3, seed: int = 0) -> pd.DataFrame:
    rows = [
        (f"family {panel % 2}", f"device {panel // 2}", f"region {region}", score, seed, share(panel, region))
        for panel in range(panels)
        for region in range(regions)
    ]
    frame = pd.DataFrame(rows, columns=[*pareto_regions.KEY, "share"])
    return frame.assign(networks=243, noisy_share=1.0, any_share=0.0, new_share=1.0, beaten=0.1, gained=0.01)


@pytest.mark.parametrize(
    ("passing", "text"), [(6, "supported"), (5, "supported"), (4, "partly"), (3, "partly"), (2, "not supported")]
)
def test_five_of_six_panels(passing: int, text: str) -> None:
    verdict = judge_regions(judged(lambda panel, _: float(panel < passing)))
    checks, found = verdict.checks, verdict.word
    assert found == text and checks.holds.sum() == passing and checks.value[0] == "3 of 3 regions"


@pytest.mark.parametrize(("regions", "improved", "holds"), [(3, 2, True), (3, 1, False), (2, 2, True), (2, 1, False)])
def test_two_of_three_regions(regions: int, improved: int, holds: bool) -> None:
    frame = judged(lambda _, region: 0.5 if region < improved else 0.499, regions=regions)  # half is enough
    checks = judge_regions(frame).checks
    assert checks.holds.tolist() == [holds] * 6 and checks.value[0] == f"{improved} of {regions} regions"


def test_seeds_are_averaged_before_the_share_is_compared() -> None:
    high, low = (judged(lambda *_, value=value: value, seed=seed) for seed, value in enumerate((1.0, 0.1)))
    assert judge_regions(pd.concat([high, low])).word == "supported"
    assert judge_regions(pd.concat([high, low, low.assign(seed=2)])).word == "not supported"


def test_only_the_score_that_is_asked_for_counts() -> None:
    both = pd.concat([judged(lambda *_: 0.0), judged(lambda *_: 1.0, "effect")])
    assert judge_regions(both).word == "not supported"
    assert judge_regions(both, "effect").word == "supported"
    ways = ways_to_count(both).set_index(["score", "counted"])
    assert ways.loc[("norm", "region, frontier chosen on noisy labels")].to_list() == ["6 of 6", "supported"]
    assert ways.loc[("effect", "any point, frontier without noise")].to_list() == ["0 of 6", "not supported"]


def test_without_panels_it_is_undecided() -> None:
    nothing = judged(lambda *_: 1.0).iloc[:0]
    assert judge_regions(nothing).word == "undecided"
    assert ways_to_count(nothing).empty and cluster_means(nothing).empty


def test_one_panel_can_pass() -> None:
    assert judge_regions(judged(lambda *_: 1.0, panels=1)).word == "supported"


def test_summary_by_hand() -> None:
    two = pd.concat([judged(lambda *_: 0.5), judged(lambda *_: 0.7, seed=1)])
    summary = cluster_means(two)
    half = 12.706205 * 0.1  # t(0.975, 1) times sd / sqrt(2) of (0.5, 0.7)
    assert summary.loc[0, ["share", "low", "high"]].to_list() == pytest.approx([0.6, 0.6 - half, 0.6 + half])
    assert len(summary) == 18 and set(summary.seeds) == {2} and summary.gained.to_list() == pytest.approx([0.01] * 18)
    assert math.isnan(cluster_means(two[two.seed == 0]).low[0])


# -------------------------------------------------------------------- panels and reduced spaces


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


# -------------------------------------------------------------------- the committed comparison


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
