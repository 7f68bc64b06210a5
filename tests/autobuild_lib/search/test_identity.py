"""What a function depends on: every change counts, equal ones stay equal, and what is unknown is said."""

import functools
import itertools
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import autobuild_lib as ab
from autobuild_lib.search.identity import UnknownIdentityError, identity

MODULE = """
import functools, math, time
import numpy as np
import helpers

BATCH = 1
TABLE = {"a": [1, 2], "b": np.arange(3)}

def scale(x):
    return x * FACTOR

FACTOR = 3

def decorated(function):
    @functools.wraps(function)
    def timed(*given):
        return function(*given) * REPEATS
    return timed

REPEATS = 2

class Base:
    unit = 1000
    def seconds(self):
        return time.perf_counter()

class Phone(Base):
    def __init__(self, cores=4):
        self.cores = cores
    def measure(self, a):
        return self.seconds() * self.unit * self.cores

PHONE = Phone()

@decorated
def measure(a, warm_up=2, *, calls=5):
    inner = lambda x: scale(x) + BATCH
    return inner(len(a)) + TABLE["a"][0] + PHONE.measure(a) + helpers.offset() + math.pi
"""
HELPERS = "OFFSET = 7\ndef offset():\n    return OFFSET\n"


def load(name: str, source: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = ModuleType(name)
    monkeypatch.setitem(sys.modules, name, module)
    exec(source, vars(module))  # noqa: S102
    return module


def of_module(monkeypatch: pytest.MonkeyPatch, source: str = MODULE, helpers: str = HELPERS) -> str:
    load("helpers", helpers, monkeypatch)
    return identity(load("dev", source, monkeypatch).measure)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("BATCH = 1", "BATCH = 2"),
        ('[1, 2], "b"', '[1, 3], "b"'),
        ("np.arange(3)", "np.arange(3.0)"),
        ("return x * FACTOR", "return x + FACTOR"),
        ("FACTOR = 3", "FACTOR = 3.0"),
        ("REPEATS = 2", "REPEATS = 4"),
        ("* REPEATS", "/ REPEATS"),
        ("unit = 1000", "unit = 1"),
        ("time.perf_counter()", "time.process_time()"),
        ("cores=4", "cores=8"),
        ("self.seconds() * ", "self.seconds() + "),
        ("warm_up=2", "warm_up=3"),
        ("calls=5", "calls=6"),
        ("math.pi", "math.tau"),
        ("+ BATCH", "- BATCH"),
        ("@decorated\n", ""),
        ("OFFSET = 7", "OFFSET = 8"),
        ("return OFFSET", "return -OFFSET"),
    ],
)
def test_whatever_it_uses_counts(monkeypatch: pytest.MonkeyPatch, before: str, after: str) -> None:
    unchanged = of_module(monkeypatch)
    assert before in MODULE + HELPERS and of_module(monkeypatch) == unchanged
    assert of_module(monkeypatch, MODULE.replace(before, after), HELPERS.replace(before, after)) != unchanged


@pytest.mark.parametrize(("before", "after"), [("BATCH = 1", "BATCH = 1\nOTHER = 2"), ("\nclass", "\n\n# more\nclass")])
def test_what_it_does_not_use_does_not_count(monkeypatch: pytest.MonkeyPatch, before: str, after: str) -> None:
    assert of_module(monkeypatch, MODULE.replace(before, after)) == of_module(monkeypatch)


class Phone:
    def __init__(self, cores: int) -> None:
        self.cores = cores

    def measure(self, _: object) -> float:
        return float(self.cores)

    __call__ = measure


class Slotted:
    __slots__ = ("cores",)

    def __init__(self, cores: int) -> None:
        self.cores = cores


@dataclass(frozen=True)
class Meter:
    cores: int
    clock: Callable[[], float] = time.thread_time


class Colour(Enum):
    RED = 1
    BLUE = 2


