"""Graphs that the library makes from architectures are what tracing finds in their modules."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import autobuild_lib as ab
from autobuild_book.tracing import ir_from_module
from autobuild_lib.graphs import ir_graph
from tests.autobuild_lib.graphs.test_ofa_ir import SPACES, built, draw


def traced_alike(architecture: ab.Architecture) -> None:
    made, traced = ir_graph(architecture), ir_from_module(*built(architecture))
    for name in ("operations", "shapes", "attributes", "edges"):
        np.testing.assert_array_equal(getattr(made, name), getattr(traced, name), err_msg=name, strict=True)


@pytest.mark.parametrize("family", SPACES)
def test_it_is_what_torch_export_finds_in_the_module(family: str) -> None:
    traced_alike(draw(family, 0))


@pytest.mark.slow
@settings(max_examples=12)
@given(st.sampled_from(sorted(SPACES)), st.integers(1, 10**6))
def test_it_is_what_torch_export_finds_in_any_module(family: str, seed: int) -> None:
    traced_alike(draw(family, seed))
