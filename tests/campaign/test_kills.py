"""A kill before each file operation of each writer: there is the old or the new, and the work can be done again.

Searches under real kills of their process are in tests/autobuild_lib/search, downloads in tests/autobuild_lib/released.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import autobuild_lib as ab
from autobuild_book.chapters.your_space import mlps
from autobuild_book.downloads import fetch
from autobuild_book.measured.tables import join_manifest
from autobuild_book.runs.metrics import read_metrics
from autobuild_book.runs.recording import Run
from autobuild_lib.released.checksums import LOCK_NAME, read_checksums
from autobuild_lib.search.log import Evaluation, EvaluationLog
from autobuild_lib.storage import read_json, replace_text
from autobuild_lib.units.reduced import ReducedSpace
from tests.helpers.kill_points import killed_at_each_point

pytestmark = pytest.mark.slow

KILLS = {"predictor": 3, "reduced space": 3, "table": 3, "log": 3, "rows": 1, "manifest": 3, "checksums": 3,
         "table of a notebook": 3, "metrics": 3}  # fmt: skip


@dataclass(frozen=True)
class Writer:
    """What puts things as they were before, the work, and what is there: one of the values, or an error."""

    before: Callable[[], object]
    work: Callable[[], object]
    look: Callable[[], object]
    old: object
    new: object


@pytest.fixture(scope="module")
def predictors(toy: ab.SequenceSpace, toy_table: ab.data.Table) -> list[ab.Predictor]:
    return [ab.fit(toy, toy_table, "additive", seed=seed, epochs=1, progress=False) for seed in (0, 1)]


@pytest.fixture
def writers(predictors: list[ab.Predictor], toy: ab.SequenceSpace, tmp_path: Path) -> dict[str, Writer]:
    two, path = list(toy.sample(np.random.default_rng(0), 2)), tmp_path / "file"
    first, second = (Evaluation(a, {"acc": float(n)}) for n, a in enumerate(two))
    row = mlps.Measurement(str(mlps.sample_architectures(1)[0]), 1, 0.5, 100, 1.5, "a machine")
    other = mlps.Measurement(row.architecture, 2, 0.5, 100, 1.5, "a machine")
    old, new = (ab.score_units(one).top(k) for k, one in zip((1, 2), predictors, strict=True))
    run = Run("01_x", tmp_path / "run", {"profile": "quick", "seed": 1})
    entry = {"file": "a.csv", "rows": 1}

    def write_table(rows: int) -> None:
        run.table("t", lambda: pd.DataFrame({"a": range(rows)}))

    def write_log(evaluations: list[Evaluation]) -> None:
        EvaluationLog(path, toy).append(evaluations)

    return {
        "predictor": Writer(
            lambda: predictors[0].save(tmp_path / "p"), lambda: predictors[1].save(tmp_path / "p"),
            lambda: ab.load(tmp_path / "p").predict(two).tolist(),
            predictors[0].predict(two).tolist(), predictors[1].predict(two).tolist(),
        ),
        "reduced space": Writer(lambda: old.save(path), lambda: new.save(path), lambda: ReducedSpace.load(path).size,
                                old.size, new.size),
        "table": Writer(lambda: replace_text(path, "old"), lambda: replace_text(path, "new"), path.read_text,
                        "old", "new"),
        "log": Writer(lambda: (path.unlink(missing_ok=True), write_log([first])), lambda: write_log([first, second]),
                      lambda: len(EvaluationLog(path, toy).evaluations), 1, 2),
        "rows": Writer(lambda: (path.unlink(missing_ok=True), mlps.ROWS.append(path, row)),
                       lambda: mlps.ROWS.append(path, other), lambda: len(mlps.ROWS.read(path)), 1, 2),
        "manifest": Writer(lambda: ((tmp_path / "manifest.json").unlink(missing_ok=True),
                                    join_manifest(tmp_path, "a", entry)),
                           lambda: join_manifest(tmp_path, "b", entry),
                           lambda: sorted(read_json(tmp_path / "manifest.json")), ["a"], ["a", "b"]),
        "checksums": Writer(lambda: ((tmp_path / LOCK_NAME).unlink(missing_ok=True), path.write_text("x")),
                            lambda: fetch("file", tmp_path, "http://localhost:1/"),
                            lambda: list(read_checksums(tmp_path)), [], ["file"]),
        "table of a notebook": Writer(lambda: write_table(1), lambda: write_table(3),
                                      lambda: len(pd.read_csv(run.folder / "t.csv")), 1, 3),
        "metrics": Writer(lambda: run.finish(size=1), lambda: run.finish(size=3),
                          lambda: read_metrics(run.folder / "metrics.json")["metrics"], {"size": 1}, {"size": 3}),
    }  # fmt: skip


@pytest.mark.parametrize("name", KILLS)
def test_a_kill_leaves_the_old_or_the_new(
    writers: dict[str, Writer], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    writer, kills = writers[name], 0
    writer.before()
    assert writer.look() == writer.old
    for _ in killed_at_each_point(writer.work):
        kills += 1
        assert writer.look() in (writer.old, writer.new)
        writer.work()
        assert writer.look() == writer.new
        writer.before()
    assert writer.look() == writer.new and kills >= KILLS[name]
