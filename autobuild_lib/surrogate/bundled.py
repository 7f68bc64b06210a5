"""Surrogates: small networks distilled from the published predictors, so that any architecture has labels.

They imitate outputs of graph networks, not measurements: evidence about the pipeline, not about ImageNet.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_lib.engine.layers import LayerEncoder
from autobuild_lib.predictor import Network, NetworkConfig
from autobuild_lib.spaces import Architecture, Codes, SequenceSpace, ofa_mbv3 as mbv3_space, ofa_pn as pn_space
from autobuild_lib.storage import read_json
from autobuild_lib.torch_settings import plain_torch
from autobuild_lib.values import MALFORMED, naming
from autobuild_lib.weights import load_weights

LABELS = ("acc", "latency_gpu", "latency_cpu", "latency_npu")
SPACES = {"ofa_mbv3": mbv3_space, "ofa_pn": pn_space}
FILES = Path(__file__).parents[1] / "data" / "files"


@dataclass(frozen=True)
class Surrogate:
    """Labels for any architecture of a family: acc (fraction), latency_gpu, latency_cpu and latency_npu (ms)."""

    space: SequenceSpace
    network: Network  # one predictor per label
    centres: npt.NDArray[np.float64]  # [labels, combinations of depths], what the network's output is added to
    sds: npt.NDArray[np.float64]  # [labels], units of the network's outputs
    fingerprint: str = ""  # by which the log of a search remembers it

    def predict(self, architectures: Sequence[Architecture]) -> pd.DataFrame:
        """Return the four labels of each architecture, one row each, in order."""
        return self.predict_codes(self.space.to_codes(architectures))

    def predict_codes(self, codes: Codes) -> pd.DataFrame:
        """Return the labels of architectures given by their codes [N, code_width]."""
        standardised, _ = self.network.run(codes)
        centres = self.centres[:, depth_combinations(self.space, codes)]
        return pd.DataFrame((standardised * self.sds[:, None] + centres).T, columns=list(LABELS))


def depth_combinations(space: SequenceSpace, codes: Codes) -> npt.NDArray[np.intp]:
    """Number the combination of depths of each architecture: codes [N, code_width] -> [N]."""
    allowed = [codec.depths for codec in space.codecs]
    places = space.depths(codes) - [depths[0] for depths in allowed]
    return np.asarray(np.ravel_multi_index(tuple(places.T), [len(depths) for depths in allowed]))


@functools.cache
def load_bundled(family: str) -> Surrogate:
    """Return the surrogate that comes with the library for "ofa_mbv3" or "ofa_pn"."""
    if family not in SPACES:
        raise ValueError(f"no surrogate for {family!r}; choose from {', '.join(SPACES)}")
    return load_from(family, FILES)


@plain_torch(gradients=True)
def load_from(family: str, folder: Path) -> Surrogate:
    """Read the surrogate of a family and its model card from a folder; a wrong checksum is a `ValueError`."""
    path = folder / f"surrogate_{family}.safetensors"
    card = read_json(path.with_suffix(".json"), "the model card of a surrogate")
    with naming(f"{path.with_suffix('.json')}: not the model card of a surrogate", caught=MALFORMED):
        sha256, config = card["sha256"], NetworkConfig(**card["network"])
        centres, sds = (np.array(card[name], dtype=np.float64) for name in ("label_centres", "label_sds"))
    space = SPACES[family]()
    network = Network(LayerEncoder(space), config, [0] * len(LABELS))
    load_weights(network, path, sha256)
    return Surrogate(space, network.eval(), centres, sds, f"surrogate of {family}, sha256 {sha256[:12]}")


def ofa_mbv3() -> Surrogate:
    """Return the surrogate of OFA-MobileNetV3 at resolution 224."""
    return load_bundled("ofa_mbv3")


def ofa_pn() -> Surrogate:
    """Return the surrogate of OFA-ProxylessNAS at resolution 224."""
    return load_bundled("ofa_pn")
