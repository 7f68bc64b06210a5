"""The reader's own machine as the target: measure a few networks, learn from them, build others, measure those."""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_book.chapters.machine.latency import LatencyMeter, Measure, medians
from autobuild_book.chapters.shared.few_labels import EFFECT, NORM, RIDGE, train
from autobuild_lib import data, surrogate
from autobuild_lib.data.files import FLOPS
from autobuild_lib.data.table import Table, make_table
from autobuild_lib.extras import extra
from autobuild_lib.networks import count_macs
from autobuild_lib.networks.blueprint import has_networks
from autobuild_lib.predictor import Predictor
from autobuild_lib.spaces import Architecture, SequenceSpace, ofa_mbv3, read_space
from autobuild_lib.statistics import srcc_with_interval
from autobuild_lib.targets import Target, quoted
from autobuild_lib.units.corpus import UnitCorpus
from autobuild_lib.units.ridge import AdditiveRidge

with extra("book"):
    from sklearn.linear_model import LinearRegression
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

Array = npt.NDArray[np.float64]
DRAWS = 20  # of twice as many architectures as are asked for, in spaces that have hardly more
TOP = 3  # modules of each unit that a reduced space is made of, as in the paper
BEST, RANDOM, SMALLEST = "best measured, again", "random", "smallest"
GROUPS = (NORM, EFFECT, RIDGE, BEST, RANDOM, SMALLEST)
MODELS = ("AutoBuild head", "AutoBuild last hop", "additive ridge", "multiply-adds")


@dataclass(frozen=True)
class Subject:
    """What is measured, how, and the targets made of it."""

    space: SequenceSpace
    measure: Measure
    label: str
    targets: tuple[str, ...]

    def labels(self, measured: pd.DataFrame) -> pd.DataFrame:
        """Return all labels of measured architectures [N]: the number itself, and what is known without measuring.

        That is `acc`, the bundled surrogate's accuracy, and `flops_m`, counted: for families that have them.
        """
        return known_labels(self.space, list(measured["architecture"])).assign(
            **{self.label: measured[self.label].to_numpy(dtype=np.float64)}
        )

    def values(self, measured: pd.DataFrame) -> pd.DataFrame:
        """Return a column of values per target, [N]."""
        labels = self.labels(measured)
        return pd.DataFrame({target: Target(target).evaluate(labels) for target in self.targets})


def known_labels(space: SequenceSpace, architectures: Sequence[Architecture]) -> pd.DataFrame:
    """Return the labels that need no measurement, one row per architecture."""
    labels = pd.DataFrame(index=range(len(architectures)))
    if space.name in surrogate.SPACES and space == surrogate.SPACES[space.name]():
        labels["acc"] = surrogate.load_bundled(space.name).predict(architectures)["acc"]
    if has_networks(space):
        labels[FLOPS] = count_macs(architectures) / 1e6
    return labels


def choose_subject(
    source: str, space: str, measure: str, label: str, targets: Sequence[str], meter: LatencyMeter
) -> tuple[Subject, str]:
    """Return what to measure, and a note where that is not what the data ask for.

    The space is `space` (a family or a JSON file), otherwise that of the data, otherwise OFA-MobileNetV3. `measure` is
    "module:function"; without it `meter` is used, which needs a space with networks: others are replaced by
    OFA-MobileNetV3. Targets whose labels are not there are left out; it is a `ValueError` when none is left.
    """
    found = read_space(space) if space else ofa_mbv3() if source == "bundled" else data.load(source).space
    note = ""
    if not measure and not has_networks(found):
        note = (
            f"Space {found.name} has no networks to build, and no function `measure` was given: "
            "this page measures OFA-MobileNetV3 instead."
        )
        found = ofa_mbv3()
    labels = {label, *known_labels(found, [])}
    wanted = dict.fromkeys(str(Target(target)) for target in targets)
    usable = tuple(target for target in wanted if set(Target(target).labels) <= labels)
    if not usable:
        raise ValueError(f"no target of {list(targets)} can be computed from {', '.join(map(quoted, sorted(labels)))}")
    return Subject(found, find_measure(measure) if measure else meter, label, usable), note


