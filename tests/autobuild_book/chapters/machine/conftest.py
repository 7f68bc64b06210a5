"""The whole chapter on a cheap measure."""

from typing import Any

import numpy as np
import pytest

import autobuild_lib as ab
from autobuild_book.chapters.machine import building, gains, learning, subjects
from autobuild_book.chapters.machine.latency import measure_rounds
from autobuild_book.chapters.machine.subjects import Subject
from autobuild_book.chapters.shared import few_labels
from tests.helpers.cheap_measures import toy_latency


@pytest.fixture
def toy_subject(toy: ab.SequenceSpace) -> Subject:
    return Subject(toy, toy_latency, "latency", ("1000 / latency",))


@pytest.fixture(scope="module")
def chapter(toy: ab.SequenceSpace, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """From 40 measurements with 2 % of noise to the comparison."""
    rng = np.random.default_rng(0)

    def noisy(architecture: ab.Architecture) -> float:
        return toy_latency(architecture) * float(rng.normal(1, 0.02))

    subject = Subject(toy, noisy, "latency", ("1000 / latency",))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(few_labels, "fit_jobs", lambda jobs, folder: [job.run(folder) for job in jobs])
        rounds = measure_rounds(subjects.draw(toy, 40, 0), noisy, 2, progress=False)
        table = subjects.measured_table(subject, rounds)
        folder = tmp_path_factory.mktemp("predictors")
        trained, predictions = learning.learn(table, subject.targets, [0, 1], 120, folder)
    corpora = few_labels.score(table, trained)
    chosen = building.candidates(subject, table, corpora, 5, 0)
    final = measure_rounds(list(dict.fromkeys(chosen["architecture"])), noisy, 3, progress=False)
    values = gains.final_values(subject, chosen, final)
    return locals()
