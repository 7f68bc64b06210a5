"""Grammars as text: a line for each nonterminal, and one for each topology that is not built in.

    # comment
    Fork: 0>1 0>2 1>2
    NET = Sequential(NET, NET) | Fork(OP, OP, OP) | OP
    OP = conv | pool

Nonterminals are in capital letters, and the first is the start; what is in neither capitals nor brackets is a
primitive. A line that begins with "|" goes on with the one before.
"""

import functools
import graphlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from autobuild_book.chapters.neighbours.grammars.terms import GrammarError, Reader, Term, is_nonterminal
from autobuild_book.chapters.neighbours.grammars.topologies import TOPOLOGIES, Edges, Topology, of_edges

FILES = Path(__file__).parent / "files"
EDGE = re.compile(r"(\d{1,3})>(\d{1,3})")


@dataclass(frozen=True, eq=False)
class Grammar:
    """Productions: by nonterminal the right sides to choose from. The first nonterminal is the start.

    topologies: built-in ones and the text's, by name.
    """

    productions: Mapping[str, tuple[Term, ...]]
    topologies: Mapping[str, Topology]

    @property
    def start(self) -> str:
        """The nonterminal that architectures are derived from."""
        return next(iter(self.productions))

    @functools.cached_property
    def recursive(self) -> bool:
        """Whether a nonterminal can be part of what it becomes, so that there are derivations of any depth."""
        after = {s: {n for right in rights for n in right.nonterminals()} for s, rights in self.productions.items()}
        try:
            graphlib.TopologicalSorter(after).prepare()
        except graphlib.CycleError:
            return True
        return False


def read_grammar(text: str) -> Grammar:
    """Read a grammar from its text; what is wrong is a `GrammarError` of one line that names the line of the text."""
    topologies, productions, lines = dict(TOPOLOGIES), dict[str, tuple[Term, ...]](), dict[str, int]()
    for number, line in _lines(text):
        where, head = f"line {number}", re.match(r"\s*(\w+)\s*([=:])", line)
        if not head:
            raise GrammarError(f"{where}: {line.strip()!r:.60}; allowed are 'NAME = ...' and 'Topology: 0>1 ...'")
        name, sign = head.groups()
        if is_nonterminal(name) != (sign == "="):
            raise GrammarError(f"{where}: {name} {sign}; allowed are capitals before '=', and others before ':'")
        if name in lines or name in topologies:
            place = f"line {lines[name]}" if name in lines else "the built-in ones"
            raise GrammarError(f"{where}: {name} is defined in {place} already; allowed is one definition of a name")
        lines[name] = number
        if sign == ":":
            topologies[name] = of_edges(_edges(line[head.end() :], where))
        else:
            productions[name] = _alternatives(line[head.end() :], where)
    if not productions:
        raise GrammarError("a grammar without productions; allowed are one or more lines 'NAME = ...'")
    _check(productions, topologies, lines)
    return Grammar(productions, topologies)


def load_grammar(name: str) -> Grammar:
    """Read a grammar of the book, such as "cells"; another name is a `GrammarError` that lists them."""
    names = sorted(path.stem for path in FILES.glob("*.txt"))
    if name not in names:
        raise GrammarError(f"no grammar {name!r}; allowed are {', '.join(names)}")
    return read_grammar((FILES / f"{name}.txt").read_text(encoding="utf-8"))


def check_term(term: Term, topologies: Mapping[str, Topology], where: str) -> None:
    """Refuse unknown topologies, wrong numbers of arguments, and topologies without arguments."""
    for part in term.parts():
        topology = topologies.get(part.name)
        if part.arguments and topology is None:
            raise GrammarError(f"{where}: no topology {part.name!r}; allowed are {', '.join(topologies)}")
        if topology is not None and not topology.allows(len(part.arguments)):
            raise GrammarError(f"{where}: {part.name} with {len(part.arguments)} arguments; allowed: {topology.text}")


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield lines with their numbers, without comments; what begins with "|" is joined to the line before."""
    joined: list[tuple[int, str]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        plain = line.partition("#")[0].strip()
        if plain.startswith("|") and joined:
            joined[-1] = joined[-1][0], f"{joined[-1][1]} {plain}"
        elif plain:
            joined.append((number, plain))
    yield from joined


def _alternatives(text: str, where: str) -> tuple[Term, ...]:
    reader, rights = Reader(text, where), list[Term]()
    while True:
        right = reader.term()
        if right in rights:
            raise GrammarError(f"{where}: {right} stands there twice; allowed are distinct productions")
        rights.append(right)
        if not reader.next:
            return tuple(rights)
        reader.take("|")


def _edges(text: str, where: str) -> Edges:
    edges = []
    for word in text.split():
        match = EDGE.fullmatch(word)
        if not match or int(match[1]) >= int(match[2]) or tuple(map(int, match.groups())) in edges:
            raise GrammarError(f"{where}: edge {word!r:.40}; allowed are distinct 'a>b' with a below b")
        edges.append((int(match[1]), int(match[2])))
    begins, ends = {begin for begin, _ in edges}, {end for _, end in edges}
    last = max(ends, default=0)
    if not edges or begins != set(range(last)) or ends != set(range(1, last + 1)):
        raise GrammarError(f"{where}: edges {text.strip()!r:.60}; allowed are those where each vertex from 0 to the "
                           "last is left and, but for 0, entered")  # fmt: skip
    return tuple(edges)


def _check(
    productions: Mapping[str, tuple[Term, ...]], topologies: Mapping[str, Topology], lines: Mapping[str, int]
) -> None:
    for symbol, rights in productions.items():
        where = f"line {lines[symbol]}"
        for right in rights:
            check_term(right, topologies, where)
            if unknown := [name for name in right.nonterminals() if name not in productions]:
                allowed = ", ".join(productions)
                raise GrammarError(f"{where}: nonterminal {unknown[0]} has no production; allowed are {allowed}")
    ending = set[str]()
    while (
        more := {s for s, rights in productions.items() if any(set(r.nonterminals()) <= ending for r in rights)}
        - ending
    ):
        ending |= more
    for symbol in productions:
        if symbol not in ending:
            allowed = ", ".join(sorted(ending)) or "A = conv"
            raise GrammarError(f"line {lines[symbol]}: {symbol} never ends, as each production leads to one that does "
                               f"not; allowed are nonterminals that do, such as {allowed}")  # fmt: skip
