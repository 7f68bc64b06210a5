"""Evolution by tournaments over any representation: the best of a few is changed, again and again."""

from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

Network = TypeVar("Network")
PATIENCE = 1000  # changes of the same parents that lead nowhere new, before a network is drawn instead


@dataclass(frozen=True)
class Tournaments(Generic[Network]):
    """How networks are drawn and changed, and how many compete.

    draw: a random network. change: parents, as many as `parents` says, into another one; None where there is none.
    key: of a network, equal for those that are the same; None for those that cannot be evaluated.
    value: of a network, the higher the better; NaN never wins.
    population: networks that are drawn at first. rivals: of each tournament, or a `share` of the population where that
    is more. aging: whether the oldest member makes room for each new one, as in regularised evolution (Real et al.,
    AAAI 2019), or the population grows.
    """

    draw: Callable[[np.random.Generator], Network]
    change: Callable[..., Network]
    key: Callable[[Network], Hashable]
    value: Callable[[Network], float]
    population: int
    rivals: int
    share: float = 0.0
    parents: int = 1
    aging: bool = True

    def run(self, rng: np.random.Generator, budget: int) -> list[Network]:
        """Evaluate so many networks, no two with the same key, and return them in order."""
        evaluated: list[Network] = []
        seen: set[Hashable] = {None}
        alive: deque[tuple[Network, float]] = deque()
        while len(evaluated) < budget:
            network = self._next(rng, alive, seen, len(evaluated))
            seen.add(self.key(network))
            evaluated.append(network)
            if self.aging and len(evaluated) > self.population:
                alive.popleft()
            alive.append((network, float(np.nan_to_num(self.value(network), nan=-np.inf))))
        return evaluated

    def _next(
        self, rng: np.random.Generator, alive: "deque[tuple[Network, float]]", seen: set[Hashable], evaluated: int
    ) -> Network:
        if evaluated >= self.population:
            parents = [self._winner(rng, alive) for _ in range(self.parents)]
            for _ in range(PATIENCE):
                network = self.change(rng, *parents)
                if self.key(network) not in seen:
                    return network
        while True:
            network = self.draw(rng)
            if self.key(network) not in seen:
                return network

    def _winner(self, rng: np.random.Generator, alive: "deque[tuple[Network, float]]") -> Network:
        rivals = min(max(self.rivals, round(self.share * len(alive))), len(alive))
        places = rng.choice(len(alive), rivals, replace=False)
        return max((alive[place] for place in places), key=lambda member: member[1])[0]
