"""Stage-wise search: growth by hand, what stands for networks that nobody trained, and the measurement."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from autobuild_book.chapters.neighbours.stagewise import measure
from autobuild_book.chapters.neighbours.stagewise.growth import Record, deepen, grow, growing, shallow, step
from autobuild_book.chapters.neighbours.stagewise.sources import Trained, load_source
from autobuild_lib.data.table import make_table
from autobuild_lib.spaces import Codes, SequenceSpace, Unit

SPACE = SequenceSpace("stages", [Unit(1, 2), Unit(1, 3)], {"op": ["a", "b"]})
Code = npt.NDArray[np.uint8]
LABELS = {"a|a": 0.0, "a,a|a": 1.0, "a|a,a": 2.0, "a,a|a,a": 1.5, "a|a,a,a": 2.5, "a,a|a,a,a": 2.2}


def code(text: str) -> Code:
    return SPACE.to_codes([SPACE.parse(text)])[0]


def texts(codes: Codes) -> list[str]:
    return [str(each) for each in SPACE.from_codes(codes)]


def record(labels: Mapping[str, float], budget: int = 100) -> Record:
    return Record(lambda codes: np.array([labels[text] for text in texts(codes)]), budget)


def depth(codes: Codes) -> npt.NDArray[np.float64]:
    return SPACE.depths(codes).sum(1).astype(np.float64)


def test_a_stage_repeats_its_last_module() -> None:
    start = code("a|b")
    assert texts(np.array([deepen(SPACE, start, [1]), deepen(SPACE, start, [0, 1])])) == ["a|b,b", "a,a|b,b"]
    assert texts(start[None]) == ["a|b"], "the network itself stays"
    assert growing(SPACE, start) == [0, 1] and growing(SPACE, code("a,a|b")) == [1]


def test_a_start_is_shallow_with_the_same_module_all_over_a_stage() -> None:
    space = SequenceSpace("wide", [Unit(2, 4, features={"width": [1, 2]}), Unit(1, 2)], {"op": ["a", "b", "c"]})
    starts = {str(space.from_codes(shallow(space, np.random.default_rng(seed))[None])[0]) for seed in range(200)}
    expected = {f"width{w};{x},{x}|{y}" for w in (1, 2) for x in "abc" for y in "abc"}
    assert starts == expected


def test_iterations_by_hand() -> None:
    search = record(LABELS)
    second = step(SPACE, code("a|a"), search)
    assert second is not None and texts(second[None]) == ["a|a,a"]
    assert texts(search.codes) == ["a|a", "a,a|a", "a|a,a", "a,a|a,a"], "both stages gain, so both are deepened, too"
    third = step(SPACE, second, search)
    assert third is not None and texts(third[None]) == ["a|a,a,a"]
    assert step(SPACE, third, search) is None, "deeper is worse"
    assert len(search.seen) == 6, "what was evaluated is not paid for again"


def test_all_stages_grow_at_once_when_that_is_best() -> None:
    best = step(SPACE, code("a|a"), record({**LABELS, "a,a|a,a": 3.0}))
    assert best is not None and texts(best[None]) == ["a,a|a,a"]
    assert step(SPACE, code("a,a|a,a,a"), record(LABELS)) is None, "nothing left to deepen"


def test_nobody_pays_beyond_the_budget() -> None:
    search = record(LABELS, budget=2)
    assert search([code("a|a"), code("a|a"), code("a|a,a"), code("a,a|a")]).tolist() == [0, 0, 2, -np.inf]
    assert search.full and texts(search.codes) == ["a|a", "a|a,a"]
    assert search([code("a|a,a")]).tolist() == [2]


def test_growing_reaches_the_deepest_where_depth_is_all() -> None:
    for budget in (3, 7):
        assert len(grow(SPACE, Record(depth, budget), np.random.default_rng(0))) == budget
    every = Record(depth, 1000)
    codes = grow(SPACE, every, np.random.default_rng(0))
    uniform = {f"{','.join(x * n)}|{','.join(y * m)}" for x in "ab" for y in "ab" for n in (1, 2) for m in (1, 2, 3)}
    assert set(texts(codes)) <= uniform and max(every.seen.values()) == 5
    assert (codes == grow(SPACE, Record(depth, 1000), np.random.default_rng(0))).all()


def test_the_nearest_trained_network_stands_for_others() -> None:
    rows = ["a|b", "b,b|b,a,a", "a|b,a", "b|a,b,b", "a,b|b,a"]
    table = make_table(SPACE, [SPACE.parse(row) for row in rows], {"acc": [1.0, 2, 3, 4, 5]}, source="t", kind="yours")
    trained = Trained(table)
    nearest = trained.snap()
    assert texts(nearest(code("a|b,b"), (1,))[None]) == ["a|b,a"], "one choice differs"
    assert texts(nearest(code("a,a|b"), (0,))[None]) == ["a,b|b,a"], "as deep in the first stage"
    starts = [texts(nearest(code("a|b"), ())[None])[0] for _ in range(3)]
    assert starts[:2] == ["a|b", "a|b,a"] and len(set(starts)) == 3, "no start twice"
    assert trained.labels(np.array([code("a|b,a"), code("a|b")]))["acc"].tolist() == [3, 1]
    assert trained.reference("acc").tolist() == [1, 2, 3, 4, 5]
    with pytest.raises(KeyError):
        trained.labels(code("b|b")[None])
    assert sorted(texts(trained.draw(np.random.default_rng(0), 5))) == sorted(rows)


def test_random_and_stage_wise_search_see_no_more_than_they_pay_for() -> None:
    labels = dict(zip(["a|a", "a|a,a", "a,a|a,a"], [1.0, 2.0, 3.0], strict=True))
    table = make_table(SPACE, list(map(SPACE.parse, labels)), {"acc": list(labels.values())}, source="t", kind="yours")
    source = Trained(table)
    for seed in range(5):
        best = measure.random(source, 1, seed)["acc"]
        assert best == labels[texts(source.draw(np.random.default_rng([seed, 1]), 1))[0]]
        assert measure.random(source, 3, seed) == measure.stagewise(source, 3, seed) == {"acc": 3.0}


def test_plan_and_its_limits() -> None:
    parts = measure.plan([60, 80], range(2))
    assert len(parts) == 2 * 2 * 3 and len(set(parts)) == len(parts)
    with pytest.raises(ValueError, match="50 evaluations"):
        measure.plan([50], [0])
    with pytest.raises(ValueError, match="no source 'x'"):
        load_source("x")


def test_summary_compares_seed_by_seed() -> None:
    sds = {"stage-wise": [2.0, 3.0], "random": [1.0, 2.0], "AutoBuild": [3.0, 3.0]}
    rows = [("s", "acc", method, 100, seed, 0.0, value) for method in sds for seed, value in enumerate(sds[method])]
    lines = measure.summary(pd.DataFrame(rows, columns=measure.COLUMNS)).set_index("method")
    assert lines["sds"].to_dict() == {"stage-wise": 2.5, "random": 1.5, "AutoBuild": 3.0}
    assert lines.loc["random", ["ahead", "ahead_low", "ahead_high"]].tolist() == [1, 1, 1], "the same in both seeds"
    half = 12.7062 * 0.5  # t(0.975, 1) times the standard error of (-1, 0)
    assert lines.loc["AutoBuild", "ahead_high"] == pytest.approx(-0.5 + half, abs=1e-3)


def test_committed_rows_are_whole_seeds_of_the_plan() -> None:
    rows = measure.SECTION.committed()
    assert list(rows) == measure.COLUMNS and not rows.duplicated(measure.COLUMNS[:5]).any()
    assert sorted(rows["seed"].unique()) == list(measure.SEEDS) and set(rows["method"]) == set(measure.METHODS)
    assert len(rows) == len(measure.SEEDS) * len(measure.BUDGETS) * len(measure.METHODS) * (2 + 2 + 1)
    means = measure.summary(rows).set_index(["source", "target", "budget", "method"])
    assert (means["seeds"] == len(measure.SEEDS)).all() and means["sds"].between(0.5, 10).all()
