"""How the configurations of the peers were chosen: nine candidates each, compared on validation rows.

Run `python -m tests.benchmarks.peer_presets` (about 25 minutes on one core; `--only forest` for some of them; those
that need proxies take part where these are bundled). The validation rows are taken out of the training split; the test
rows are never looked at. AutoBuild's tuned preset was chosen from nine candidates too, on the same four targets, with
all rows that are not validation rows (`presets.py`); the additive ridge chooses its penalty in every fit.
"""

import argparse
import itertools
from dataclasses import replace

import pandas as pd

import autobuild_lib as ab
from autobuild_book.chapters.peers.contests import TEST_WITH_PROXIES, contests_that_exist, field_of
from autobuild_book.chapters.peers.proxy_tables import sample_architectures
from autobuild_book.chapters.shared.models.autobuild import AutoBuild
from autobuild_book.chapters.shared.models.base import Model
from autobuild_book.chapters.shared.models.learners import FOREST_CANDIDATES, Boosting, Gaussian, Neighbours
from autobuild_book.chapters.shared.models.on_features import FeatureModel
from autobuild_book.chapters.shared.models.registry import FEW, FORESTS, GAUSSIAN, MODELS, NEIGHBOURS, named
from autobuild_lib.data import Table
from autobuild_lib.statistics import srcc
from autobuild_lib.surrogate import LABELS

SIZES, PROXIED_SIZES, FEW_SIZES = (100, 400, 2000), (50, 200), (100,)  # training rows; the last: for few labels
Split = tuple[Table, Table, pd.DataFrame | None]  # rows to learn from, validation rows, proxies
RATES, LEAVES = (0.05, 0.1, 0.2), (5, 10, 20)
NUMBERS = (2, 5, 10, 20, 30, 50, 70, 100, 200)
POWERS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
NETWORKS = (("gatv2", "mean"), ("graphconv", "mean"), ("graphconv", "sum"))
STEPS = (200, 400, 800)
BOOSTING = [Boosting(*one) for one in itertools.product(RATES, LEAVES)]


def candidates() -> dict[str, list[Model]]:
    """Nine candidates for each model, by the model's name."""
    found: dict[str, list[Model]] = {
        NEIGHBOURS.name: [replace(NEIGHBOURS, learner=Neighbours(number)) for number in NUMBERS],
        GAUSSIAN.name: [replace(GAUSSIAN, learner=Gaussian(power)) for power in POWERS],
    }
    for learner, learners in (("forest", FOREST_CANDIDATES), ("boosting", BOOSTING)):
        for kinds in FORESTS:
            name = named(learner, kinds)
            found[name] = [FeatureModel(name, kinds, one) for one in learners]
    found[FEW.name] = [
        AutoBuild(FEW.name, "tuned", (("batch_size", 8), ("convolution", convolution), ("pooling", pooling)), steps)
        for (convolution, pooling), steps in itertools.product(NETWORKS, STEPS)
    ]
    assert all(len(own) == 9 for own in found.values()) and set(found) <= set(MODELS)
    return found


def validation_splits() -> list[Split]:
    """Per family, rows to learn from and validation rows: from the training split, less all test rows of comparisons.

    The first `TEST_WITH_PROXIES` architectures of the sample that proxies are measured on are test rows as well.
    """
    found: list[Split] = []
    for family in ("ofa_mbv3", "ofa_pn"):
        train, _ = ab.data.load(family).split(0.9, seed=12345)
        kept_out = set(sample_architectures(family, TEST_WITH_PROXIES))
        rows = [row for row, architecture in enumerate(train.architectures) if architecture not in kept_out]
        found.append((*train.take(rows).split(0.85, seed=0), None))
    return found


def proxied_splits() -> list[Split]:
    """The same for models that need proxies: from the training rows of the networks that have them."""
    found: list[Split] = []
    for contest in contests_that_exist():
        if contest.proxies:
            field = field_of(contest)
            found.append((*field.train.split(0.75, seed=0), field.proxies))
    return found


def compare(name: str, models: list[Model]) -> pd.DataFrame:
    """Mean SRCC on validation rows over families and targets: a row per candidate, a column per size."""
    proxied, rows = models[0].needs_proxies, []
    sizes = FEW_SIZES if name == FEW.name else PROXIED_SIZES if proxied else SIZES
    splits = proxied_splits() if proxied else validation_splits()
    for model, (train, held_out, proxies), size in itertools.product(models, splits, sizes):
        few = train.take(range(size))
        for target, fitted in zip(LABELS, model.fit_many(few, LABELS, 0, proxies), strict=True):
            truth = held_out.labels[target].to_numpy()
            rows.append((described(model), size, srcc(fitted.predict(held_out.architectures), truth)))
    frame = pd.DataFrame(rows, columns=["candidate", "size", "srcc"])
    table = frame.pivot_table(index="candidate", columns="size", values="srcc")
    return table.assign(mean=table.mean(axis=1)).sort_values("mean")


def described(model: Model) -> str:
    """What tells a candidate from the others."""
    return str(model.learner if isinstance(model, FeatureModel) else model)


def main() -> None:
    """Print the comparisons, the best candidate of each model last."""
    parser = argparse.ArgumentParser("tests.benchmarks.peer_presets", description=__doc__)
    parser.add_argument("--only", default="", help="a part of the names of models (default: all)")
    only = parser.parse_args().only
    for name, models in candidates().items():
        if only in name and (proxied_splits() or not models[0].needs_proxies):
            print(f"{name}\n{compare(name, models).to_string(float_format='{:.4f}'.format)}\n", flush=True)


if __name__ == "__main__":
    main()
