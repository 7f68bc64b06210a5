"""Regions of the front of trained networks: exponents by hand, shares by brute force, and the verdict."""

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest

import autobuild_lib as ab
from autobuild_book.chapters.shared.models.autobuild import AutoBuild
from autobuild_book.chapters.shared.models.registry import MODELS
from autobuild_book.chapters.trained import regions, regions_figures, regions_results
from autobuild_book.chapters.trained.regions import KNOWN, REGIONS, Field, RegionsPart, equation, exponents
from autobuild_book.chapters.trained.truth import GRAPHS, Truth
from autobuild_book.figures.style import Picture
from autobuild_lib.units.reduced import ReducedSpace
from tests.helpers.trees import trees_truth

TREES_TRUTH = trees_truth()
SIZE = 60
TINY = AutoBuild("tiny", "tuned", (("epochs", 2),))


@pytest.fixture(autouse=True)
def truth(monkeypatch: pytest.MonkeyPatch) -> Truth:
    monkeypatch.setattr(regions, "load_truth", lambda source: TREES_TRUTH)
    monkeypatch.setitem(MODELS, TINY.name, TINY)
    return TREES_TRUTH


def labels(*pairs: tuple[float, float]) -> pd.DataFrame:
    return pd.DataFrame(pairs, columns=["acc", "latency"])


def test_exponents_by_hand() -> None:
    """In logarithms, accuracy 1, 2, 3 at latency 0, 2, 10; the fastest is the best up to 2, the last one from 8 on."""
    front = labels((10, 1), (100, 100), (1000, 1e10))
    dominated = labels((5, 2), (90, 200))
    fast = pytest.approx(4 / 3, abs=0.005)  # at least three times smaller than the middle
    assert exponents(pd.concat([front, dominated])) == {"fast": fast, "middle": 4, "accurate": 12}
    wide = exponents(labels((10, 1), (100, 10**0.5), (1000, 1e10)))
    assert wide == {"fast": 0.5, "middle": pytest.approx(np.sqrt(0.5 * 9.5), abs=0.005), "accurate": 9.5}


@pytest.mark.parametrize("front", [labels((70, 3)), labels((70, 1), (70 + 1e-10, 3)), labels((50, 1), (60, 2))])
def test_exponents_exist_and_differ_for_any_front(front: pd.DataFrame) -> None:
    values = list(exponents(front).values())
    assert np.isfinite(values).all() and values[0] < values[1] < values[2]
    assert all(np.isfinite(ab.Target(equation(value)).evaluate(front)).all() for value in values)


def test_the_extremes_prefer_the_ends_of_the_front(truth: Truth) -> None:
    for seed in range(5):
        train = regions.subset(truth.table, SIZE, seed)
        chosen = exponents(train.labels)
        targets = [ab.Target(equation(value)) for value in chosen.values()]
        best = [train.labels.iloc[target.evaluate(train.labels).argmax()] for target in targets]
        assert best[0]["latency"] <= best[1]["latency"] <= best[2]["latency"]
        beyond = ab.Target(equation(2 * chosen["accurate"])).evaluate(train.labels).argmax()
        assert train.labels["acc"].iloc[beyond] == train.labels["acc"].max()


