"""Distillation: the bundled surrogates learnt from the published predictors, and the bundled tables made from them."""

import logging
import math
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.stats import spearmanr

from autobuild_book.measured.extremes import sample_extreme_codes
from autobuild_book.measured.teachers import label_codes, load_teachers, published
from autobuild_lib.data.files import NOISE_FREE
from autobuild_lib.engine.layers import LayerEncoder
from autobuild_lib.graphs import layer_graphs_from_codes
from autobuild_lib.predictor import (
    Network,
    NetworkConfig,
)
from autobuild_lib.released.checksums import sha256_of
from autobuild_lib.storage import replace_bytes, replace_json, replace_text
from autobuild_lib.surrogate.bundled import LABELS, SPACES, Surrogate, depth_combinations, load_bundled
from autobuild_lib.torch_settings import plain_torch
from autobuild_lib.training import TrainingConfig, train_network
from autobuild_lib.weights import weights_bytes

logger = logging.getLogger(__name__)
NETWORK = NetworkConfig(convolution="graphconv", pooling="sum", activation="leaky_relu", width=64)
TRAINING = TrainingConfig(epochs=12, batch_size=256, learning_rate=3e-3, schedule="one_cycle", rank_loss="off")
# The second phase holds the batch statistics fixed: a tenth to a quarter closer to the teachers on fresh samples.
REFINEMENT = replace(TRAINING, epochs=6, learning_rate=1e-3, frozen_statistics=True)
# Depths alone explain all but 0.06 % of the variance of ProxylessNAS' GPU latency: for these labels, a network learns
# only what the mean over architectures of the same depths leaves open.
CENTRED = {"ofa_pn": ("latency_gpu", "latency_cpu")}


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
    network = Network(LayerEncoder(space), NETWORK, [seed + i for i in range(len(LABELS))])
    standardised = torch.from_numpy(left / sds[:, None]).float()
    graphs = layer_graphs_from_codes(space, codes)
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
        for label, teacher in zip(LABELS, truth, strict=True):
            mae = float(np.abs(predicted[label] - teacher).mean())
            srcc = float(spearmanr(predicted[label], teacher).statistic)
            stated = published()[family][label]["mae"]
            rows.append((family, sample, label, mae, stated, mae / stated, srcc))
    return pd.DataFrame(rows, columns=["family", "sample", "label", "mae", "published_mae", "ratio", "srcc"])


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
