"""Surrogates: small networks distilled from the published predictors, so that any architecture has labels.

They imitate outputs of graph networks, not measurements: evidence about the pipeline, not about ImageNet.
"""

import functools
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from scipy.stats import spearmanr

from autobuild_lib.data.download import fetch, sha256_of
from autobuild_lib.data.files import NOISE_FREE
from autobuild_lib.graphs import path_graphs_from_codes
from autobuild_lib.json_files import read_json
from autobuild_lib.predictor import (
    NetworkConfig,
    Predictor,
    StackedNetwork,
    run_network,
)
from autobuild_lib.published import load_published
from autobuild_lib.spaces import Architecture, SequenceSpace, ofa_mbv3 as mbv3_space, ofa_pn as pn_space
from autobuild_lib.spaces.sequence import Codes
from autobuild_lib.storage import load_weights, replace_bytes, replace_json, replace_text, weights_bytes
from autobuild_lib.torch_settings import plain_torch
from autobuild_lib.training import TrainingConfig, train_network

__all__ = ["Surrogate", "distill", "fidelity", "load_published", "ofa_mbv3", "ofa_pn"]

logger = logging.getLogger(__name__)

LABELS = ("acc", "latency_gpu", "latency_cpu", "latency_npu")
SPACES = {"ofa_mbv3": mbv3_space, "ofa_pn": pn_space}
CHECKPOINTS = (
    "https://raw.githubusercontent.com/Ascend-Research/AutoBuild/a2675b9a9d2d6396f477272f882739863f4b7d9c/l1_models"
)
FILES = Path(__file__).parent / "data" / "files"
NETWORK = NetworkConfig(convolution="graphconv", pooling="sum", activation="leaky_relu", width=64)
TRAINING = TrainingConfig(epochs=12, batch_size=256, learning_rate=3e-3, schedule="one_cycle", rank_loss="off")
# The second phase holds the batch statistics fixed: a tenth to a quarter closer to the teachers on fresh samples.
REFINEMENT = replace(TRAINING, epochs=6, learning_rate=1e-3, frozen_statistics=True)
# Depths alone explain all but 0.06 % of the variance of ProxylessNAS' GPU latency: for these labels, a network learns
# only what the mean over architectures of the same depths leaves open.
CENTRED = {"ofa_pn": ("latency_gpu", "latency_cpu")}


@dataclass(frozen=True)
class Surrogate:
    """Labels for any architecture of a family: acc (fraction), latency_gpu, latency_cpu and latency_npu (ms)."""

    space: SequenceSpace
    network: StackedNetwork  # one predictor per label
    centres: npt.NDArray[np.float64]  # [labels, combinations of depths], what the network's output is added to
    sds: npt.NDArray[np.float64]  # [labels], units of the network's outputs

    def predict(self, architectures: Sequence[Architecture]) -> pd.DataFrame:
        """Return the four labels of each architecture, one row each, in order."""
        return self.predict_codes(self.space.to_codes(architectures))

    def predict_codes(self, codes: Codes) -> pd.DataFrame:
        """Return the labels of architectures given by their codes [N, code_width]."""
        standardised, _ = run_network(self.network, self.space, codes)
        centres = self.centres[:, depth_combinations(self.space, codes)]
        return pd.DataFrame((standardised * self.sds[:, None] + centres).T, columns=list(LABELS))


def depth_combinations(space: SequenceSpace, codes: Codes) -> npt.NDArray[np.intp]:
    """Number the combination of depths of each architecture: codes [N, code_width] -> [N]."""
    depths = [codes[:, codec.start].astype(np.intp) - codec.depths[0] for codec in space.codecs]
    return np.asarray(np.ravel_multi_index(depths, [len(codec.depths) for codec in space.codecs]))


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
    try:
        sha256, config = card["sha256"], NetworkConfig(**card["network"])
        centres, sds = (np.array(card[name], dtype=np.float64) for name in ("label_centres", "label_sds"))
    except (KeyError, TypeError, ValueError) as error:
        reason = f"there is no {error}" if isinstance(error, KeyError) else error
        raise ValueError(f"{path.with_suffix('.json')}: not the model card of a surrogate ({reason})") from None
    space = SPACES[family]()
    network = StackedNetwork(space, config, [0] * len(LABELS))
    load_weights(network, path, sha256)
    return Surrogate(space, network.eval(), centres, sds)


def ofa_mbv3() -> Surrogate:
    """Return the surrogate of OFA-MobileNetV3 at resolution 224."""
    return load_bundled("ofa_mbv3")


def ofa_pn() -> Surrogate:
    """Return the surrogate of OFA-ProxylessNAS at resolution 224."""
    return load_bundled("ofa_pn")


# -------------------------------------------------------------------- samples


