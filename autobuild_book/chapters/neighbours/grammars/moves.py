"""How evolution moves: a part of a derivation is derived anew, or two swap parts of the same nonterminal."""

import numpy as np

from autobuild_book.chapters.neighbours.grammars.counting import Counts
from autobuild_book.chapters.neighbours.grammars.derivations import Derivation


def mutated(counts: Counts, derivation: Derivation, rng: np.random.Generator) -> Derivation:
    """Derive a random part anew, within the limit of depth; what is drawn may be what stood there."""
    nodes = list(derivation.nodes())
    path, node = nodes[rng.integers(len(nodes))]
    return derivation.with_part(path, counts.sample(rng, node.symbol, counts.depth - len(path)))


def crossed(
    counts: Counts, first: Derivation, second: Derivation, rng: np.random.Generator
) -> tuple[Derivation, Derivation]:
    """Swap a random part of one derivation with one of the other that has the same nonterminal.

    All pairs that keep both within the limit of depth are equally likely, but for that of both roots; without any,
    both stay as they are.
    """
    pairs = [
        (path, part, other_path, other_part)
        for path, part in first.nodes()
        for other_path, other_part in second.nodes()
        if part.symbol == other_part.symbol
        and (path or other_path)
        and max(len(path) + other_part.depth, len(other_path) + part.depth) <= counts.depth
    ]
    if not pairs:
        return first, second
    path, part, other_path, other_part = pairs[rng.integers(len(pairs))]
    return first.with_part(path, other_part), second.with_part(other_path, part)
