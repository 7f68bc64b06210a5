"""Tables of IR graphs: from architectures, from released caches, and what is refused."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

import autobuild_lib as ab
from autobuild_lib.data import DataError, IRTable, Table, ir_table, make_ir_table
from autobuild_lib.graphs import IRGraph, ir_graph
from tests.helpers.random_dags import random_dag

# -------------------------------------------------------------------- tables


@pytest.fixture(scope="module")
def mixed() -> tuple[Table, Table, IRTable]:
    tables = [ab.data.load(family).take(range(20)) for family in ("ofa_mbv3", "ofa_pn")]
    return *tables, ir_table(tables, progress=False)


def test_families_in_one_table(mixed: tuple[Table, Table, IRTable]) -> None:
    mbv3, pn, both = mixed
    assert len(both) == 40 and both.families == ("ofa_mbv3",) * 20 + ("ofa_pn",) * 20
    assert both.names == tuple(map(str, (*mbv3.architectures, *pn.architectures)))
    assert both.kind == "surrogate" and both.source == "ofa_mbv3 (all) + ofa_pn (all)"
    for table, start in ((mbv3, 0), (pn, 20)):
        pd.testing.assert_series_equal(both.labels["acc"][start:][:20].reset_index(drop=True), table.labels["acc"])
        assert table.noise_free is not None and both.noise_free is not None
        assert list(both.noise_free["acc"][start:][:20]) == list(table.noise_free["acc"])
        same(both.graphs[start + 3], ir_graph(table.architectures[3]))


def same(a: IRGraph, b: IRGraph) -> None:
    for name in ("operations", "shapes", "attributes", "edges"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


def test_split_keeps_rows_together(mixed: tuple[Table, Table, IRTable]) -> None:
    both = mixed[2]
    train, test = both.split(0.9, seed=7)
    assert len(train) == 36 and len(test) == 4 and not set(train.names) & set(test.names)
    for part in (train, test):
        for name, family, graph, acc in zip(part.names, part.families, part.graphs, part.labels["acc"], strict=True):
            row = both.names.index(name)
            assert both.families[row] == family and both.graphs[row] is graph and both.labels["acc"][row] == acc
    assert test.describe() == both.describe() | {"rows": 4, "part": "test of split(0.9, seed=7)"}
    assert test.inputs is test.graphs


def test_only_common_labels_are_joined() -> None:
    mbv3, pn = (ab.data.load(family).take(range(3)) for family in ("ofa_mbv3", "ofa_pn"))
    fewer = ab.data.from_records(pn.space, [(a, {"acc": 0.5 + i}) for i, a in enumerate(pn.architectures)])
    both = ir_table([mbv3, fewer], progress=False)
    assert list(both.labels) == ["acc"] and both.noise_free is None and both.kind == "surrogate + yours"
    other = ab.data.from_records(pn.space, [(a, {"f1": 0.5}) for a in pn.architectures])
    with pytest.raises(DataError, match="there is no label"):
        ir_table([mbv3, other], progress=False)
    with pytest.raises(DataError, match="at least one table"):
        ir_table([])


def small(**change: Any) -> IRTable:
    fields: dict[str, Any] = {
        "graphs": [random_dag(np.random.default_rng(i)) for i in range(3)],
        "labels": pd.DataFrame({"y": [1.0, 2.0, 3.0]}),
        "families": ["f"] * 3,
        "names": ["a", "b", "c"],
    } | change
    return make_ir_table(**fields)


def test_checksum_sees_names_labels_and_graphs() -> None:
    graphs = [random_dag(np.random.default_rng(i)) for i in (0, 1, 3)]
    changes: list[dict[str, Any]] = [{}, {"names": ["a", "b", "d"]}, {"families": ["f", "f", "g"]}, {"graphs": graphs}]
    changes.append({"labels": pd.DataFrame({"y": [1.0, 2.0, 4.0]})})
    assert len({small(**change).sha256 for change in changes}) == 5 and small().sha256 == small().sha256


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"names": ["a", "b"]}, "3 graphs, 3 .* 3 families, 2 names"),
        ({"graphs": [], "labels": pd.DataFrame(), "families": [], "names": []}, "at least one"),
        ({"names": ["a", "b", "a"]}, "row 2: network f a .* row 0"),
        ({"labels": pd.DataFrame({"y": [1.0, np.inf, 3.0]})}, "row 1: label y is .*inf"),
    ],
)
def test_wrong_tables_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        small(**change)
    assert len(small(names=["a", "a", "a"], families=["f", "g", "h"])) == 3