def sample_extreme_codes(space: SequenceSpace, rng: np.random.Generator, size: int) -> Codes:
    """Draw codes [size, width] tilted towards an edge of the space: deep or shallow, large or small values.

    Each architecture draws one tilt per kind of choice (depth, expansion, kernel, ...) and one per kind and unit.
    """
    kinds, units = _kinds(space)
    common = rng.normal(size=(size, kinds.max() + 1))[:, kinds]
    own = rng.normal(size=(size, units.max() + 1, kinds.max() + 1))[:, units, kinds]
    return space.sample_codes(rng, size, exponent=np.exp(1.2 * common + 0.8 * own))


def _kinds(space: SequenceSpace) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    kinds, units = list(range(len(space.global_features))), [0] * len(space.global_features)
    for unit, codec in enumerate(space.codecs):
        width = len(space.layer_features)
        first, features = len(space.global_features), codec.first_layer - codec.start  # depth and unit features
        own = [first + i for i in range(features)]
        own += [first + 100 + i % width for i in range(codec.end - codec.first_layer)]
        kinds, units = kinds + own, units + [unit] * len(own)
    return np.unique(kinds, return_inverse=True)[1], np.array(units)


# -------------------------------------------------------------------- distillation


def published_file(family: str, label: str) -> str:
    """Name of a published checkpoint, as in folder `l1_models` of the public repository."""
    stem = f"minMAE_{family}_custom_acc" if label == "acc" else f"minMAE_{family}_{label}_custom_{label}"
    return f"{stem}_GraphConv_sum_directed_srcc1_predictor.pt"


def fetch_checkpoints(folder: Path, progress: bool = True) -> list[Path]:
    """Download the eight published checkpoints, checked against their known sha256, into `folder`."""
    stated = published()
    names = {published_file(family, label): stated[family][label]["sha256"] for family in SPACES for label in LABELS}
    return [
        fetch(name, folder, f"{CHECKPOINTS}/{name}", known_sha256=sha256, progress=progress)
        for name, sha256 in names.items()
    ]


def _checked(folder: Path, family: str, label: str) -> Path:
    path = folder / published_file(family, label)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such checkpoint; `autobuild data fetch checkpoints` downloads all eight")
    found, stated = sha256_of(path), published()[family][label]["sha256"]
    if found != stated:
        raise ValueError(f"{path}: sha256 is {found}, the published file has {stated}")
    return path


@functools.cache
def published() -> dict[str, dict[str, dict[str, Any]]]:
    """Return, per family and label, the sha256 of the published checkpoint and its stated `mae`, `mape` and `srcc`."""
    record = read_json(FILES / "published_predictors.json")
    return {family: record[family] for family in SPACES}


def load_teachers(family: str, checkpoints: Path) -> dict[str, Predictor]:
    """Read the four published predictors of a family from a folder."""
    return {label: load_published(_checked(checkpoints, family, label)) for label in LABELS}


def label_codes(teachers: Mapping[str, Predictor], space: SequenceSpace, codes: Codes) -> npt.NDArray[np.float64]:
    """Predict every label with its teacher: codes [N, width] -> [labels, N]."""
    rows = []
    for teacher in teachers.values():
        wide = codes.copy()  # the teachers know three resolutions, ours is one of them
        wide[:, 0] = _resolution_index(teacher.space, space)
        predicted, _ = run_network(teacher.network, teacher.space, wide)
        rows.append(predicted[0] * teacher.label_sd + teacher.label_mean)
    return np.stack(rows)


def _resolution_index(teacher: SequenceSpace, space: SequenceSpace) -> int:
    one = space.sample(np.random.default_rng(0))
    return teacher.adopt(one).code[0]


