"""The predictors of the page: those of experiment 4, with their module scores summed up, committed beside the page.

`python -m autobuild_book.play.predictors` takes them from what the standard profile has left, and scores every module.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from autobuild_book.chapters.shared.panels import LATENCY, REGIONS
from autobuild_lib.loading import load
from autobuild_lib.predictor import Predictor
from autobuild_lib.storage import json_text, read_json, replace_text
from autobuild_lib.surrogate import SPACES
from autobuild_lib.targets import Target
from autobuild_lib.units.corpus import UnitCorpus, score_units

FOLDER = Path(__file__).resolve().parents[2] / "book" / "play"
HOSTS = 16
TARGETS = (  # accuracy, and the regions of experiment 4
    "acc",
    *(equation.replace(LATENCY, "latency_gpu") for equation in REGIONS.values()),
    *(REGIONS["balanced"].replace(LATENCY, device) for device in ("latency_cpu", "latency_npu")),
)
CANONICAL = [Target(target).canonical for target in TARGETS]
SCORES = ("norm", "effect")
BEST = 3  # contents of every unit that are kept: those of the reduced space
EXACT, BETWEEN = 64, 192  # places of the effect scores that are kept: the first, and others evenly down to the last


@dataclass(frozen=True)
class Trained:
    """A predictor of the page and what its module scores come to.

    best: by score, the texts of the best contents of every scoring group, best first.
    effects: by scoring group, the effect scores that stand at the `kept_places`, largest first.
    """

    predictor: Predictor
    best: dict[str, list[list[str]]]
    effects: list[list[float]]


def folder_of(family: str, target: str, root: Path = FOLDER) -> Path:
    """Return where the predictor of a target lies."""
    return root / family / Target(target).id


def load_trained(family: str, target: str, root: Path = FOLDER) -> Trained:
    """Read a predictor of the page; missing or damaged files are errors that name them."""
    folder = folder_of(family, target, root)
    summary = read_json(folder / "modules.json", "a summary of module scores")
    return Trained(load(folder), summary["best"], summary["effects"])


def summarise(corpora: dict[str, UnitCorpus]) -> dict[str, Any]:
    """Return what `load_trained` reads of the corpora of one predictor, by score."""
    ordered = [np.sort(group.scores)[::-1] for group in corpora["effect"].groups]
    return {
        "best": {score: _best(corpus) for score, corpus in corpora.items()},
        "effects": [_rounded(scores[kept_places(len(scores))]) for scores in ordered],
    }


def kept_places(size: int) -> npt.NDArray[np.int64]:
    """Return the places, out of `size`, whose scores are kept."""
    others = np.linspace(EXACT, size - 1, BETWEEN).round().astype(np.int64)
    return np.concatenate([np.arange(EXACT), others])


def _best(corpus: UnitCorpus) -> list[list[str]]:
    rows = corpus.table.sort_values("score", ascending=False, kind="stable")
    return [part["module"].head(BEST).tolist() for _, part in rows.groupby("unit")]


def _rounded(scores: npt.NDArray[np.float64]) -> list[float]:
    return [float(f"{score:.7g}") for score in scores]


def keep(predictor: Predictor, root: Path = FOLDER) -> None:
    """Score every content of every unit, and save predictor and summary; keys of its 2,700 rows are left out."""
    provenance = {name: value for name, value in predictor.provenance.items() if name != "trained_on"}
    folder = folder_of(predictor.space.name, predictor.target, root)
    corpora = {score: score_units(predictor, score, hosts=HOSTS) for score in SCORES}
    replace(predictor, provenance=provenance).save(folder)
    replace_text(folder / "modules.json", json_text(summarise(corpora), None) + "\n")


def trained_by_chain(folder: Path) -> Iterator[Predictor]:
    """Yield the page's predictors among those that experiments 3 and 4 have trained with the paper's preset."""
    for path in sorted(folder.glob("*/*/config.json")):
        config = read_json(path, "a predictor")
        if config["space"]["name"] in SPACES and config["target"] in CANONICAL:
            yield load(path.parent)


def main(folder: Path) -> int:
    """Keep what is not kept yet; return 1 when some predictor was never trained."""
    for predictor in trained_by_chain(folder):
        if not (folder_of(predictor.space.name, predictor.target) / "modules.json").is_file():
            keep(predictor)
    wanting = [f"{f}: {t}" for f in SPACES for t in TARGETS if not (folder_of(f, t) / "modules.json").is_file()]
    sys.stderr.writelines(f"never trained: {line}\n" for line in wanting)
    return int(bool(wanting))


if __name__ == "__main__":
    sys.exit(main(Path(*(sys.argv[1:] or ["artifacts/standard/predictors"]))))
