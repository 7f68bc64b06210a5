"""The public implementation's checkpoints, read strictly into this library's own predictor."""

import re
from pathlib import Path

import numpy as np
from torch import Tensor

from autobuild_lib.engine.layers import LayerEncoder
from autobuild_lib.predictor import Moments, Network, NetworkConfig, Predictor
from autobuild_lib.spaces import SequenceSpace, ofa_mbv3, ofa_pn
from autobuild_lib.spaces.ofa import RESOLUTIONS
from autobuild_lib.torch_settings import plain_torch
from autobuild_lib.values import MALFORMED, naming
from autobuild_lib.weights import fault_of, read_torch

EMBEDDINGS = {"unit": "stage", "index": "block", "op": "mbconv", "e": "exp", "k": "kernel"}
OPS = ("mbconv2", "mbconv3")  # rows of the published op embedding
UNUSED = ("encoder.init_ff.weight", "encoder.init_ff.bias")  # never read by the public forward pass
NORMS = {"weight": "weight", "bias": "bias", "mean": "running_mean", "variance": "running_var"}  # names: ours, theirs
HEAD = (0, 1, 3, 4)
LABELS = ("latency_gpu", "latency_cpu", "latency_npu", "acc")  # in names of files


@plain_torch(gradients=True)
def load_published(path: Path | str) -> Predictor:
    """Read one of the public implementation's `.pt` files.

    GraphConv checkpoints pool by sum and use LeakyReLU throughout; GATv2 ones pool by mean and use ReLU. The family
    follows from the shape of their moments. Only tensors are read; a missing or unknown one is a `ValueError`.
    """
    with naming(f"{path}: not a checkpoint of the public implementation", caught=MALFORMED):
        return _predictor(Path(path), _read(Path(path)))


def _predictor(path: Path, state: "_State") -> Predictor:
    is_graphconv = "encoder.gnn_layers.0.lin_rel.weight" in state
    kind = ("graphconv", "sum") if is_graphconv else ("gatv2", "mean")
    hops = len([name for name in state if re.fullmatch(r"encoder\.gnn_layers\.\d+\.bias|.*lin_rel\.bias", name)])
    width, activation = state["regressor.weight"].shape[1], "leaky_relu" if is_graphconv else "relu"
    space, config = _family(state), NetworkConfig(*kind, width, hops, activation)
    network = Network(LayerEncoder(space), config, seeds=[0])
    network.load_state_dict(_translate(space, state, config))
    if left := sorted(set(state) - set(UNUSED) - {n for n in state if n.endswith("num_batches_tracked")}):
        raise ValueError(f"unknown tensors: {', '.join(left[:5])}")
    if bad := [f"{name} has {why}" for name, tensor in network.state_dict().items() if (why := fault_of(name, tensor))]:
        raise ValueError(bad[0])
    mean, sd = (float(v) for v in state.labels)
    target = next((name for name in LABELS if name in path.name), "label")
    return Predictor(network.eval(), target, mean, sd, _moments(state), {"source": path.name})


class _State(dict[str, Tensor]):
    """A state dict whose `take` removes what it returns, so that leftovers show."""

    labels: Tensor
    hop_moments: Tensor
    unit_moments: Tensor

    def take(self, name: str) -> Tensor:
        return self.pop(name)[None]


def _read(path: Path) -> _State:
    state = _State(read_torch(path))
    state.labels, state.hop_moments = state.pop("mlp_moments"), state.pop("hop_moments")
    state.unit_moments = state.pop("embed_layer.moment_tsr")
    del state["test_metrics"]
    return state


def _family(state: _State) -> SequenceSpace:
    families = {(5, 4, 2): ofa_mbv3, (5, 5, 2): ofa_pn}
    shape = tuple(state.unit_moments.shape)
    if shape not in families:
        raise ValueError(f"moments of shape {shape}, expected one of {list(families)}")
    return families[shape](resolutions=RESOLUTIONS)


def _translate(space: SequenceSpace, state: _State, config: NetworkConfig) -> dict[str, Tensor]:
    new: dict[str, Tensor] = {}
    for category in space.categories:
        if category.name in EMBEDDINGS:
            old = f"embed_layer.{EMBEDDINGS[category.name]}"
            rows, size = state.take(f"{old}_embed.weight"), len(category.values)
            places = [OPS.index(str(v)) for v in category.values] if category.name == "op" else list(range(size))
            new[f"features.embeddings.{category.name}.weight"] = rows[:, places]
            _linear(new, f"features.scores.{category.name}", state, f"{old}_mlp")
        else:
            _linear(new, f"features.embeddings.{category.name}", state, "embed_layer.res_mlp.0")
            _linear(new, f"features.scores.{category.name}", state, "embed_layer.res_mlp.1")
    for hop in range(config.hops):
        _convolution(new, f"convolutions.{hop}", state, f"encoder.gnn_layers.{hop}")
        for name, part in NORMS.items():
            new[f"norms.{hop}.{name}"] = state.take(f"encoder.bns.{hop}.module.{part}")[:, None]
    for layer, old_layer in enumerate(HEAD):
        _linear(new, f"head.{layer}", state, f"post_proj.{old_layer}")
    _linear(new, "output", state, "regressor")
    return new


def _linear(new: dict[str, Tensor], name: str, state: _State, old: str) -> None:
    new[f"{name}.weight"] = state.take(f"{old}.weight").transpose(1, 2)
    new[f"{name}.bias"] = state.take(f"{old}.bias")[:, None]


def _convolution(new: dict[str, Tensor], name: str, state: _State, old: str) -> None:
    if f"{old}.att" in state:
        new[f"{name}.attention"] = state.pop(f"{old}.att")
        new[f"{name}.bias"] = state.take(f"{old}.bias")[:, None]
        _linear(new, f"{name}.source", state, f"{old}.lin_l")
        _linear(new, f"{name}.target", state, f"{old}.lin_r")
    else:
        _linear(new, f"{name}.neighbour", state, f"{old}.lin_rel")
        new[f"{name}.root"] = state.take(f"{old}.lin_root.weight").transpose(1, 2)


def _moments(state: _State) -> Moments | None:
    means, sds = state.hop_moments.double().numpy()
    if not np.any(means):
        return None  # never recorded
    units = state.unit_moments.double()  # [units, depth - 1, (mean, sd)]; (0, 1) where a depth was never seen
    rows = ((unit, depth, *row) for unit, depths in enumerate(units.tolist()) for depth, row in enumerate(depths, 1))
    seen = {(unit, depth): (mean, sd) for unit, depth, mean, sd in rows if (mean, sd) != (0.0, 1.0)}
    return Moments(np.stack([means, sds], axis=1), seen)
