"""Bayesian optimisation over a grammar, with the hierarchical Weisfeiler-Lehman kernel (Schrodi et al., NeurIPS 2023).

A Gaussian process learns from what was evaluated. Candidates are drawn from the grammar, and made from the best so far
by mutation and crossover; those of the highest expected improvement are evaluated next, a few at once.
"""

import functools
from collections.abc import Callable, Hashable, Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import norm, rankdata

from autobuild_book.chapters.neighbours.grammars.counting import Counts
from autobuild_book.chapters.neighbours.grammars.derivations import Derivation
from autobuild_book.chapters.neighbours.grammars.moves import crossed, mutated
from autobuild_book.chapters.neighbours.grammars.networks import wiring_of
from autobuild_book.chapters.neighbours.kernel_process import Process
from autobuild_book.chapters.neighbours.weisfeiler_lehman import Occurrences, of_wirings
from autobuild_book.chapters.neighbours.wiring import Wiring

Array = npt.NDArray[np.float64]
POOL, PARENTS, BATCH = 200, 10, 5  # candidates, the best that they are made from, and evaluations between two fits
TRIES = 50  # pools that may be without anything new


def levels_of(counts: Counts, derivations: Sequence[Derivation]) -> list[Occurrences]:
    """Return networks at every level of the hierarchy that tells some apart: folded terms from the second on, and all.

    The levels are those of the grammar, whatever is drawn; a recursive grammar has as many as its limit of depth.
    """
    levels = [*range(2, counts.depth), None]
    return [of_wirings([_wiring(counts, d, level) for d in derivations]) for level in levels]


@functools.lru_cache(maxsize=50_000)
def _wiring(counts: Counts, derivation: Derivation, level: int | None) -> Wiring:
    return wiring_of(counts.grammar, derivation, level)


def expected_improvement(mean: Array, deviation: Array, best: float) -> Array:
    """Return the expectation of max(0, value - best) of normal values, [N] (Mockus, 1975)."""
    spread = np.maximum(deviation, 1e-9)
    z = (mean - best) / spread
    return np.asarray(spread * (z * norm.cdf(z) + norm.pdf(z)))


def bayesian_search(
    counts: Counts, key: Callable[[Derivation], Hashable], value: Callable[[Derivation], float],
    rng: np.random.Generator, budget: int, start: int,
) -> list[Derivation]:  # fmt: skip
    """Search for the highest value; return what was evaluated, in order, no two with the same key.

    The process learns normal scores of the ranks of values, so that a few networks that failed are not all that it
    sees. The first `start` derivations are drawn.
    """
    evaluated, values, seen = list[Derivation](), list[float](), set[Hashable]()

    def evaluate(derivations: Sequence[Derivation]) -> None:
        for derivation in derivations:
            seen.add(key(derivation))
            evaluated.append(derivation)
            values.append(value(derivation))

    evaluate(_new([counts.sample(rng) for _ in range(20 * start)], key, seen)[:start])
    while len(evaluated) < budget:
        scores = norm.ppf((rankdata(values) - 0.5) / len(values))
        process = Process.fit(levels_of(counts, evaluated), scores)
        best = [evaluated[place] for place in np.argsort(values)[::-1][:PARENTS]]
        pools = (_new(_candidates(counts, best, rng), key, seen) for _ in range(TRIES))
        pool = next((pool for pool in pools if pool), [])
        if not pool:
            break
        improvement = expected_improvement(*process.predict(levels_of(counts, pool)), float(scores.max()))
        order = np.argsort(-improvement, kind="stable")[: min(BATCH, budget - len(evaluated))]
        evaluate([pool[place] for place in order])
    return evaluated


def _candidates(counts: Counts, best: Sequence[Derivation], rng: np.random.Generator) -> list[Derivation]:
    """A third each: drawn, mutated, and crossed."""

    def parent() -> Derivation:
        return best[int(rng.integers(len(best)))]

    drawn = [counts.sample(rng) for _ in range(POOL // 3)]
    changed = [mutated(counts, parent(), rng) for _ in range(POOL // 3)]
    mates = [(parent(), parent()) for _ in range(POOL // 6)]
    return [*drawn, *changed, *(child for pair in mates for child in crossed(counts, *pair, rng))]


def _new(
    derivations: Sequence[Derivation], key: Callable[[Derivation], Hashable], seen: set[Hashable]
) -> list[Derivation]:
    """Those whose key is new, the first of each key."""
    by_key = {key(derivation): derivation for derivation in reversed(derivations)}
    return [derivation for name, derivation in reversed(by_key.items()) if name not in seen]
