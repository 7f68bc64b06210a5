"""The paper's search: random architectures, then rounds of mutations of the current non-dominated front."""

import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_lib.progress import progress_bar
from autobuild_lib.search.evaluation import Evaluations, Evaluator, as_table, open_log
from autobuild_lib.search.log import Evaluation
from autobuild_lib.search.mutations import Mutation
from autobuild_lib.search.pareto import costs, front
from autobuild_lib.spaces import Codes, SequenceSpace
from autobuild_lib.targets import Target

logger = logging.getLogger(__name__)
MOST_REPEATS = 20_000  # draws in a row without anything new, after which a search looks elsewhere


class Search(ExitStack):
    """What one search has evaluated so far: no architecture twice, failed or isomorphic ones included.

    codes [N, code_width] and points [N, 2] (costs, NaN where the evaluation failed) are in order of evaluation.
    """

    def __init__(
        self, space: SequenceSpace, evaluator: Evaluator, objectives: tuple[str, str], rounds: Sequence[int],
        log: Path | str | None, workers: int | None, progress: bool, retry_failed: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        if min(rounds) < 1:
            raise ValueError(f"rounds of {list(rounds)} evaluations; each needs at least 1")
        self.space, self.budget = space, sum(rounds)
        self.objectives = tuple(Target(text).canonical for text in objectives)  # to maximise, to minimise
        earlier = open_log(log, space, retry_failed, evaluator)
        asked = Evaluations(evaluator, earlier, workers, lambda done: costs(as_table(done).iloc[:0], *self.objectives))
        self._evaluations = self.enter_context(asked)  # objectives that the labels lack are an error after the first
        bar = progress_bar(total=self.budget, desc="search", unit="architecture", disable=not progress)
        self._bar = self.enter_context(bar)
        self._finished: list[Evaluation] = []
        self._rounds: list[int] = []
        self.seen: set[bytes] = set()
        self.codes: Codes = np.empty((0, space.code_width), dtype=np.uint8)
        self.points: npt.NDArray[np.float64] = np.empty((0, 2))

    def fresh(self, size: int, *draws: Callable[[int], Codes]) -> Codes:
        """Return `size` new architectures, [size, code_width], or fewer where there are no more.

        The next of `draws` is asked when the one before has long given nothing new.
        """
        fresh: dict[bytes, Codes] = {}
        for draw in draws:
            repeats = 0
            while len(fresh) < size and repeats < MOST_REPEATS:
                codes = draw(size)
                rows = dict(zip(map(bytes, self.space.canonical_codes(codes)), codes, strict=True))
                new = [key for key in rows if key not in self.seen and key not in fresh][: size - len(fresh)]
                fresh.update((key, rows[key]) for key in new)
                repeats = 0 if new else repeats + size
        return np.array([*fresh.values()], dtype=np.uint8).reshape(len(fresh), self.space.code_width)

    def evaluate(self, codes: Codes, size: int) -> bool:
        """Evaluate new architectures [n, code_width] as the next round; say whether there are `size` of them."""
        number = self._rounds[-1] + 1 if self._rounds else 0
        if len(codes):
            self._finished += self._judged(self._evaluations.run(self.space.from_codes(codes), self._bar))
            self._rounds += [number] * len(codes)
            self.seen.update(map(bytes, self.space.canonical_codes(codes)))
            self.codes = np.concatenate([self.codes, codes])
            if all(evaluation.error for evaluation in self._finished):
                log = self._evaluations.log.path
                retry = f"; retry_failed=True (--retry-failed) evaluates those in {log} again" if log else ""
                reason = f"all {len(self._finished)} evaluations failed, the last with: {self._finished[-1].error}"
                raise ValueError(f"{reason}{retry}")
            self.points = costs(self.table(), *self.objectives)
        if len(codes) < size:
            logger.warning("no new architecture: the search stops at %d of %d evaluations", len(self.seen), self.budget)
        return len(codes) == size

    def _judged(self, finished: list[Evaluation]) -> list[Evaluation]:
        """Count as failed what has labels, but an objective that is not finite; the log keeps its labels."""
        labelled = [evaluation for evaluation in finished if not evaluation.error]
        try:
            if labelled:
                costs(as_table(labelled), *self.objectives)
        except ValueError as error:
            if len(finished) > 1:
                return [judged for evaluation in finished for judged in self._judged([evaluation])]
            logger.warning("evaluation of %s failed: %s", finished[0].architecture, error)
            return [Evaluation(finished[0].architecture, {}, str(error))]
        return finished

    def table(self) -> pd.DataFrame:
        """Return one row per evaluation, in order: architecture, its labels (NaN where it failed), round."""
        return as_table(self._finished).assign(round=self._rounds)


def evolve(
    mutation: Mutation, evaluator: Evaluator, *, maximise: str, minimise: str, seed: int = 0, start: int = 50,
    rounds: int = 4, mutations: int = 50, log: Path | str | None = None, workers: int | None = None,
    progress: bool = True, retry_failed: bool = False,
) -> pd.DataFrame:  # fmt: skip
    """Search for the accuracy-latency front, or that of any two objectives (paper, Section 4).

    Evaluates `start` random architectures, then in each of `rounds` as many new `mutations` of random members of the
    front found so far. When mutations of the front give nothing new, random architectures fill the round; when there
    are none either, the search stops with a warning. Returns one row per evaluation, in order: architecture, its labels
    (NaN where it failed), round (0 for the start).

    Args:
        mutation: how to draw and to change, in which space: `StageMutation` or your own.
        evaluator: see `Evaluator`. A failed evaluation counts; labels for which an objective is not finite have failed.
        maximise, minimise: target equations over the labels, such as "acc" and "latency_gpu".
        seed: of all draws; the result depends on it and on the labels only.
        log, workers, retry_failed: as in `evaluate_all`; the same call after a kill goes on from the log.
    """
    rng, sizes = np.random.default_rng(seed), [start, *[mutations] * rounds]
    with Search(mutation.space, evaluator, (maximise, minimise), sizes, log, workers, progress, retry_failed) as search:

        def mutants(size: int) -> Codes:
            parents = search.codes[front(search.points)]
            return mutation.mutate(rng, parents[rng.integers(len(parents), size=size)])

        random = partial(mutation.sample, rng)
        for number, size in enumerate(sizes):
            draws = (mutants, random) if number else (random,)
            if not search.evaluate(search.fresh(size, *draws), size):
                break
        return search.table()