def region_of(field: Field, region: str) -> list[tuple[float, float]]:
    """The ceil(n / 3) points of the training front that the equation values most."""
    rows = [tuple(row) for row in field.train.labels[["acc", "latency"]].to_numpy()]
    front = [a for a in rows if not any(b[0] >= a[0] and b[1] <= a[1] and a != b for b in rows)]
    best = sorted(front, key=lambda point: np.log10(point[1]) - field.exponents[region] * np.log10(point[0]))
    return best[: -(-len(front) // 3)]


def test_shares_by_brute_force(truth: Truth) -> None:
    field = Field.draw(truth, SIZE, 1)
    full = [ReducedSpace.full(truth.table.space, links=name) for name in ("0112", "0000")]
    for region, spaces in itertools.product(REGIONS, (full[:1], full)):
        rows = {int(row) for space in spaces for row in truth.rows(space.codes())} - {-1}
        share, networks = field.share(region, *spaces)
        assert networks == len(rows)
        points = region_of(field, region)
        labels = TREES_TRUTH.table.labels.loc[list(rows), ["acc", "latency"]].to_numpy()
        wins = [any(acc >= a and ms <= t and (acc > a or ms < t) for a, t in points) for acc, ms in labels]
        assert share == pytest.approx(np.mean(wins))


@pytest.mark.parametrize(
    ("recipe", "scores"),
    [(TINY.name, ["norm", "effect"]), ("additive ridge", ["effect"]), (KNOWN, ["effect"])],
)
def test_a_part_measures_every_score_and_region(recipe: str, scores: list[str]) -> None:
    part = RegionsPart("trees", SIZE, 0, recipe)
    rows = part.measure()
    assert list(rows) == regions.COLUMNS
    assert rows[["score", "region"]].to_numpy().tolist() == [[s, r] for r in REGIONS for s in scores]
    assert rows[[*regions.SHARES, "random"]].apply(lambda c: c.between(0, 1)).all(axis=None)
    assert rows["networks"].between(1, 81).all() and rows["percentile"].between(0, 100).all()
    assert part.key != RegionsPart("trees", SIZE, 1, recipe).key


def test_modules_of_known_effect_are_better_than_chance() -> None:
    rows = pd.concat([RegionsPart("trees", SIZE, seed, KNOWN).measure() for seed in range(4)])
    assert rows["percentile"].mean() > 70


def test_the_plan_has_everything_once() -> None:
    parts = regions.plan((30, 60), range(2), ("a", "b"))
    assert len(set(parts)) == 9 * 2 * 2 * 2


# -------------------------------------------------------------------- verdicts


def measured(shares: dict[str, float], seeds: int = 3, **more: Any) -> pd.DataFrame:
    """Rows where each source has the same share in two regions, and none in the third."""
    rows = [
        {"source": source, "size": 300, "seed": seed, "recipe": recipe, "score": score, "region": region, "networks": 9,
         "share": share * (region != "fast"), "three": 0.0, "nine": 1.0, "predicted": share, "random": 0.1,
         "percentile": 60.0, **more}
        for source, share in shares.items() for seed in range(seeds) for region in REGIONS
        for recipe, score in (("ours", "norm"), ("ours", "effect"), ("additive ridge", "effect"), (KNOWN, "effect"))
    ]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.mark.parametrize(("wins", "word"), [(9, "supported"), (8, "supported"), (7, "partly"), (5, "partly"),
                                            (4, "not supported")])  # fmt: skip
def test_eight_of_nine_data_sets(wins: int, word: str) -> None:
    rows = measured({source: 0.5 if n < wins else 0.49 for n, source in enumerate(GRAPHS)})
    verdict = regions_results.judge(rows, "ours")
    assert verdict.word == word and verdict.held == f"{wins} of 9"
    assert regions_results.judge(rows[rows["source"] != GRAPHS[3]], "ours").word == "undecided"
    assert set(verdict.checks["value"]) <= {"2 of 3 regions", "0 of 3 regions"}
    ways = regions_results.ways_to_count(rows, ["ours"]).set_index(["score", "counted"])["data sets"]
    assert ways["norm", "nine"] == "9 of 9" and ways["effect", "three"] == "0 of 9"


def test_means_and_advantages_by_hand() -> None:
    rows = measured({"p": 0.4, "q": 0.8})
    means = regions_results.mean_shares(rows).set_index(["source", "recipe", "score", "region"])
    assert means.loc[("q", "ours", "norm", "middle"), ["share", "low", "high"]].tolist() == pytest.approx([0.8] * 3)
    gains = regions_results.advantages(rows, "ours").set_index(["score", "other"])
    assert len(gains) == 6
    row = gains.loc[("norm", "random")]
    assert [row["share"], row["other_share"], row["difference"]] == pytest.approx([0.4, 0.1, 0.3])
    assert row["low"] < 0.3 < row["high"] and gains.loc[("effect", "additive ridge"), "difference"] == 0


def test_figures_draw_what_there_is(truth: Truth) -> None:
    means = regions_results.mean_shares(measured({"x:p": 0.4, "x:q": 0.8}))
    figure = regions_figures.region_shares(means, "ours", 300)
    assert isinstance(figure, Picture)
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.get_yticklabels()][:2] == ["p: fast", "p: middle"]
    rows = {region: np.arange(place, place + 5) for place, region in enumerate(REGIONS)}
    drawn = regions_figures.reduced_spaces(truth, truth.points[truth.front], {"norm": rows, "effect": rows})
    assert len(drawn.axes) == 2 and len(drawn.axes[0].collections) == 4
