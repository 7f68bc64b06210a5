"""Networks cut out of supernets against those of the public package `ofa`, where that is installed."""

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

import autobuild_lib as ab
from tests.helpers.supernet_files import LAYOUTS, random_state, write_supernet

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("ofa") is None,
        reason="needs ofa: pip install --no-deps --target FOLDER ofa==0.1.0.post202307202001, and FOLDER on PYTHONPATH",
    ),
    pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning"),
]
# What it imports for downloads and pictures, and a module that PyTorch no longer has; no network needs them.
ABSENT = ("gdown", "torchvision", "torchvision.transforms", "torchvision.transforms.functional",
          "torchvision.datasets", "torch._six")  # fmt: skip
ELASTIC = {"ks_list": [3, 5, 7], "expand_ratio_list": [3, 4, 6], "depth_list": [2, 3, 4], "dropout_rate": 0}
CLASSES = {"mbv3": "OFAMobileNetV3", "proxyless": "OFAProxylessNASNets"}


class StandIn(ModuleType):
    """A module with a class of whatever name is asked for."""

    string_classes, int_classes = (str,), (int,)

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The package's module of supernets."""
    for name in ABSENT:
        monkeypatch.setitem(sys.modules, name, StandIn(name))
        if "." in name and name != "torch._six":
            parent, _, child = name.rpartition(".")
            setattr(sys.modules[parent], child, sys.modules[name])
    yield importlib.import_module("ofa.imagenet_classification.elastic_nn.networks")
    for name in [name for name in sys.modules if name.split(".")[0] == "ofa"]:
        del sys.modules[name]


def settings(architecture: ab.Architecture) -> dict[str, list[int]]:
    """Say how the package describes an architecture; layers that are left out have any value."""
    units, most = ab.networks.blueprint(architecture).units, [max(codec.depths) for codec in architecture.space.codecs]
    padded = [(*unit, *unit[:1] * (depth - len(unit))) for unit, depth in zip(units, most, strict=True)]
    blocks = [block for unit in padded for block in unit]
    return {
        "ks": [block.depthwise.kernel for block in blocks],
        "e": [block.depthwise.inputs // block.expand.inputs for block in blocks if block.expand],
        "d": [len(unit) for unit in units],
    }


@pytest.mark.parametrize("kind", LAYOUTS)
def test_active_subnetworks_give_the_same_scores(kind: str, networks: Any, tmp_path: Path) -> None:
    family, width = kind.split("_w")
    theirs = getattr(networks, CLASSES[family])(**ELASTIC, width_mult=float(width)).eval()
    state = random_state(kind)
    assert {name: t.shape for name, t in theirs.state_dict().items()} == {name: t.shape for name, t in state.items()}
    theirs.load_state_dict(state)
    supernet = ab.networks.Supernet.load(write_supernet(tmp_path / kind, state))
    for architecture in supernet.space.from_codes(supernet.space.sample_codes(np.random.default_rng(1), 12)):
        theirs.set_active_subnet(**settings(architecture))
        side = ab.networks.blueprint(architecture).resolution
        images = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(0))
        with torch.inference_mode():
            expected, scores = theirs(images), supernet.subnet(architecture)(images)
        assert expected.std() > 0.01
        assert torch.allclose(scores, expected, atol=1e-5, rtol=1e-5)