@plain_torch(gradients=True)
def distill(
    family: str, checkpoints: Path, folder: Path, size: int = 400_000, seed: int = 0, progress: bool = True
) -> dict[str, Any]:
    """Fit a family's surrogate to its published predictors and write it, with its model card, into `folder`.

    Half of the `size` training architectures are uniform, half lie towards the edge of the space.
    """
    space, teachers = SPACES[family](), load_teachers(family, checkpoints)
    rng = np.random.default_rng(seed)
    codes = np.concatenate([space.sample_codes(rng, size - size // 2), sample_extreme_codes(space, rng, size // 2)])
    logger.info("labelling %d architectures of %s", size, family)
    labels = label_codes(teachers, space, codes)
    groups = depth_combinations(space, codes)
    centres = np.repeat(labels.mean(1, keepdims=True), math.prod(len(c.depths) for c in space.codecs), axis=1)
    for number in [LABELS.index(label) for label in CENTRED.get(family, ())]:
        for group in np.unique(groups):
            centres[number, group] = labels[number, groups == group].mean()
    left = labels - centres[:, groups]
    sds = left.std(1)
    network = StackedNetwork(space, NETWORK, [seed + i for i in range(len(LABELS))])
    standardised = torch.from_numpy(left / sds[:, None]).float()
    graphs = path_graphs_from_codes(space, codes)
    train_network(network, graphs, standardised, TRAINING, seed, progress)
    train_network(network, graphs, standardised, REFINEMENT, seed + 1, progress)
    return _write(family, folder, Surrogate(space, network, centres, sds), size, seed)


def _write(family: str, folder: Path, made: Surrogate, size: int, seed: int) -> dict[str, Any]:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"surrogate_{family}.safetensors"
    replace_bytes(path, weights_bytes(made.network))
    card = {
        "what": f"Labels of {family} architectures at resolution 224, distilled from published predictors.",
        "is_not": "A measurement. It imitates graph networks that were trained on measurements; nothing was run on "
        "ImageNet or on a device here. Other resolutions are outside its domain.",
        "source": "Checkpoints of the AutoBuild repository, MIT License, (c) 2024 Huawei Technologies Co., Ltd.",
        "labels": {"acc": "fraction", "latency_gpu": "ms", "latency_cpu": "ms", "latency_npu": "ms"},
        "network": asdict(NETWORK),
        "training": [asdict(TRAINING), asdict(REFINEMENT)],
        "training_architectures": size,
        "seed": seed,
        "centred_by_depth": CENTRED.get(family, ()),
        "label_centres": made.centres.tolist(),
        "label_sds": made.sds.tolist(),
        "checkpoints_sha256": {label: published()[family][label]["sha256"] for label in LABELS},
        "sha256": sha256_of(path),
    }
    replace_json(path.with_suffix(".json"), card)
    return card


def fidelity(
    surrogate: Surrogate, family: str, checkpoints: Path, size: int = 20_000, seed: int = 1_000
) -> pd.DataFrame:
    """Compare a surrogate with its teachers on fresh architectures, uniform and towards the edge.

    Columns: family, sample, label, mean absolute difference `mae`, the published test MAE, their ratio and the SRCC.
    """
    space, teachers, rng = surrogate.space, load_teachers(family, checkpoints), np.random.default_rng(seed)
    samples = {"uniform": space.sample_codes(rng, size), "extreme": sample_extreme_codes(space, rng, size)}
    rows = []
    for sample, codes in samples.items():
        truth, predicted = label_codes(teachers, space, codes), surrogate.predict_codes(codes)
        for label, wanted in zip(LABELS, truth, strict=True):
            mae = float(np.abs(predicted[label] - wanted).mean())
            srcc = float(spearmanr(predicted[label], wanted).statistic)
            stated = published()[family][label]["mae"]
            rows.append((family, sample, label, mae, stated, mae / stated, srcc))
    return pd.DataFrame(rows, columns=["family", "sample", "label", "mae", "published_mae", "ratio", "srcc"])


# -------------------------------------------------------------------- bundled tables


def build_table(family: str, folder: Path, rows: int = 3_000, seed: int = 0) -> dict[str, Any]:
    """Write a family's bundled table and return its manifest entry.

    Labels are surrogate values plus Gaussian noise whose mean absolute value is the published test MAE; the value
    before noise stands beside each label.
    """
    surrogate, rng = load_bundled(family), np.random.default_rng(seed)
    drawn = surrogate.space.sample(rng, rows + rows // 10)
    architectures = list(dict.fromkeys(drawn))[:rows]
    clean = surrogate.predict(architectures)
    columns: dict[str, Any] = {"architecture": [str(a) for a in architectures]}
    for label in LABELS:
        sd = published()[family][label]["mae"] * math.sqrt(math.pi / 2)  # mean |N(0, sd)| is the stated MAE
        digits = 6 if label == "acc" else 4
        columns[label] = (clean[label] + rng.normal(scale=sd, size=rows)).round(digits)
        columns[f"{label}{NOISE_FREE}"] = clean[label].round(digits)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{family}.csv"
    replace_text(path, pd.DataFrame(columns).to_csv(index=False, lineterminator="\n"))
    units = {"acc": "fraction"} | dict.fromkeys(LABELS[1:], "ms")
    return {
        "space": family,
        "file": path.name,
        "kind": "surrogate",
        "rows": rows,
        "columns": {"architecture": "text form"} | {n: units[n.removesuffix(NOISE_FREE)] for n in list(columns)[1:]},
        "source": f"bundled surrogate of {family} at resolution 224, noise calibrated to the published test MAE",
        "builder": f"autobuild data build --seed {seed}",
        "seed": seed,
        "sha256": sha256_of(path),
    }
