"""Compiled loops work where nothing can be written, and it is said once that they are being compiled."""

import logging
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pytest
from numba.core import event

from autobuild_lib.engine import kernels

NO_CACHE = "cannot cache function: no locator available"  # what numba says where no folder can be written
WITHOUT_A_CACHE = """
import numba, numpy as np
real = numba.njit
def njit(*functions, cache=False, **options):
    if cache:
        raise RuntimeError
    return real(*functions, **options)
numba.njit = njit
from autobuild_lib.engine import kernels
x, starts, members = np.ones((1, 3, 2), np.float32), np.array([0, 1, 3]), np.array([0, 1, 2])
print(kernels.pool(x, starts, members, np.ones(3, np.float32)).tolist())
"""


@pytest.fixture
def uncached(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numba refuses to keep what it compiles, as where neither the package nor the home can be written."""
    compile_ = numba.njit

    def njit(*functions: Callable[..., Any], cache: bool = False, **options: Any) -> Callable[..., Any]:
        if cache:
            raise RuntimeError(NO_CACHE)
        return compile_(*functions, **options)  # type: ignore[no-any-return]

    monkeypatch.setattr(numba, "njit", njit)


def total(x: Any) -> Any:
    """A loop as those of the module."""
    result = 0.0
    for v in range(len(x)):
        result += x[v]
    return result


@pytest.mark.usefixtures("uncached")
def test_loops_that_cannot_be_kept_are_compiled_and_it_is_said_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(total, "__module__", kernels.__name__)
    kernels.compiled(total)(np.arange(3.0))  # from here on the module itself has spoken
    caplog.clear()
    caplog.set_level(logging.INFO, logger=kernels.__name__)
    with event.install_listener("numba:compile", kernels._Announcement()):
        loop = kernels.compiled(total)
        assert caplog.records == []  # nothing is compiled before it is called
        assert loop(np.arange(4.0)) == 6 and loop(np.arange(4)) == 6  # compiled for each type
        assert kernels.compiled(total)(np.arange(3.0)) == 3
    assert [record.name for record in caplog.records] == [kernels.__name__]


def test_a_process_without_a_cache_computes_the_same() -> None:
    run = subprocess.run([sys.executable, "-c", WITHOUT_A_CACHE], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[[[1.0, 1.0], [2.0, 2.0]]]"


@pytest.mark.parametrize("name", ["attend", "attend_backward", "normalise", "normalise_backward", "pool", "some_rows"])
def test_loops_are_kept_for_the_next_process(name: str) -> None:
    assert type(getattr(kernels, name)._cache).__name__ == "FunctionCache"


def test_attention_does_not_depend_on_where_arrays_lie() -> None:
    # Arrays of eight channels, which often lie closer together than a vector is wide.
    rng = np.random.default_rng(0)
    shapes = {"rows": (1, 5, 16), "shift": (1, 16), "attention": (1, 8), "bias": (1, 8)}
    values = [rng.normal(size=shape).astype(np.float32) for shape in shapes.values()]
    starts, sources = np.arange(0, 11, 2), np.array([0, 0, 1, 0, 2, 1, 3, 2, 4, 3])  # each reads itself and another
    results, elsewhere = set(), []
    for number in range(300):
        arguments = [np.copy(value) for value in values]
        elsewhere.append((arguments if number % 3 else None, np.empty(rng.integers(1, 40), np.float32)))
        new, weights = kernels.attend(*arguments, starts, sources, np.ones(10, np.float32))
        results.add(new.tobytes() + weights.tobytes())
    assert len(results) == 1
