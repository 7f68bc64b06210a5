"""Samples that lean towards an edge of their space."""

import numpy as np
import pytest

from autobuild_book.measured.extremes import sample_extreme_codes
from autobuild_lib.surrogate import bundled

FAMILIES = ["ofa_mbv3", "ofa_pn"]


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_extreme_samples_reach_both_edges(family: str) -> None:
    space = bundled.SPACES[family]()
    extreme = space.from_codes(sample_extreme_codes(space, np.random.default_rng(0), 4000))
    uniform = space.sample(np.random.default_rng(0), 4000)
    assert all(space.parse(str(a)) == a for a in extreme[:100])
    shallow, deep = sum(u.min_layers for u in space.units), sum(u.max_layers for u in space.units)
    at_edge = [np.mean([sum(a.depths) in (shallow, deep) for a in drawn]) for drawn in (extreme, uniform)]
    assert {shallow, deep} <= {sum(a.depths) for a in extreme} and at_edge[0] > max(0.02, 5 * at_edge[1])
    for choice in ("e3", "e6", "k3", "k7"):
        shares = [[str(a).count(choice) / sum(a.depths) for a in drawn] for drawn in (extreme, uniform)]
        assert max(shares[0]) == 1 > 0.95 > max(shares[1]) and np.std(shares[0]) > 1.5 * np.std(shares[1])