def find_measure(name: str) -> Measure:
    """Return the function "module:function"; anything else is a `ValueError`."""
    module, _, function = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"measure={name!r}: {error}; give module:function of a module that can be imported") from None
    if not callable(found):
        raise ValueError(f"measure={name!r} is a {type(found).__name__}; give a function of an architecture")
    return found  # type: ignore[no-any-return]


def draw(space: SequenceSpace, size: int, seed: int) -> list[Architecture]:
    """Draw different random architectures."""
    rng, drawn = np.random.default_rng(seed), dict[Architecture, None]()
    for _ in range(DRAWS):
        drawn |= dict.fromkeys(space.sample(rng, 2 * size))
        if len(drawn) >= size:
            return list(drawn)[:size]
    raise ValueError(f"space {space.name!r} gave {len(drawn)} different architectures, {size} were asked for")


def smallest(space: SequenceSpace) -> Architecture:
    """Return the shallowest architecture with the first value of everything: e3 k3 layers in the OFA families."""
    return space.from_codes(space.sample_codes(np.random.default_rng(0), 1, exponent=np.inf))[0]


def measured_table(subject: Subject, rounds: pd.DataFrame) -> Table:
    """Return the table of measured architectures, each with the median over rounds and what else is known."""
    measured = medians(rounds)
    labels, source = subject.labels(measured), f"{subject.label} measured on this machine"
    return make_table(subject.space, list(measured["architecture"]), labels, source=source, kind="measured here")


# -------------------------------------------------------------------- how well can it be known and learnt?


def repeatability(subject: Subject, rounds: pd.DataFrame) -> pd.DataFrame:
    """Compare odd with even rounds: per target the SRCC with its interval, and the `ceiling` that follows.

    The median over all rounds correlates with the truth like sqrt(2 r / (1 + r)) (Spearman and Brown), where r is
    the correlation of the halves. Raises `ValueError` for fewer than two rounds.
    """
    odd, even = (subject.values(half) for half in halves(rounds))
    rows = []
    for target in subject.targets:
        found, low, high = srcc_with_interval(odd[target].to_numpy(), even[target].to_numpy())
        rows.append((target, found, low, high, np.sqrt(2 * max(found, 0.0) / (1 + max(found, 0.0)))))
    return pd.DataFrame(rows, columns=["target", "srcc", "low", "high", "ceiling"])


def care(lowest: float) -> str:
    """Say what to mind when this is how well two measurements agree at least (SRCC); "" where all is well."""
    if np.isnan(lowest):
        return "All networks measured the same: there is nothing to rank."
    return "" if lowest >= 0.9 else "That is below 0.9: the machine was busy, and what follows means little."


def half_by_half(subject: Subject, rounds: pd.DataFrame) -> pd.DataFrame:
    """Return the label in odd and in even rounds for a figure: columns odd, even, and flops_m where it is known."""
    odd, even = halves(rounds)
    known = known_labels(subject.space, list(odd["architecture"]))
    columns = {"odd": odd[subject.label], "even": even[subject.label]}
    return pd.DataFrame(columns).join(known[[FLOPS]]) if FLOPS in known else pd.DataFrame(columns)


