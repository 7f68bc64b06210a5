"""How many derivations a grammar has, exactly, and how they are drawn."""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autobuild_book.chapters.neighbours.grammars.derivations import Derivation
from autobuild_book.chapters.neighbours.grammars.grammar import Grammar
from autobuild_book.chapters.neighbours.grammars.terms import GrammarError

MOST_DEPTH = 300  # trees are walked by recursion


@dataclass(frozen=True)
class Counts:
    """Counts and draws derivations of at most so many productions on a path; without recursion, no limit is needed.

    Args:
        grammar: what is derived.
        depth: the limit, at least what the start needs; a recursive grammar without one is a `GrammarError`.
    """

    grammar: Grammar
    depth: int = 0

    def __post_init__(self) -> None:
        if not self.depth:
            if self.grammar.recursive:
                raise GrammarError("the grammar is recursive; allowed is to give a depth, such as depth=8")
            object.__setattr__(self, "depth", len(self.grammar.productions))
        if not (0 < self.depth <= MOST_DEPTH and self.of(self.grammar.start, self.depth)):
            raise GrammarError(f"depth={self.depth} ends no derivation; allowed is up to {MOST_DEPTH}, at least "
                               f"{shallowest(self.grammar)[self.grammar.start]}")  # fmt: skip

    @property
    def total(self) -> int:
        """Number of derivations from the start."""
        return self.of(self.grammar.start, self.depth)

    @functools.cache  # noqa: B019  # as long as the grammar is used
    def each(self, symbol: str, depth: int) -> tuple[int, ...]:
        """Number of derivations of a nonterminal by production: the product over the nonterminals of the right side."""
        if depth <= 0:
            return (0,) * len(self.grammar.productions[symbol])
        rights = self.grammar.productions[symbol]
        return tuple(math.prod(self.of(name, depth - 1) for name in right.nonterminals()) for right in rights)

    def of(self, symbol: str, depth: int) -> int:
        """Number of derivations of a nonterminal."""
        return sum(self.each(symbol, depth))

    def sample_uniform(self, rng: np.random.Generator, symbol: str = "", depth: int = 0) -> Derivation:
        """Draw a derivation, all equally likely."""
        symbol, depth = symbol or self.grammar.start, depth or self.depth
        counts = self.each(symbol, depth)
        place, production = below(rng, sum(counts)), 0
        while place >= counts[production]:
            place, production = place - counts[production], production + 1
        names = self.grammar.productions[symbol][production].nonterminals()
        return Derivation(symbol, production, tuple(self.sample_uniform(rng, n, depth - 1) for n in names))

    def sample(self, rng: np.random.Generator, symbol: str = "", depth: int = 0) -> Derivation:
        """Draw as the paper does: every production of a nonterminal is equally likely, of those that can still end."""
        symbol, depth = symbol or self.grammar.start, depth or self.depth
        ending = [production for production, count in enumerate(self.each(symbol, depth)) if count]
        production = ending[rng.integers(len(ending))]
        names = self.grammar.productions[symbol][production].nonterminals()
        return Derivation(symbol, production, tuple(self.sample(rng, n, depth - 1) for n in names))


def below(rng: np.random.Generator, limit: int) -> int:
    """Draw a whole number from 0 to below a limit of any size, all equally likely."""
    bits = (limit - 1).bit_length()
    while True:
        number = int.from_bytes(rng.bytes((bits + 7) // 8), "little") >> (-bits % 8)
        if number < limit:
            return number


def shallowest(grammar: Grammar) -> dict[str, int]:
    """Return for each nonterminal the depth of its shallowest derivation."""
    depths = dict.fromkeys(grammar.productions, math.inf)
    for _ in depths:
        for symbol, rights in grammar.productions.items():
            depths[symbol] = 1 + min(max((depths[n] for n in right.nonterminals()), default=0) for right in rights)
    return {symbol: int(depth) for symbol, depth in depths.items()}


def counts_by_size(grammar: Grammar, most: int) -> list[int]:
    """Return how many derivations from the start have 0, 1, ... `most` productions."""
    table = {symbol: [0] * (most + 1) for symbol in grammar.productions}
    for size in range(1, most + 1):
        for symbol, rights in grammar.productions.items():
            table[symbol][size] = sum(_ways([table[n] for n in right.nonterminals()], size - 1) for right in rights)
    return table[grammar.start]


def _ways(tables: Sequence[Sequence[int]], size: int) -> int:
    """In how many ways derivations, one counted by each table, have so many productions together."""
    ways = [1] + [0] * size
    for table in tables:
        ways = [sum(ways[first] * table[total - first] for first in range(total + 1)) for total in range(size + 1)]
    return ways[size]
