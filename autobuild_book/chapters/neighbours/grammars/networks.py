"""Terms as networks: every topology is put in the place of the edge that it stands on."""

from collections.abc import Hashable, Iterator, Mapping

from autobuild_book.chapters.neighbours.grammars.derivations import Derivation, term_of
from autobuild_book.chapters.neighbours.grammars.grammar import Grammar
from autobuild_book.chapters.neighbours.grammars.terms import GrammarError, Term
from autobuild_book.chapters.neighbours.grammars.topologies import Topology
from autobuild_book.chapters.neighbours.nas_bench_201 import OPERATIONS, SPACE
from autobuild_book.chapters.neighbours.wiring import Wiring, wired
from autobuild_lib.spaces import Architecture

FIRST, LAST = (), (-1,)  # the ends; inner vertices are the path to a topology in the term, and a number


def wiring_of(grammar: Grammar, derivation: Derivation, levels: int | None = None) -> Wiring:
    """Return the network; with `levels`, of the term folded at this level, where nonterminals are operations."""
    return wiring_of_term(term_of(grammar, derivation, levels), grammar.topologies)


def wiring_of_term(term: Term, topologies: Mapping[str, Topology]) -> Wiring:
    """Return the network that a term describes."""
    return wired(_edges(term, topologies, FIRST, LAST, (0,)), FIRST, LAST)


def _edges(
    term: Term, topologies: Mapping[str, Topology], begin: Hashable, end: Hashable, path: tuple[int, ...]
) -> Iterator[tuple[Hashable, Hashable, str]]:
    if not term.arguments:
        yield begin, end, term.name
        return
    edges = topologies[term.name].edges(len(term.arguments))
    output = max(after for _, after in edges)
    ends: dict[int, Hashable] = {0: begin, output: end}
    for place, (argument, (before, after)) in enumerate(zip(term.arguments, edges, strict=True)):
        first, last = (ends.get(vertex, (*path, vertex)) for vertex in (before, after))
        yield from _edges(argument, topologies, first, last, (*path, output, place))


def cell_of(grammar: Grammar, derivation: Derivation) -> Architecture:
    """Return the cell of NAS-Bench-201 that a derivation of the grammar "cells" is; another one is a `GrammarError`."""
    term = term_of(grammar, derivation)
    names = [argument.name for argument in term.arguments]
    if term.name != "Cell" or not set(names) <= set(OPERATIONS) or any(a.arguments for a in term.arguments):
        raise GrammarError(f"{term!s:.60} is no cell of NAS-Bench-201; allowed is Cell of {', '.join(OPERATIONS)}")
    return SPACE.parse("|".join(names))
