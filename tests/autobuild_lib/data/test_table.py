"""Tables: rows are checked when a table is made, and splits neither overlap nor change."""

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, strategies as st

import autobuild_lib as ab
from autobuild_lib.data import DataError, Table


@given(st.floats(0.02, 0.98), st.integers(0, 2**32))
def test_split_parts_share_nothing_and_lose_nothing(toy_table: Table, fraction: float, seed: int) -> None:
    first, second = toy_table.split(fraction, seed=seed)
    assert len(first) == round(fraction * 150) and not set(first.architectures) & set(second.architectures)
    assert set(first.architectures) | set(second.architectures) == set(toy_table.architectures)
    rows = {a: tuple(labels) for a, labels in zip(toy_table.architectures, toy_table.labels.to_numpy(), strict=True)}
    for part in (first, second):
        assert [rows[a] for a in part.architectures] == list(map(tuple, part.labels.to_numpy()))
        assert list(part.labels.index) == list(range(len(part)))


def test_split_depends_on_the_seed_alone(toy_table: Table) -> None:
    first, again, other = (toy_table.split(0.9, seed=s)[1].architectures for s in (12345, 12345, 1))
    assert first == again != other and toy_table.split()[1].architectures == first


@pytest.mark.parametrize("fraction", [0, 1, -0.5, 2, 0.001, 0.999, float("nan")])
def test_both_parts_need_a_row(toy_table: Table, fraction: float) -> None:
    with pytest.raises(ValueError, match="cannot split 150 rows at"):
        toy_table.split(fraction)


def test_take_keeps_labels_beside_their_architectures(toy: ab.SequenceSpace) -> None:
    drawn = list(dict.fromkeys(toy.sample(np.random.default_rng(0), 6)))
    table = ab.data.from_records(toy, [(a, {"y": float(i), "z": -i}) for i, a in enumerate(drawn)], source="mine")
    taken = table.take([3, 0])
    assert taken.architectures == (drawn[3], drawn[0]) and taken.labels.to_numpy().tolist() == [[3, -3], [0, 0]]
    assert taken.source == "mine" and taken.kind == "yours" and len(table) == 6
    described = {"kind": "yours", "source": "mine", "rows": 6, "labels": ["y", "z"], "sha256": table.sha256}
    described["part"] = "all"
    assert table.describe() == described


def test_a_target_that_is_not_finite_names_the_rows_of_the_source(toy: ab.SequenceSpace) -> None:
    drawn = list(dict.fromkeys(toy.sample(np.random.default_rng(0), 60)))[:50]
    records = [(a, {"y": 1.0, "z": float(row not in (7, 30))}) for row, a in enumerate(drawn)]
    train, test = ab.data.from_records(toy, records, source="mine").split(0.5, seed=0)
    found = []
    for part in (train, test, train.take(range(24, -1, -1))):
        bad = [drawn.index(a) for a, z in zip(part.architectures, part.labels["z"], strict=True) if z == 0]
        assert part.rows == tuple(map(drawn.index, part.architectures))
        found += bad
        if bad:
            shown = ", ".join(map(str, bad))
            message = (
                rf"^mine: target y / z is not finite in {len(bad)} of 25 rows: {shown} \(row {bad[0]}: y = 1, z = 0"
            )
            with pytest.raises(DataError, match=message):
                part.evaluate(ab.Target("y / z"))
    assert set(found) == {7, 30}
    np.testing.assert_array_equal(train.evaluate(ab.Target("y + z")), 1 + train.labels["z"])
    with pytest.raises(DataError, match=r"mine: target x: .*'x'; .*: y, z"):
        train.evaluate(ab.Target("x"))


def test_checksum_sees_every_cell(toy: ab.SequenceSpace) -> None:
    drawn = list(dict.fromkeys(toy.sample(np.random.default_rng(0), 3)))

    def checksum(architectures: list[ab.Architecture], last: float, name: str = "y") -> str:
        values = [0.0, 1.0, last]
        return ab.data.from_records(toy, [(a, {name: v}) for a, v in zip(architectures, values, strict=True)]).sha256

    seen = [checksum(drawn, 2.0), checksum(drawn, 2.5), checksum(drawn, 2.0, "z"), checksum(drawn[::-1], 2.0)]
    assert len(set(seen)) == 4 and checksum(drawn, 2.0) == seen[0]


def test_records_of_another_resolution_set_are_adopted() -> None:
    three, one = ab.spaces.ofa_mbv3(resolutions=(192, 224)), ab.spaces.ofa_mbv3()
    architecture = three.from_lists([["mbconv3_e3_k3"] * 2] * 5, resolution=224)
    assert ab.data.from_records(one, [(architecture, {"acc": 1})]).architectures[0].space == one


