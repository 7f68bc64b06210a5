"""A cache of panoptic labels as the authors released them."""

import pickle
from pathlib import Path

import numpy as np
import pytest

import autobuild_lib as ab


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache as the authors released them, with labels of panoptic segmentation."""
    rng, entries = np.random.default_rng(0), []
    for one in ab.spaces.ofa_mbv3().sample(rng, 60):
        layers = [layer.split("_") for unit in one.to_lists() for layer in unit]
        flops = float(sum(int(e[1:]) * int(k[1:]) for _, e, k in layers))
        entry = {"original config": [224, one.to_lists()], "pan_seg_PQ": 30 + 2 * np.log(flops), "flops_pan_seg": flops}
        entries.append(entry | {"acc": 0.7})
    path = tmp_path / "ofa_mbv3_pan_seg_custom_cache.pkl"
    path.write_bytes(pickle.dumps(entries))
    return path
