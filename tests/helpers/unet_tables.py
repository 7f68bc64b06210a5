"""Tables of U-Nets and module scores that need no training."""

import numpy as np

import autobuild_lib as ab
from autobuild_book.chapters.diffusion.choice import TARGET
from autobuild_book.chapters.diffusion.task.measuring import RECIPES, Measurement, sample_architectures
from autobuild_book.chapters.diffusion.task.space import costs, unet_space
from autobuild_book.measured.tasks import machine
from autobuild_lib.units.corpus import ScoredGroup, UnitCorpus


def random_corpus(space: ab.SequenceSpace, seed: int) -> UnitCorpus:
    """Every module with a random score."""
    rng, groups = np.random.default_rng(seed), []
    for group in space.scoring_groups:
        codes = group.contents()
        unknown = np.full(len(codes), np.nan)
        groups.append(ScoredGroup(codes, rng.normal(size=len(codes)), unknown, unknown))
    return UnitCorpus(space, TARGET, "norm", "none", b"", tuple(groups))


def unet_table(size: int = 30, seed: int = 0, noise: float = 0.1) -> ab.data.Table:
    """U-Nets whose log distance falls with the logarithm of MACs, with noise."""
    drawn = sample_architectures(size)
    macs = costs(drawn)["macs"].to_numpy()
    distance = 5 - 0.2 * np.log(macs) + np.random.default_rng(seed).normal(scale=noise, size=size)
    labels = {"log_distance": distance, "masked_mse": distance / 5, "flow_loss": distance / 4, "macs": macs}
    rows = [dict(zip(labels, row, strict=True)) for row in zip(*labels.values(), strict=True)]
    return ab.data.from_records(unet_space(), zip(drawn, rows, strict=True))


def unet_row(text: str, seed: int, distance: float, half: str = "final") -> Measurement:
    """One measurement of an architecture; the other labels follow from its log distance."""
    (macs, parameters), recipe = costs([unet_space().parse(text)]).to_numpy().tolist()[0], RECIPES[half].id
    labels = (distance, distance / 5, distance / 4)
    return Measurement(text, seed, half, recipe, *labels, macs, parameters, macs / 1e6, machine())
