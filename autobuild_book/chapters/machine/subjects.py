"""What is measured on the reader's own machine, and the architectures that are measured first."""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from autobuild_book.chapters.machine.latency import LatencyMeter, Measure, medians
from autobuild_lib import data, surrogate
from autobuild_lib.data.files import FLOPS
from autobuild_lib.data.table import Table, make_table
from autobuild_lib.networks import count_macs
from autobuild_lib.networks.blueprint import has_networks
from autobuild_lib.spaces import Architecture, SequenceSpace, ofa_mbv3, read_space
from autobuild_lib.targets import Target, quoted

DRAWS = 20  # of twice as many architectures as are asked for, in spaces that have hardly more


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
    chosen = read_space(space) if space else ofa_mbv3() if source == "bundled" else data.load(source).space
    note = ""
    if not measure and not has_networks(chosen):
        note = (
            f"Space {chosen.name} has no networks to build, and no function `measure` was given: "
            "this page measures OFA-MobileNetV3 instead."
        )
        chosen = ofa_mbv3()
    labels = {label, *known_labels(chosen, [])}
    spelt = dict.fromkeys(str(Target(target)) for target in targets)
    usable = tuple(target for target in spelt if set(Target(target).labels) <= labels)
    if not usable:
        raise ValueError(f"no target of {list(targets)} can be computed from {', '.join(map(quoted, sorted(labels)))}")
    return Subject(chosen, find_measure(measure) if measure else meter, label, usable), note


def find_measure(name: str) -> Measure:
    """Return the function "module:function"; anything else is a `ValueError`."""
    module, _, function = name.partition(":")
    try:
        attribute = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"measure={name!r}: {error}; give module:function of a module that can be imported") from None
    if not callable(attribute):
        raise ValueError(f"measure={name!r} is a {type(attribute).__name__}; give a function of an architecture")
    return attribute  # type: ignore[no-any-return]


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
    return space.from_codes(space.choose(np.zeros((1, space.code_width))))[0]


def measured_table(subject: Subject, rounds: pd.DataFrame) -> Table:
    """Return the table of measured architectures, each with the median over rounds and what else is known."""
    measured = medians(rounds)
    labels, source = subject.labels(measured), f"{subject.label} measured on this machine"
    return make_table(subject.space, list(measured["architecture"]), labels, source=source, kind="measured here")
