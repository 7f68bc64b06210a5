"""The published predictors as teachers: their files, what they state about themselves, and their labels."""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from autobuild_lib.predictor import Predictor
from autobuild_lib.released.checksums import sha256_of
from autobuild_lib.spaces import Codes, SequenceSpace
from autobuild_lib.storage import read_json
from autobuild_lib.surrogate.bundled import FILES, LABELS, SPACES
from autobuild_lib.surrogate.published import load_published


def published_file(family: str, label: str) -> str:
    """Name of a published checkpoint, as in folder `l1_models` of the public repository."""
    stem = f"minMAE_{family}_custom_acc" if label == "acc" else f"minMAE_{family}_{label}_custom_{label}"
    return f"{stem}_GraphConv_sum_directed_srcc1_predictor.pt"


def _checked(folder: Path, family: str, label: str) -> Path:
    path = folder / published_file(family, label)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such checkpoint; `autobuild data fetch checkpoints` downloads all eight")
    actual, stated = sha256_of(path), published()[family][label]["sha256"]
    if actual != stated:
        raise ValueError(f"{path}: sha256 is {actual}, the published file has {stated}")
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
        predicted, _ = teacher.network.run(wide)
        rows.append(predicted[0] * teacher.label_sd + teacher.label_mean)
    return np.stack(rows)


def _resolution_index(teacher: SequenceSpace, space: SequenceSpace) -> int:
    return teacher.adopt(space.sample(np.random.default_rng(0))).code[0]
