"""Answers that leave a student's process arrive as what they were, and nonsense does no harm."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, strategies as st

import autobuild_lib as ab
from autobuild_book.labs.grading.transport import Decoder, Encoder, Odd


def carried(value: Any, folder: Path = Path("unused")) -> Any:
    encoder = Encoder(folder)
    message = json.loads(json.dumps(encoder.encode(value), allow_nan=False))

    def call(number: int, arguments: tuple[Any, ...]) -> Any:
        return encoder.encode(encoder.functions[number](*arguments))

    return Decoder(folder, call).decode(message)


plain = st.none() | st.booleans() | st.integers(-(10**299), 10**299) | st.floats(allow_nan=False) | st.text(max_size=5)
nested = st.recursive(plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner))


@given(nested)
def test_plain_values_arrive_as_they_were(value: Any) -> None:
    assert carried(value) == value


def test_other_numbers() -> None:
    assert math.isnan(carried(math.nan)) and carried([math.inf, -math.inf]) == [math.inf, -math.inf]
    assert carried(np.float32(0.5)) == 0.5 and carried(np.True_) is True
    assert carried(...) is ... and carried({1, 2}) == {1, 2} and carried((1, 2)) == [1, 2]
    assert list(carried(n for n in range(3))) == [0, 1, 2]
    assert isinstance(carried(10**400), Odd) and isinstance(carried(1j), Odd)


def test_arrays_and_tables() -> None:
    array = np.array([[1.5, math.nan], [3, 4]])
    for value in (array, torch.tensor(array, requires_grad=True)):
        np.testing.assert_array_equal(carried(value), array)
    assert carried(np.array([True, False])).dtype == bool and carried(np.zeros(0)).shape == (0,)
    assert carried(np.array([..., "a"], dtype=object)).tolist() == [..., "a"]
    series = pd.Series([1.0, 2.0], index=["a", "b"])
    pd.testing.assert_series_equal(carried(series), series)
    frame = pd.DataFrame({"module": ["x", "y"], "score": [1.0, 2.0]}, index=[3, 4])
    pd.testing.assert_frame_equal(carried(frame), frame)


def test_what_the_library_makes(table: ab.data.Table, predictor: ab.Predictor, tmp_path: Path) -> None:
    networks = list(table.architectures[:3])
    assert carried(networks) == networks and str(carried(ab.Target("acc / latency_gpu"))) == "acc / latency_gpu"
    train, _ = table.take(range(20)).split(0.5, seed=1)
    part = carried(train)
    assert part.architectures == train.architectures and part.part == train.part
    pd.testing.assert_frame_equal(part.labels, train.labels)
    same = carried(predictor, tmp_path / "predictor")
    np.testing.assert_array_equal(same.predict(networks), predictor.predict(networks))
    assert same.provenance == predictor.provenance
    reduced = ab.score_units(predictor).top(k=2)
    assert list(carried(reduced, tmp_path)) == list(reduced)


def test_functions_are_called_where_they_are() -> None:
    def pair(a: float, b: float) -> tuple[float, float]:
        return b, a

    remote = carried(pair)
    assert remote.__name__ == "pair" and remote(1, 2) == [2, 1]


class Hostile:
    def __iter__(self) -> Any:
        raise SystemError

    def __repr__(self) -> str:
        raise KeyError


def endless() -> Any:
    while True:
        yield 0


def test_odd_objects_arrive_as_texts() -> None:
    assert isinstance(carried(Hostile()), Odd) and isinstance(carried(object()), Odd)
    loop: list[Any] = []
    loop.append(loop)
    assert carried(loop)[0][0]
    assert len(list(carried(endless()))) == 100_001  # one more than a check takes


@pytest.mark.parametrize("message", [
    {}, {"call": 1}, {"path": "/etc/passwd"}, {"predictor": "/etc/passwd"}, {"predictor": "../x"},
    {"reduced": "answer-9"}, {"array": [1], "shape": [7]}, {"architecture": "rm -rf"},
    {"frame": 3, "index": []}, {"target": "__import__('os')"},
    {"table": ["x"], "space": "nowhere", "rows": [0], "labels": {}, "texts": {}}, {"float": "__class__"},
    {"array": [1], "shape": [1], "decode": 3}, {"pairs": [[[], 1]]}, {"a b": 1},
])  # fmt: skip
def test_messages_that_no_honest_process_sends(message: Any, tmp_path: Path) -> None:
    decoder = Decoder(tmp_path, lambda *_: None)
    assert isinstance(decoder.decode(message), Odd)
    assert isinstance(decoder.decode([message])[0], Odd)
