"""Many trainings on all cores: resumable, and independent of how many run at once."""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch

from autobuild_book.hops import enough_hops
from autobuild_book.parallel import in_processes
from autobuild_lib import ir_training, losses, predictor, training
from autobuild_lib.data import IRTable, Table
from autobuild_lib.data.table import Labelled
from autobuild_lib.engine import encoder, kernels, layers, neighbourhoods, operations, passing, stacked
from autobuild_lib.graphs import ir, layers as layer_graphs
from autobuild_lib.ir_training import fit_ir_many
from autobuild_lib.loading import load
from autobuild_lib.predictor import NetworkConfig, Predictor
from autobuild_lib.spaces import SequenceSpace, layout, links
from autobuild_lib.storage import PARTIAL, remove_abandoned, unfinished
from autobuild_lib.targets import Target
from autobuild_lib.training import configure, fit_many

CODE = (  # what the result of a training depends on
    layout, links, layer_graphs, ir, kernels, passing, neighbourhoods, encoder, stacked, layers, operations, losses,
    predictor, training, ir_training,
)  # fmt: skip
Rows = TypeVar("Rows", bound=Labelled)


@dataclass(frozen=True)
class FitJob(Generic[Rows]):
    """One call of `fit_many`, or of `fit_ir_many`: several targets, one training table, one seed."""

    table: Rows  # of architectures, or of op-level graphs
    targets: tuple[str, ...]
    seed: int = 0
    preset: str = "paper"
    overrides: tuple[tuple[str, Any], ...] = ()

    @property
    def key(self) -> str:
        """A name for everything the result depends on: data, targets, seed, options, and the code that trains."""
        is_ir = isinstance(self.table, IRTable)
        presets = training.IR_PRESETS if is_ir else training.PRESETS
        network, config = configure(self.preset, dict(self.overrides), presets)
        options = [self.targets, self.seed, asdict(network), asdict(config), torch.__version__]
        digest = hashlib.sha256(json.dumps(options, sort_keys=True).encode())
        for part in _bytes_of(self.table):
            digest.update(part)
        for target in self.targets:
            digest.update(self.table.evaluate(Target(target)).tobytes())
        for module in CODE:
            digest.update(Path(str(module.__file__)).read_bytes())
        return digest.hexdigest()[:16]

    def run(self, folder: Path | None = None) -> list[Predictor]:
        """Train on one thread; with a `folder`, save there and take what is saved already."""
        place = None if folder is None else folder / self.key
        if place is not None and place.is_dir():
            return [load(place / Target(target).id) for target in self.targets]
        predictors = self._train(dict(self.overrides))
        if place is not None:
            _save(predictors, place)
        return predictors

    def _train(self, options: dict[str, Any]) -> list[Predictor]:
        recipe = self.targets, self.seed, self.preset, False
        if isinstance(self.table, IRTable):
            return [*fit_ir_many(self.table, *recipe, **options)]
        if isinstance(self.table, Table):
            return [*fit_many(self.table.space, self.table, *recipe, **options)]
        raise TypeError(f"a table of {type(self.table).__name__}; predictors learn from Table and IRTable")


def _bytes_of(table: Labelled) -> Iterator[bytes]:
    """Everything that tells one row of inputs from another, and what the rows are part of."""
    if isinstance(table, Table):
        yield json.dumps(table.space.to_json(), sort_keys=True).encode()
        yield table.space.to_codes(table.architectures).tobytes()
    if isinstance(table, IRTable):
        for graph in table.graphs:
            for part in (graph.operations, graph.shapes, graph.attributes, graph.edges):
                yield b"%d " % len(part)  # so that no two graphs are the same bytes cut elsewhere
                yield part.tobytes()


def _save(predictors: Sequence[Predictor], place: Path) -> None:
    """Save all predictors of a job, or none; what killed jobs have left goes."""
    remove_abandoned(place.parent, f"*{PARTIAL}*")
    try:
        with unfinished(place, lambda partial: partial.mkdir(parents=True)) as partial:
            for fitted in predictors:
                fitted.save(partial / Target(fitted.target).id)
            os.replace(partial, place)
    except OSError:
        if not place.is_dir():  # otherwise another process was first
            raise


def hop_options(*spaces: SequenceSpace) -> dict[str, Any]:
    """Return the option `hops` where units are so deep that the hops of the paper are not enough; otherwise none."""
    enough = enough_hops(*spaces)
    return {} if enough == NetworkConfig().hops else {"hops": enough}


def fit_jobs(
    jobs: Sequence[FitJob[Rows]], folder: Path | None = None, workers: int | None = None, progress: bool = True
) -> list[list[Predictor]]:
    """Run jobs in processes of one thread each (default: one per core); results do not depend on `workers`.

    With a `folder`, finished jobs are kept there, and a later call, also after a kill, takes them from there.
    """
    if folder is not None and all((folder / job.key).is_dir() for job in jobs):
        return [job.run(folder) for job in jobs]  # nothing to train
    return in_processes(FitJob.run, [(job, folder) for job in jobs], "training", workers, progress)