WIDE = "identity_ratio1,identity_ratio1|width16;identity_ratio1|identity_ratio1"
NARROW = WIDE.replace("width16", "width32")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([{"y": 1.0}, {"y": float("inf")}], "records, row 1: .* inf; .* finite"),
        ([{"y": "many"}, {"y": 1.0}], "row 0: label y is 'many'"),
        ([{"y": "0.5"}, {"y": 1.0}], "row 0: label y is '0.5'"),
        ([{"y": 1.0}, {"y": 1j}], "row 1: label y is 1j"),
        ([{"y": 1.0}, {"y": True}], "row 1: label y is True"),
        ([{"y": 1.0}, {"y": np.datetime64("2020-01-01", "ns")}], "row 1: label y is .*2020"),
        ([{"y": 1.0}, {"y": torch.ones(2)}], r"row 1: label y is tensor\(\[1., 1.\]\)"),
        ([{"y\n": 1.0}] * 2, r"'y\\n' is no name"),
        ([{0: 1.0}] * 2, "0 is no name"),
        ([{"architecture": 1.0}] * 2, "distinct names other than 'architecture'"),
        ([{"y": 1.0}, {"z": 1.0}], r"row 1: labels \['z'\], .* \['y'\]"),
        ([{"y": 1.0}, {"y": 1.0, "z": 1.0}], r"row 1: labels \['y', 'z'\], .* \['y'\]"),
        ([{}, {}], "there is no label"),
    ],
)
def test_wrong_labels_name_their_row(toy: ab.SequenceSpace, labels: list[dict[Any, Any]], message: str) -> None:
    with pytest.raises(DataError, match=message):
        ab.data.from_records(toy, zip([toy.parse(WIDE), toy.parse(NARROW)], labels, strict=True))


def test_other_wrong_records(toy: ab.SequenceSpace) -> None:
    row = (toy.parse(WIDE), {"y": 1.0})
    with pytest.raises(DataError, match="mine: there are no rows"):
        ab.data.from_records(toy, [], source="mine")
    with pytest.raises(DataError, match=r"row 1: architecture identity_ratio1,.* .*row 0"):
        ab.data.from_records(toy, [row, row])
    for stranger in (ab.spaces.ofa_pn().sample(np.random.default_rng(0)), WIDE):
        with pytest.raises(DataError, match=r"row 1: .* space 'toy'"):
            ab.data.from_records(toy, [row, (stranger, {"y": 1.0})])  # type: ignore[list-item]


NUMBERS = [torch.tensor(0.5, requires_grad=True), np.array([0.5]), np.float32(0.5), Decimal("0.5"), pd.Series([0.5])]


@pytest.mark.parametrize("value", NUMBERS, ids=lambda value: type(value).__name__)
def test_labels_in_any_form_of_a_number(toy: ab.SequenceSpace, value: Any) -> None:
    table = ab.data.from_records(toy, [(toy.parse(WIDE), {"y": value}), (toy.parse(NARROW), {"y": 1})])
    assert table.labels.dtypes["y"] == np.float64 and table.labels["y"].tolist() == [0.5, 1.0]


@pytest.mark.parametrize("value", [None, float("nan"), pd.NA], ids=repr)
def test_a_missing_label_is_an_error_only_of_a_target_that_uses_it(toy: ab.SequenceSpace, value: Any) -> None:
    rows = [(toy.parse(WIDE), {"y": 1.0, "z": value}), (toy.parse(NARROW), {"y": 2.0, "z": 3.0})]
    table = ab.data.from_records(toy, rows, source="mine")
    assert table.evaluate(ab.Target("y")).tolist() == [1.0, 2.0]
    for part in (table, table.take([1, 0])):
        with pytest.raises(DataError, match=r"y \+ z: .* missing in 1 of 2 rows: 0; .*complete"):
            part.evaluate(ab.Target("y + z"))
        kept = part.complete("y + z")
        assert kept.rows == (1,) and kept.evaluate(ab.Target("y + z")).tolist() == [5.0]
    assert table.complete("y") is table
    with pytest.raises(DataError, match="missing in all 1 rows"):
        table.take([0]).complete("z")


def test_several_measurements_of_an_architecture_are_averaged_when_asked_for(toy: ab.SequenceSpace) -> None:
    wide, narrow = toy.parse(WIDE), toy.parse(NARROW)
    rows = [(wide, {"y": 1, "z": None}), (narrow, {"y": 7, "z": 4}), (wide, {"y": 2, "z": 5}), (wide, {"y": 6, "z": 7})]
    with pytest.raises(DataError, match=r'row 2: architecture .* row 0 .*duplicates="mean"'):
        ab.data.from_records(toy, rows)
    table = ab.data.from_records(toy, rows, duplicates="mean")
    assert table.architectures == (wide, narrow) and table.rows == (0, 1)
    assert table.labels.to_dict("list") == {"y": [3.0, 7.0], "z": [6.0, 4.0]}
    once = [(wide, {"y": 3.0, "z": 6.0}), (narrow, {"y": 7.0, "z": 4.0})]
    assert table.sha256 == ab.data.from_records(toy, once).sha256
    with pytest.raises(ValueError, match="duplicates='median'; choose from refuse, mean"):
        ab.data.from_records(toy, once, duplicates="median")
