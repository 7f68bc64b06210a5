"""Many trainings on all cores: resumable, and independent of how many run at once."""

import hashlib
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, Generic, TypeVar

import torch

from autobuild_lib import ir_predictor, ir_training, losses, predictor, training
from autobuild_lib.data.ir import IRTable
from autobuild_lib.data.table import Labelled, Table
from autobuild_lib.engine import neighbourhoods, operations, paths, sparse
from autobuild_lib.graphs import ir, path, ragged
from autobuild_lib.ir_predictor import IRPredictor
from autobuild_lib.ir_training import fit_ir_many
from autobuild_lib.predictor import NetworkConfig, Predictor, load
from autobuild_lib.processes import in_processes
from autobuild_lib.spaces import SequenceSpace
from autobuild_lib.storage import PARTIAL, remove_abandoned, unfinished
from autobuild_lib.targets import Target
from autobuild_lib.training import PRESETS, configure, enough_hops, fit_many

CODE = (path, ragged, paths, losses, predictor, training)  # what a trained predictor depends on
IR_CODE = (
    ir, neighbourhoods, ragged, sparse, paths, operations, losses, predictor, ir_predictor, training, ir_training,
)  # fmt: skip
Trained = TypeVar("Trained", Predictor, IRPredictor)


class Job(ABC, Generic[Trained]):
    """Training of several targets on one table, from one seed."""

    CODE: ClassVar[tuple[ModuleType, ...]]
    PRESETS: ClassVar[Mapping[str, dict[str, Any]]]

    targets: tuple[str, ...]
    seed: int
    preset: str
    overrides: tuple[tuple[str, Any], ...]

    @property
    def key(self) -> str:
        """A name for everything the result depends on: data, targets, seed, options, and the code that trains."""
        network, config = configure(self.preset, dict(self.overrides), self.PRESETS)
        options = [*self._named(), self.targets, self.seed, asdict(network), asdict(config), torch.__version__]
        digest = hashlib.sha256(json.dumps(options, sort_keys=True).encode())
        for part in self._inputs():
            digest.update(part)
        for target in self.targets:
            digest.update(self._table().evaluate(Target(target)).tobytes())
        for module in self.CODE:
            digest.update(Path(str(module.__file__)).read_bytes())
        return digest.hexdigest()[:16]

    def run(self, folder: Path | None = None) -> list[Trained]:
        """Train on one thread; with a `folder`, save there and take what is saved already."""
        place = None if folder is None else folder / self.key
        if place is not None and place.is_dir():
            return [self._load(place / Target(target).id) for target in self.targets]
        trained = self._train(dict(self.overrides))
        if place is not None:
            _save(trained, place)
        return trained

    @abstractmethod
    def _table(self) -> Labelled:
        """The training table."""

    @abstractmethod
    def _named(self) -> list[object]:
        """What the inputs are part of, fit for JSON."""

    @abstractmethod
    def _inputs(self) -> Iterator[bytes]:
        """Everything that tells one row of inputs from another."""

    @abstractmethod
    def _train(self, options: dict[str, Any]) -> list[Trained]:
        """Train, without a progress bar."""

    @abstractmethod
    def _load(self, folder: Path) -> Trained:
        """Read one predictor."""


@dataclass(frozen=True)
class FitJob(Job[Predictor]):
    """One call of `fit_many`: several targets, one training table, one seed."""

    CODE = CODE
    PRESETS = PRESETS

    space: SequenceSpace
    table: Table
    targets: tuple[str, ...]
    seed: int = 0
    preset: str = "paper"
    overrides: tuple[tuple[str, Any], ...] = ()

    def _table(self) -> Labelled:
        return self.table

    def _named(self) -> list[object]:
        return [self.space.to_json()]

    def _inputs(self) -> Iterator[bytes]:
        yield self.space.to_codes(self.table.architectures).tobytes()

    def _train(self, options: dict[str, Any]) -> list[Predictor]:
        return fit_many(self.space, self.table, self.targets, self.seed, self.preset, progress=False, **options)

    def _load(self, folder: Path) -> Predictor:
        return load(folder)


@dataclass(frozen=True)
class IRFitJob(Job[IRPredictor]):
    """One call of `fit_ir_many`: several targets, one table of IR graphs, one seed."""

    CODE = IR_CODE
    PRESETS = ir_training.PRESETS

    table: IRTable
    targets: tuple[str, ...]
    seed: int = 0
    preset: str = "paper"
    overrides: tuple[tuple[str, Any], ...] = ()

    def _table(self) -> Labelled:
        return self.table

    def _named(self) -> list[object]:
        return []

    def _inputs(self) -> Iterator[bytes]:
        for graph in self.table.graphs:
            for part in (graph.operations, graph.shapes, graph.attributes, graph.edges):
                yield b"%d " % len(part)  # so that no two graphs are the same bytes cut elsewhere
                yield part.tobytes()

    def _train(self, options: dict[str, Any]) -> list[IRPredictor]:
        return fit_ir_many(self.table, self.targets, self.seed, self.preset, progress=False, **options)

    def _load(self, folder: Path) -> IRPredictor:
        return IRPredictor.load(folder)


def _save(trained: Sequence[Predictor] | Sequence[IRPredictor], place: Path) -> None:
    """Save all predictors of a job, or none; what killed jobs have left goes."""
    remove_abandoned(place.parent, f"*{PARTIAL}*")
    try:
        with unfinished(place, lambda partial: partial.mkdir(parents=True)) as partial:
            for one in trained:
                one.save(partial / Target(one.target).id)
            os.replace(partial, place)
    except OSError:
        if not place.is_dir():  # otherwise another process was first
            raise


def hop_options(*spaces: SequenceSpace) -> dict[str, Any]:
    """Return the option `hops` where units are so deep that the hops of the paper are not enough; otherwise none."""
    enough = enough_hops(*spaces)
    return {} if enough == NetworkConfig().hops else {"hops": enough}


def fit_jobs(
    jobs: Sequence[Job[Trained]], folder: Path | None = None, workers: int | None = None, progress: bool = True
) -> list[list[Trained]]:
    """Run jobs in processes of one thread each (default: one per core); results do not depend on `workers`.

    With a `folder`, finished jobs are kept there, and a later call, also after a kill, takes them from there.
    """
    if folder is not None and all((folder / job.key).is_dir() for job in jobs):
        return [job.run(folder) for job in jobs]  # nothing to train
    return in_processes(Job.run, [(job, folder) for job in jobs], "training", workers, progress)
