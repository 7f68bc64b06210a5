"""Numbers as Python, NumPy, pandas and PyTorch give them are read alike; anything else is one line with the value."""

import math
import subprocess
import sys
from contextlib import suppress
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, strategies as st

from autobuild_lib import values

HALVES = [
    0.5, Fraction(1, 2), Decimal("0.5"), np.float32(0.5), np.longdouble(0.5), np.array(0.5), np.array([0.5]),
    np.array([[0.5]]), torch.tensor(0.5), torch.tensor([0.5], requires_grad=True), pd.Series([0.5]),
    torch.tensor(0.5, dtype=torch.bfloat16), np.array([0.5], dtype=object), pd.array([0.5])[0],
]  # fmt: skip
MISSING = [None, pd.NA, float("nan"), np.ma.masked, np.ma.array([1.0], mask=[True]), pd.Series([pd.NA], dtype="Int64")]
NOT_NUMBERS = [
    True, np.True_, torch.tensor(True), pd.Series([True]), 1j, np.complex64(1), torch.tensor(1j), date(2020, 1, 1),
    pd.Timestamp("2020-01-01"), np.datetime64("2020-01-01", "ns"), np.timedelta64(3, "s"), pd.NaT, "0.5", b"0.5", "",
    [0.5], torch.ones(2), torch.empty(1, device="meta"), np.array(["0.5"]), Decimal("sNaN"), 10**400, 10**5000,
    pd.Series(pd.to_datetime(["2020-01-01"])), object(),
]  # fmt: skip


@pytest.mark.parametrize("value", HALVES, ids=repr)
def test_one_number_in_any_form(value: Any) -> None:
    found = values.real(value, "label acc")
    assert type(found) is float and found == 0.5
    assert type(values.finite(value, "label acc")) is float


@pytest.mark.parametrize("value", MISSING, ids=repr)
def test_a_missing_number_is_nan(value: Any) -> None:
    assert math.isnan(values.real(value, "label acc"))
    for read in (values.finite, values.integer):
        with pytest.raises(ValueError, match=r"label acc is .*allowed are"):
            read(value, "label acc")


@pytest.mark.parametrize("value", NOT_NUMBERS, ids=lambda value: type(value).__name__)
def test_anything_else_is_one_line_that_shows_the_value(value: Any) -> None:
    for read in (values.real, values.finite):
        with pytest.raises(ValueError, match=r"^label acc is .*; allowed are .*numbers") as error:
            read(value, "label acc")
        assert "\n" not in str(error.value) and len(str(error.value)) < 200
    with pytest.raises(ValueError, match="label acc"):
        values.reals([0.5, value], "label acc")


@pytest.mark.parametrize("value", [3, 3.0, np.int8(3), np.float64(3), torch.tensor(3), Decimal(3), np.array([3])])
def test_whole_numbers(value: Any) -> None:
    found = values.integer(value, "hops", 1, 3)
    assert type(found) is int and found == 3
    for minimum, maximum in ((4, None), (None, 2)):
        with pytest.raises(ValueError, match=r"hops is .*3"):
            values.integer(value, "hops", minimum, maximum)


@pytest.mark.parametrize("value", [2.5, True, "3", "3.0", float("inf"), Decimal("NaN"), Fraction(7, 2), None, 1e300])
def test_other_than_whole_numbers(value: Any) -> None:
    with pytest.raises(ValueError, match=r"hops is .*; .* 1 to 255"):
        values.integer(value, "hops", 1, 255)


def test_big_whole_numbers_keep_their_digits() -> None:
    assert values.integer(2**63 + 1, "seed") == values.integer(str(2**63 + 1), "seed", text=True) == 2**63 + 1


def test_texts_are_read_when_asked_for() -> None:
    assert values.real("1e-3", "learning_rate", text=True) == 1e-3
    assert values.real(" .5 ", "learning_rate", text=True) == 0.5
    assert values.integer("2.0", "hops", text=True) == 2
    assert math.isnan(values.real("NA", "label acc", text=True)) and math.isnan(values.real("", "acc", text=True))
    assert values.boolean("True", "residual", text=True) is values.boolean(np.array(True), "residual") is True
    for text in ("1_000", "0x10", "١", "1,5", "one", "9" * 61):  # noqa: RUF001
        with pytest.raises(ValueError, match=r"learning_rate is .*; allowed are"):
            values.real(text, "learning_rate", text=True)
    for odd in (1, "yes", None, 0.0):
        with pytest.raises(ValueError, match=r"residual is .*; .*true and false"):
            values.boolean(odd, "residual", text=True)


ROWS = [
    [1, 2.5], (1, np.float32(2.5)), np.array([1, 2.5]), torch.tensor([1, 2.5], requires_grad=True),
    pd.Series([1, 2.5]), pd.array([1, 2.5]), [torch.tensor(1.0), np.array([2.5])], np.ma.array([1, 2.5]),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: type(row).__name__)
def test_rows(row: Any) -> None:
    found = values.reals(row, "acc")
    assert found.dtype == np.float64 and found.tolist() == [1, 2.5]


def test_what_is_missing_in_a_row_is_nan() -> None:
    for row in ([1, None], pd.Series([1, pd.NA], dtype="Int64"), np.ma.array([1, 5], mask=[False, True])):
        np.testing.assert_array_equal(values.reals(row, "acc"), [1, np.nan])


@pytest.mark.parametrize("row", [3, "12", np.ones((2, 2)), torch.tensor(1.0), np.array(1.0), None, torch.ones(2, 2)])
def test_what_is_no_row(row: Any) -> None:
    with pytest.raises(ValueError, match=r"acc.* is .*; allowed are"):
        values.reals(row, "acc")


def test_an_error_names_the_place() -> None:
    with pytest.raises(ValueError, match="row 7 is 'note10'; allowed are numbers"):
        values.reals([1, "note10"], lambda place: f"row {place + 6}")


def test_a_row_is_a_copy() -> None:
    row = np.ones(2)
    values.reals(row, "acc")[0] = 5
    values.reals(pd.Series(row), "acc")[0] = 5
    assert row.tolist() == [1, 1]


@given(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.complex_numbers(), st.dates()))
def test_nothing_but_a_number_or_one_line(value: object) -> None:
    for text in (False, True):
        with suppress(ValueError):
            assert type(values.real(value, "x", text=text)) is float


def test_importing_it_does_not_load_torch() -> None:
    code = "import sys, autobuild_lib.values; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
