"""Many trainings on all cores: resumable, and independent of how many run at once."""

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from autobuild_lib import layers, losses, predictor, training
from autobuild_lib.data.table import Table
from autobuild_lib.graphs import path
from autobuild_lib.predictor import Predictor, load
from autobuild_lib.spaces import SequenceSpace
from autobuild_lib.targets import Target
from autobuild_lib.training import configure, fit_many

CODE = (path, layers, losses, predictor, training)  # what a trained predictor depends on


@dataclass(frozen=True)
class FitJob:
    """One call of `fit_many`: several targets, one training table, one seed."""

    space: SequenceSpace
    table: Table
    targets: tuple[str, ...]
    seed: int = 0
    preset: str = "paper"
    overrides: tuple[tuple[str, Any], ...] = ()

    @property
    def key(self) -> str:
        """A name for everything the result depends on: data, targets, seed, options, and the code that trains."""
        network, config = configure(self.preset, dict(self.overrides))
        options = [self.space.to_json(), self.targets, self.seed, asdict(network), asdict(config), torch.__version__]
        digest = hashlib.sha256(json.dumps(options, sort_keys=True).encode())
        digest.update(self.space.to_codes(self.table.architectures).tobytes())
        for target in self.targets:
            digest.update(Target(target).evaluate(self.table.labels).tobytes())
        for module in CODE:
            digest.update(Path(str(module.__file__)).read_bytes())
        return digest.hexdigest()[:16]

    def run(self, folder: Path | None = None) -> list[Predictor]:
        """Train on one thread; with a `folder`, save there and take what is saved already."""
        place = None if folder is None else folder / self.key
        if place is not None and place.is_dir():
            return [load(place / Target(target).id) for target in self.targets]
        options = dict(self.overrides)
        trained = fit_many(self.space, self.table, self.targets, self.seed, self.preset, progress=False, **options)
        if place is not None:
            _save(trained, place)
        return trained


def _save(trained: Sequence[Predictor], place: Path) -> None:
    """Save all predictors of a job, or none."""
    partial = place.with_suffix(f".partial-{uuid.uuid4().hex}")  # processes may run on several machines
    try:
        for one in trained:
            one.save(partial / Target(one.target).id)
        os.replace(partial, place)
    except OSError:
        if not place.is_dir():  # otherwise another process was first
            raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def fit_jobs(
    jobs: Sequence[FitJob], folder: Path | None = None, workers: int | None = None, progress: bool = True
) -> list[list[Predictor]]:
    """Run jobs in processes of one thread each (default: one per core); results do not depend on `workers`.

    With a `folder`, finished jobs are kept there, and a later call, also after a kill, takes them from there.
    """
    if folder is not None and all((folder / job.key).is_dir() for job in jobs):
        return [job.run(folder) for job in jobs]  # nothing to train
    workers = min(len(jobs), workers or os.cpu_count() or 1)
    bar = tqdm(total=len(jobs), desc="training", unit="job", disable=not progress)
    with bar, ProcessPoolExecutor(max(workers, 1), mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(FitJob.run, job, folder) for job in jobs]
        for future in futures:
            future.add_done_callback(lambda _: bar.update())
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)  # report a failure now, not after all other jobs
            raise
