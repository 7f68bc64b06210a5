"""Spaces with links in tables, files, searches, predictors, scores and reduced spaces."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import autobuild_lib as ab
from autobuild_lib.data.table import DataError, Table
from autobuild_lib.search import StageMutation, evolve
from autobuild_lib.units.reduced import GroupContents, ReducedSpace
from tests.helpers.redrawn import Redrawn

WORTH = {"a": 0.0, "b": 1.0, "c": 2.5}
LINKS = {"wide": [[], [], [0, 1], [2]], "deep": [[], [0], [1], [2]], "open": [[], [], [], [2]]}
UNITS = [ab.Unit(1, 2), ab.Unit(1, 2), ab.Unit(1, 2), ab.Unit(1, 1, score_with_previous=True)]


@pytest.fixture(scope="module")
def linked() -> ab.SequenceSpace:
    """Units 0 and 1 may change places in two of the links; a global feature stands before them in the code."""
    return ab.SequenceSpace("linked", UNITS, {"op": list(WORTH)}, {"r": [1, 2]}, links=LINKS)


def worth(architecture: ab.Architecture) -> float:
    layers = [layer for unit in architecture.to_lists() for layer in unit]
    return sum(WORTH[layer] for layer in layers) + len(layers) / 7


def labels(architectures: list[ab.Architecture]) -> pd.DataFrame:
    return pd.DataFrame({"acc": [worth(a) for a in architectures], "cost": [9 + worth(a) ** 2 for a in architectures]})


@pytest.fixture(scope="module")
def table(linked: ab.SequenceSpace) -> Table:
    drawn = list(dict.fromkeys(linked.canonical(a) for a in linked.sample(150, 0)))
    return ab.data.from_records(linked, [(a, {"acc": worth(a)}) for a in drawn])


def test_rows_about_one_graph_are_duplicates(linked: ab.SequenceSpace, tmp_path: Path) -> None:
    rows = [("r1|wide|a|b|c|a", 1.0), ("r1|wide|b|a,a|c|a", 5.0), ("r1|wide|b|a|c|a", 2.0), ("r2|wide|a|b|c|a", 3.0)]
    path = tmp_path / "rows.csv"
    path.write_text("architecture,acc\n" + "\n".join(f'"{text}",{acc}' for text, acc in rows))
    with pytest.raises(DataError, match=r"row 4: .*r1\|wide\|b\|a\|c\|a .*isomorphic.* row 2"):
        ab.data.load(path, space=linked)
    mean = ab.data.load(path, space=linked, duplicates="mean")
    assert [str(a) for a in mean.architectures] == [text for text, _ in (rows[0], rows[1], rows[3])]
    assert mean.labels["acc"].tolist() == [1.5, 5.0, 3.0] and mean.rows == (2, 3, 5)
    records = [(linked.parse(text), {"acc": acc}) for text, acc in rows]
    assert ab.data.from_records(linked, records, duplicates="mean").labels.equals(mean.labels)


def test_a_file_gives_the_table(linked: ab.SequenceSpace, table: Table, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    table.labels.assign(architecture=list(map(str, table.architectures))).to_csv(path, index=False)
    again = ab.data.load(path, space=linked)
    assert again.architectures == table.architectures and {a.links for a in again.architectures} == {
        tuple(map(tuple, rows)) for rows in LINKS.values()
    }


@pytest.mark.parametrize("name", ["redrawn", "stage"])
def test_searches_evaluate_no_graph_twice(linked: ab.SequenceSpace, name: str) -> None:
    reduced = ReducedSpace.full(linked, r=1, links="wide")
    mutation: Any = Redrawn(linked) if name == "redrawn" else StageMutation(reduced)
    options: dict[str, Any] = {"start": 20, "rounds": 3, "mutations": 20, "progress": False}
    done = evolve(mutation, labels, maximise="acc", minimise="cost", **options)
    assert len({linked.canonical(a) for a in done.architecture}) == len(done) == 80
    chosen = {a.global_features["links"] for a in done.architecture}
    assert chosen == (set(LINKS) if name == "redrawn" else {"wide"})


def test_a_search_ends_when_all_graphs_were_seen() -> None:
    space = ab.SequenceSpace("s", [ab.Unit(1, 1)] * 3, {"op": ["a", "b"]}, links=[[]] * 3)
    options: dict[str, Any] = {"start": 8, "rounds": 1, "mutations": 1, "progress": False}
    assert len(evolve(StageMutation(ReducedSpace.full(space)), labels, maximise="acc", minimise="cost", **options)) == 4


def test_reduced_spaces_list_a_graph_once(linked: ab.SequenceSpace) -> None:
    rng = np.random.default_rng(0)
    groups = []
    for group in linked.scoring_groups:
        codes = rng.permutation(group.contents())[:8]
        groups.append(GroupContents(codes, -np.sort(-rng.integers(0, 4, len(codes)).astype(float))))
    reduced = ReducedSpace(linked, linked.encode_globals({"r": 2, "links": "open"}), tuple(groups))
    every = linked.from_codes(reduced.codes())
    first = {linked.canonical(a): a for a in reversed(every)}
    assert len(every) == reduced.size == 512 and len(first) < 512
    listed = list(reduced)
    assert set(listed) == set(first.values()) and sorted(listed, key=every.index) == listed
    for n in (0, 1, 7, len(first), len(first) + 5):
        best = reduced.best(n)
        assert len(best) == min(n, len(first)) == len({linked.canonical(a) for a in best})
        order = sorted(every, key=lambda a: -reduced.scores([a])[0])
        once = list(dict.fromkeys(linked.canonical(a) for a in order))
        assert [linked.canonical(a) for a in best] == once[:n]


@pytest.mark.parametrize("score", ["norm", "effect"])
def test_predictors_scores_and_files(linked: ab.SequenceSpace, table: Table, tmp_path: Path, score: str) -> None:
    predictor = ab.fit(linked, table, "acc", epochs=1, width=4, progress=False)
    corpus = ab.score_units(predictor, score, {"links": "deep"}, hosts=2, progress=False)
    counts = corpus.table.groupby("unit").size().tolist()
    assert counts == [12, 12, 36] and np.isfinite(corpus.table.score).all()
    assert corpus.head == linked.encode_globals({"r": 2, "links": "deep"})
    best = corpus.top(2).best(3)
    assert {tuple(a.global_features.values()) for a in best} == {(2, "deep")}
    corpus.top(2).save(tmp_path / "reduced.json")
    assert ReducedSpace.load(tmp_path / "reduced.json").best(3) == best
    predictor.save(tmp_path / "predictor")
    again = ab.load(tmp_path / "predictor")
    assert again.space == linked and np.array_equal(again.predict(best), predictor.predict(best))
    listed = ab.score_units(predictor, score, hosts=2, progress=False).head
    assert listed == linked.encode_globals({"r": 2, "links": "open"})  # the last, as of any feature with texts
    with pytest.raises(ab.SpaceError, match="wide, deep, open"):
        ab.score_units(predictor, score, {"links": "narrow"}, progress=False)


def test_networks_are_built_of_paths_only() -> None:
    family = ab.spaces.ofa_mbv3()
    links = [[], [0], [0, 1], [2], [3]]
    other = ab.SequenceSpace.from_json({**family.to_json(), "links": links})
    architecture = other.sample(1, 0)[0]
    with pytest.raises(ab.SpaceError, match="no networks"):
        ab.networks.build(architecture)
    assert architecture not in family and family.sample(1, 0)[0] not in other


def test_every_pair_of_links_may_be_mixed_in_a_table(linked: ab.SequenceSpace) -> None:
    drawn = [linked.architecture([["a"], ["b"], ["c"], ["a"]], r=1, links=name) for name in LINKS]
    together = linked.predecessors(linked.to_codes(drawn))
    alone = [linked.predecessors(linked.to_codes([a])) for a in drawn]
    for parts, whole in zip(zip(*alone, strict=True), together, strict=True):
        assert np.array_equal(np.concatenate(parts), whole)
    assert len({str(pair) for pair in alone}) == len(LINKS)
