"""Made-up labels and rows of panoptic backbones, for the tests of the chapter about them."""

from typing import Any

import numpy as np
import pandas as pd

import autobuild_lib as ab
from autobuild_book.chapters.panoptic import final, learning, proposals as building
from autobuild_book.chapters.panoptic.choice import REGIONS
from autobuild_book.chapters.panoptic.task.jackknife import PARTS, PairedMeasurement, standard_error
from autobuild_book.chapters.panoptic.task.measuring import Measurement, sample_architectures
from autobuild_book.chapters.panoptic.task.space import backbone_space, costs
from autobuild_book.chapters.panoptic.task.weights import load_bundled
from autobuild_book.chapters.shared.ridge import ridge_corpus
from autobuild_book.measured.tasks import machine

NOISE = np.r_[0.01, -0.01, np.zeros(PARTS - 2)]
ERROR = float(standard_error(NOISE))


OURS = load_bundled().id
MANY = sample_architectures(60)
TEXTS = [str(one) for one in MANY]


def quality_of(macs: Any) -> Any:
    return 0.5 + 0.05 * np.log(np.asarray(macs) / 8e6)


def subject(size: int = 60) -> learning.Subject:
    """Backbones whose quality follows from multiply-adds, but for their first layer's kernel."""
    counted = costs(MANY[:size])["macs"].to_numpy(np.float64)
    extra = np.array([0.01 * text.startswith(("e3_k7", "e4_k7", "e6_k7")) for text in TEXTS[:size]])
    labels = pd.DataFrame({"pq": quality_of(counted) + extra, "macs": counted})
    table = ab.data.from_records(backbone_space(), zip(MANY[:size], labels.to_dict("records"), strict=True))
    equations = {name: e.replace("{quality}", "pq").replace("{cost}", "macs") for name, e in REGIONS.items()}
    return learning.Subject(table, "pq", "macs", {name: str(ab.Target(e)) for name, e in equations.items()})


def row(text: str, pq: float, macs: int, noise: Any = 0.0, network: str = OURS, count: int = 1600) -> PairedMeasurement:
    """A row whose quality without each part is `pq` plus `noise`."""
    left_out = pq + np.zeros(PARTS) + noise
    values = [pq, *[0.5] * 8, 0.004, pq, pq]
    without = " ".join(f"{value:.6f}" for value in left_out)
    return PairedMeasurement(text, network, "B", count, 0, *values, macs, 30_000, 1.0, machine(), without)


def proposals(*rows: tuple[str, str, str]) -> pd.DataFrame:
    return pd.DataFrame([(region, group, 0, text) for region, group, text in rows], columns=building.CHOICE)


def plain(text: str, pq: float, network: str, images: str = "A", calibration: int = 0) -> Measurement:
    macs, parameters = map(int, costs([backbone_space().parse(text)]).iloc[0])
    return Measurement(text, network, images, 800, calibration, *[pq] * 12, macs, parameters, 1.0, "here")


def corpora(one: learning.Subject) -> dict[tuple[str, str], ab.UnitCorpus]:
    """Scores of the ridge, under all three names."""
    return {(name, score): ridge_corpus(one.table, target, b"")
            for name, target in one.targets.items() for score in building.SCORES}  # fmt: skip


def networks(*sure: bool, group: str = building.NORM) -> pd.DataFrame:
    rows = [(region, group, 0, TEXTS[n], 9, 0.5, 0.004, TEXTS[9], 0.01 * (n + 1), 0.002, 0.001, "", np.nan, np.nan, own,
             0.01, own) for n, (region, own) in enumerate(zip(REGIONS, sure, strict=True))]  # fmt: skip
    return pd.DataFrame(rows, columns=[*final.COMPARISON, "wins", "adjusted", "sure"])
