"""Outside references from pymoo: NSGA-II with the budget of our searches, and the hypervolume."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_lib.extras import extra
from autobuild_lib.search.evaluation import Evaluator
from autobuild_lib.search.evolution import Search
from autobuild_lib.spaces import SequenceSpace
from autobuild_lib.spaces.sequence import Codes

with extra("book"):
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.core.duplicate import DuplicateElimination
    from pymoo.core.evaluator import Evaluator as PymooEvaluator
    from pymoo.core.population import Population
    from pymoo.core.problem import Problem
    from pymoo.core.termination import NoTermination
    from pymoo.indicators.hv import HV
    from pymoo.operators.crossover.sbx import SBX
    from pymoo.operators.mutation.pm import PM
    from pymoo.operators.repair.rounding import RoundingRepair
    from pymoo.problems.static import StaticProblem

Genes = npt.NDArray[np.int64]


def hypervolume(points: npt.NDArray[np.float64], reference: npt.ArrayLike, scale: npt.ArrayLike = (1.0, 1.0)) -> float:
    """Return the hypervolume of `points` [N, 2] (costs) up to the `reference` point [2], in units of `scale` [2]."""
    scaled = (points - np.asarray(reference, np.float64)) / np.asarray(scale, np.float64)
    finite = scaled[np.isfinite(scaled).all(axis=1)]
    return float(HV(ref_point=np.zeros(2))(finite)) if len(finite) else 0.0


class _Genome:
    """The integer code of a space: for each place with a choice, the position of the chosen number.

    Genes of absent layers are kept, as usual, but mean nothing: two genomes may code the same architecture.
    """

    def __init__(self, space: SequenceSpace) -> None:
        self.space = space
        self.allowed = [np.array(column.allowed, dtype=np.uint8) for column in space.columns]
        self.places = [place for place, numbers in enumerate(self.allowed) if len(numbers) > 1]
        self.most = np.array([len(self.allowed[place]) - 1 for place in self.places])

    def codes(self, genes: Genes) -> Codes:
        """Genes [N, places] -> codes [N, code_width]."""
        codes = np.tile(np.array([numbers[0] for numbers in self.allowed]), (len(genes), 1))
        for column, place in enumerate(self.places):
            codes[:, place] = self.allowed[place][genes[:, column]]
        codes[self.space.absent(codes)] = 0
        return codes

    def genes(self, codes: Codes) -> Genes:
        """Codes [N, code_width] -> genes [N, places]; those of absent layers are 0."""
        columns = [(codes[:, [place]] == self.allowed[place]).argmax(axis=1) for place in self.places]
        return np.column_stack(columns)


class _Unseen(DuplicateElimination):  # type: ignore[misc]
    """Drops offspring whose architecture the search has evaluated, or that stands in the population twice."""

    def __init__(self, genome: _Genome, seen: set[bytes]) -> None:
        super().__init__()
        self.genome, self.seen = genome, seen

    def _rows(self, population: Population) -> list[bytes]:
        codes = self.genome.codes(population.get("X").astype(np.int64))
        return [key.tobytes() for key in self.genome.space.canonical_codes(codes)]

    def _do(self, population: Population, other: Population | None, duplicate: npt.NDArray[np.bool_]) -> object:
        earlier = self.seen if other is None else set(self._rows(other))
        rows = self._rows(population)
        first = {row: place for place, row in reversed(list(enumerate(rows)))}
        duplicate[:] = [row in earlier or first[row] < place for place, row in enumerate(rows)]
        return duplicate


def nsga2(
    space: SequenceSpace,
    evaluator: Evaluator,
    *,
    maximise: str,
    minimise: str,
    seed: int = 0,
    start: int = 50,
    rounds: int = 4,
    mutations: int = 50,
    log: Path | str | None = None,
    workers: int | None = None,
    progress: bool = True,
    retry_failed: bool = False,
) -> pd.DataFrame:
    """Search with NSGA-II (Deb et al., 2002) as pymoo has it, with its operators for integers.

    Starts from `start` random architectures, which is also the size of the population, and makes `rounds` generations
    of `mutations` offspring. No architecture is evaluated twice; where mating gives too few new ones, random
    architectures fill the generation. Arguments and result are those of `evolve`.
    """
    rng, genome, sizes = np.random.default_rng(seed), _Genome(space), [start, *[mutations] * rounds]
    with Search(space, evaluator, (maximise, minimise), sizes, log, workers, progress, retry_failed) as search:

        def random(size: int) -> Codes:
            return space.sample_codes(rng, size)

        algorithm = _algorithm(genome, genome.genes(search.fresh(start, random)), mutations, search.seen, seed)
        for size in sizes:
            if not _generation(search, algorithm, genome, size, random):
                break
        return search.table()


def _generation(search: Search, algorithm: NSGA2, genome: _Genome, size: int, random: Callable[[int], Codes]) -> bool:
    """Ask for offspring, evaluate `size` new architectures, report them; say whether there were as many."""
    offspring = _ask(algorithm, genome)
    codes = search.fresh(size, lambda _: genome.codes(offspring), random)
    if not search.evaluate(codes, size):
        return False
    genes = np.concatenate([offspring, genome.genes(codes[len(offspring) :])])
    _tell(algorithm, genes, search.points[-size:])
    return True


def _algorithm(genome: _Genome, first: Genes, offspring: int, seen: set[bytes], seed: int) -> NSGA2:
    operators = {"vtype": float, "repair": RoundingRepair()}  # as pymoo's manual has them for integers
    algorithm = NSGA2(
        pop_size=len(first),
        n_offsprings=offspring,
        sampling=first,
        crossover=SBX(prob=1.0, eta=3.0, **operators),
        mutation=PM(prob=1.0, eta=3.0, **operators),
        eliminate_duplicates=_Unseen(genome, seen),
    )
    problem = Problem(n_var=len(genome.places), n_obj=2, xl=0, xu=genome.most, vtype=int)
    return algorithm.setup(problem, seed=seed, termination=NoTermination())


def _ask(algorithm: NSGA2, genome: _Genome) -> Genes:
    """Genes of the next generation, [n, places]; none when mating finds nothing new."""
    asked = algorithm.ask()
    if asked is None or len(asked) == 0:
        return np.empty((0, len(genome.places)), dtype=np.int64)
    return np.asarray(asked.get("X"), dtype=np.int64)


def _tell(algorithm: NSGA2, genes: Genes, points: npt.NDArray[np.float64]) -> None:
    """Report the costs [n, 2] of genes [n, places]; failed evaluations are left out."""
    finite = np.isfinite(points).all(axis=1)
    if finite.any():
        told = Population.new(X=genes[finite])
        PymooEvaluator().eval(StaticProblem(algorithm.problem, F=points[finite]), told)
        algorithm.tell(infills=told)
