"""What experiments 3 and 4 share: families, devices, the target equations, and one predictor for each."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from autobuild_book.chapters.shared.fits import FitJob, fit_jobs, hop_options
from autobuild_book.chapters.shared.splits import Split, load_splits
from autobuild_lib import surrogate
from autobuild_lib.predictor import Predictor
from autobuild_lib.spaces import SequenceSpace
from autobuild_lib.surrogate import Surrogate
from autobuild_lib.targets import Target, quoted

LATENCY = "{latency}"  # in an equation: the latency label of a panel's device
LABELS = {"gpu": "latency_gpu", "cpu": "latency_cpu", "npu": "latency_npu"}
# What is learnt by default, the same in both notebooks, so that each finds the predictors that the other has trained.
# The powers were chosen by looking where the best of 60,000 random architectures with surrogate labels lie along the
# latency axis, before any module was scored.
REGIONS = {
    "fast": "power(acc, 10) / {latency}",
    "balanced": "power(acc, 20) / {latency}",
    "accurate": "power(acc, 40) / {latency}",
}
COMMON = {"accuracy": "acc", **REGIONS}
SPECIAL = {
    "gpu": {
        "per latency": "acc * 100 / {latency}",
        "power-log": "np.power(100, acc) / (np.log10({latency} + 1) + 1)",
    }
}


@dataclass(frozen=True)
class Panel:
    """One family on one device, and its target equations by name."""

    split: Split
    device: str
    equations: Mapping[str, str]

    @property
    def family(self) -> str:
        """Name of the search space."""
        return self.split.family

    @property
    def latency(self) -> str:
        """Name of the device's latency label."""
        return LABELS[self.device]

    def only(self, names: Collection[str]) -> "Panel":
        """Return the panel with those of its equations that have one of these names."""
        return replace(self, equations={name: e for name, e in self.equations.items() if name in names})


def load_panels(
    source: str,
    common: Mapping[str, str],
    special: Mapping[str, Mapping[str, str]],
    space: SequenceSpace | None = None,
) -> list[Panel]:
    """Load "bundled" (both families) or one source as one panel per family and device.

    Args:
        source: as for `data.load`, or "bundled".
        common: equations by name for every device; `{latency}` stands for its latency.
        special: further equations for some devices.
        space: of a source that does not say it itself.

    Raises:
        ValueError: when the source has no latency label that the equations need.
    """
    equations = {
        device: {
            name: str(Target(e.replace(LATENCY, label))) for name, e in {**common, **special.get(device, {})}.items()
        }
        for device, label in LABELS.items()
    }
    every = list(dict.fromkeys(e for by_name in equations.values() for e in by_name.values()))
    panels, splits = [], load_splits(source, every, space)
    for split in splits:
        for device, by_name in equations.items():
            usable = {name: equation for name, equation in by_name.items() if equation in split.targets}
            if LABELS[device] in split.train.labels and usable:
                panels.append(Panel(split, device, usable))
    if not panels:
        labels = ", ".join(map(quoted, map(str, splits[0].train.labels)))
        raise ValueError(f"{source} has labels {labels}; these equations need one of {', '.join(LABELS.values())}")
    return panels


def train(
    tasks: Sequence[tuple[Split, int]], folder: Path, preset: str = "paper", **overrides: Any
) -> dict[tuple[str, str, int], Predictor]:
    """Train the targets of each (split, seed) side by side, kept in `folder`; return (family, target, seed) -> one."""
    options = tuple(sorted(overrides.items()))
    jobs = [FitJob(split.train, split.targets, seed, preset, options) for split, seed in tasks]
    trained = {}
    for job, predictors in zip(jobs, fit_jobs(jobs, folder), strict=True):
        for predictor in predictors:
            trained[job.table.space.name, predictor.target, job.seed] = predictor
    return trained


def evaluator(panel: Panel) -> Surrogate | None:
    """Return the noise-free surrogate that labels architectures of a panel; None for spaces without one."""
    name = panel.family
    is_ours = name in surrogate.SPACES and surrogate.SPACES[name]() == panel.split.train.space
    return surrogate.load_bundled(name) if is_ours else None


def train_all(
    panels: Sequence[Panel], seeds: Sequence[int], more_seeds: Sequence[int], folder: Path, epochs: int
) -> dict[tuple[str, str, int], Predictor]:
    """Train the predictors of all targets, as `panels.train` does, and with `more_seeds` those of the first panel.

    Where a unit is too deep for the norm score, there are more hops.
    """
    spaces = [panel.split.train.space for panel in panels]
    splits = list({panel.family: panel.split for panel in panels}.values())
    first = replace(panels[0].split, targets=tuple(panels[0].equations.values()))
    tasks = [(split, seed) for seed in seeds for split in splits] + [(first, seed) for seed in more_seeds]
    return train(tasks, folder, epochs=epochs, **hop_options(*spaces))