def timed(_: object, batch: float = 1) -> float:
    return batch


def closure(value: object) -> Callable[[], object]:
    return lambda: value


def with_attribute(value: object) -> Callable[[], object]:
    def function() -> object:
        return function.batch  # type: ignore[attr-defined]

    function.batch = value  # type: ignore[attr-defined]
    return function


def without_gradients(value: float) -> Callable[[], float]:
    @torch.no_grad()
    def function() -> float:
        return value

    return function


WAYS: list[Callable[[Any], Any]] = [
    lambda value: functools.partial(timed, batch=value), lambda value: functools.partial(timed, value),
    lambda value: Phone(value), lambda value: Phone(value).measure, Slotted, Meter, closure, with_attribute,
    without_gradients, lambda value: functools.lru_cache(closure(value)), lambda value: {"a": value},
    lambda value: [value], lambda value: {value}, np.float64, np.array, lambda value: np.array([[value]], object),
    lambda value: torch.tensor(value), lambda value: torch.tensor([value], dtype=torch.bfloat16), Decimal,
    lambda value: pd.DataFrame({"a": ["x"], "b": [value]}), lambda value: torch.nn.Linear(value, 2),
    np.random.default_rng, lambda value: list(Colour)[value - 1], lambda value: Path(str(value)),
    lambda value: ab.SequenceSpace("toy", [ab.Unit(1, value)], {"op": ["a"]}),
    lambda value: [Meter(1), Meter(1, time.perf_counter)][value - 1],
    lambda value: [ab.spaces.ofa_mbv3, ab.spaces.ofa_pn][value - 1](),
    lambda value: ab.spaces.ofa_pn().sample(np.random.default_rng(value)), lambda value: [print, len][value - 1],
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(WAYS)))
def test_values_in_every_place_count(number: int) -> None:
    torch.manual_seed(0)
    one = identity(WAYS[number](1))
    torch.manual_seed(0)
    assert identity(WAYS[number](1)) == one != identity(WAYS[number](2))


def counter() -> Iterator[int]:
    yield 1


@contextmanager
def file() -> Iterator[Any]:
    with open(os.devnull) as stream:
        yield stream


def imports_late() -> object:
    from tests.helpers import evaluators

    return evaluators


@pytest.mark.parametrize("thing", [counter(), threading.Lock(), imports_late, closure(counter()),
                                   functools.partial(timed, batch=threading.Lock())])  # fmt: skip
def test_what_cannot_be_known_is_said(thing: object) -> None:
    with pytest.raises(UnknownIdentityError) as caught:
        identity(thing)
    assert "\n" not in str(caught.value)


def test_an_open_file_is_unknown_and_a_logger_is_not() -> None:
    with file() as stream, pytest.raises(UnknownIdentityError, match="TextIOWrapper"):
        identity(closure(stream))
    assert identity(closure(logging.getLogger("a"))) != identity(closure(logging.getLogger("b")))


def test_what_refers_to_itself_has_an_end() -> None:
    knot: list[object] = []
    knot.append(knot)
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert identity(knot) == identity(knot) != identity([])
    with pytest.raises(UnknownIdentityError):
        identity(deep)
    assert len({identity(part) for part in itertools.permutations("abc")}) == 6


def test_every_process_finds_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = MODULE + "\nNAMES = {'a', 'b', 'c'}\n\ndef other(a):\n    return a in NAMES\n"
    (tmp_path / "helpers.py").write_text(HELPERS)
    (tmp_path / "dev.py").write_text(source)
    script = "import dev; from autobuild_lib.search.identity import identity; print(identity([dev.measure, dev.other]))"
    paths = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[3])])
    process = subprocess.run([sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": paths},
                             check=True, capture_output=True, text=True)  # fmt: skip
    load("helpers", HELPERS, monkeypatch)
    dev = load("dev", source, monkeypatch)
    assert process.stdout == f"{identity([dev.measure, dev.other])}\n"