def halves(rounds: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the medians over odd and over even rounds, in the same order of architectures."""
    if rounds["round"].nunique() < 2:
        raise ValueError("repeatability needs at least 2 rounds of measurements, given 1")
    return medians(rounds[rounds["round"] % 2 == 1]), medians(rounds[rounds["round"] % 2 == 0])


def learn(
    table: Table, targets: tuple[str, ...], seeds: Sequence[int], steps: int, folder: Path
) -> tuple[dict[str, list[Predictor]], pd.DataFrame]:
    """Train all targets by this page's recipe, on all rows and on all but one fold.

    Args:
        table: measured architectures.
        targets: equations over its labels.
        seeds: of the predictors that learn from all rows; the first one is that of the folds as well.
        steps: of the optimiser, about as many however many rows there are.
        folder: for trained predictors; a later call takes them from there.

    Returns:
        Per target one predictor per seed, and the predictions of every row from the other folds: columns target,
        model, predicted, truth. Norms of different folds are put on one scale by their mean and sd on training rows.
    """
    trained, folds = train(table, targets, seeds, steps, folder)
    frames = [_out_of_fold(predictor, fold.train, fold.test) for fold in folds for predictor in fold.predictors]
    return trained, pd.concat(frames, ignore_index=True)


def _out_of_fold(predictor: Predictor, train: Table, test: Table) -> pd.DataFrame:
    truth = Target(predictor.target).evaluate(test.labels)
    frames = [
        pd.DataFrame({"target": predictor.target, "model": model, "predicted": predicted, "truth": truth})
        for model, predicted in _predict(predictor, train, test).items()
    ]
    return pd.concat(frames)


def _predict(predictor: Predictor, train: Table, test: Table) -> dict[str, Array]:
    """Predict the test rows by every model of `MODELS` that the labels allow."""
    target = Target(predictor.target)
    ridge = AdditiveRidge(train.space).fit(train.architectures, target.evaluate(train.labels))
    head, norms = predictor.predict_and_norms(test.architectures)
    known = predictor.norms(train.architectures)[-1]
    found = [head, (norms[-1] - known.mean()) / known.std(), ridge.predict(test.architectures)]
    if FLOPS in test.labels:
        found.append(target.evaluate(_straight_lines(train, test)))
    return dict(zip(MODELS, found, strict=False))


def _straight_lines(train: Table, test: Table) -> pd.DataFrame:
    """Return the labels of the test rows with each measured one replaced by a straight line in multiply-adds."""
    given, wanted = train.labels[[FLOPS]].to_numpy(), test.labels[[FLOPS]].to_numpy()
    measured = [name for name in train.labels if name not in ("acc", FLOPS)]
    with threadpool_limits(1):
        lines = {str(n): LinearRegression().fit(given, train.labels[n]).predict(wanted) for n in measured}
    return test.labels.assign(**lines)


def rank_quality(predictions: pd.DataFrame) -> pd.DataFrame:
    """SRCC of the out-of-fold predictions with its interval over rows: columns target, model, srcc, low, high."""
    rows = [
        (*key, *srcc_with_interval(own["predicted"].to_numpy(), own["truth"].to_numpy()))
        for key, own in predictions.groupby(["target", "model"], sort=False)
    ]
    return pd.DataFrame(rows, columns=["target", "model", "srcc", "low", "high"])


# -------------------------------------------------------------------- building


def candidates(
    subject: Subject, table: Table, corpora: Mapping[tuple[str, str], UnitCorpus], size: int, seed: int
) -> pd.DataFrame:
    """Return what is to be measured at the end: columns target, group, place (from 0, the first choice), architecture.

    Built networks are the `size` highest sums of scores in the product of each unit's `TOP` best modules. The best
    measured and the random ones are from the table, the random ones the same for all targets.
    """
    size = min(size, len(table))
    random = [table.architectures[i] for i in np.random.default_rng([seed, 3]).permutation(len(table))[:size]]
    rows = []
    for target in subject.targets:
        order = np.argsort(-Target(target).evaluate(table.labels), kind="stable")[:size]
        groups = {group: corpora[target, group].top(TOP).best(size) for group in (NORM, EFFECT, RIDGE)}
        groups |= {BEST: [table.architectures[i] for i in order], RANDOM: random, SMALLEST: [smallest(subject.space)]}
        rows += [(target, group, place, one) for group, own in groups.items() for place, one in enumerate(own)]
    return pd.DataFrame(rows, columns=["target", "group", "place", "architecture"])


def built_labels(subject: Subject, chosen: pd.DataFrame, rounds: pd.DataFrame) -> pd.DataFrame:
    """Return the labels of the networks that AutoBuild built, with their target and group."""
    measured = medians(rounds)
    labels = pd.concat([measured[["architecture"]], subject.labels(measured)], axis=1)
    return chosen[chosen["group"].isin([NORM, EFFECT])].merge(labels, on="architecture")
