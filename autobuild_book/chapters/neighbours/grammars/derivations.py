"""Derivations: which production was chosen for every nonterminal, as a tree, a text and a term."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from autobuild_book.chapters.neighbours.grammars.grammar import Grammar
from autobuild_book.chapters.neighbours.grammars.terms import Expanded, GrammarError, Reader, Term

Path = tuple[int, ...]  # from the root of a tree, which child to go to


@dataclass(frozen=True)
class Derivation:
    """A nonterminal, the number of its production, and a derivation for each nonterminal of its right side."""

    symbol: str
    production: int
    children: tuple["Derivation", ...] = ()

    def nodes(self, path: Path = ()) -> Iterator[tuple[Path, "Derivation"]]:
        """Yield every derivation in this one with the path to it, the whole first."""
        yield path, self
        for number, child in enumerate(self.children):
            yield from child.nodes((*path, number))

    @property
    def depth(self) -> int:
        """Number of productions on the longest path."""
        return 1 + max((child.depth for child in self.children), default=0)

    @property
    def size(self) -> int:
        """Number of productions."""
        return 1 + sum(child.size for child in self.children)

    def with_part(self, path: Path, part: "Derivation") -> "Derivation":
        """Return a copy in which another derivation stands at the end of a path."""
        if not path:
            return part
        first, *rest = path
        child = self.children[first].with_part(tuple(rest), part)
        return replace(self, children=(*self.children[:first], child, *self.children[first + 1 :]))


def right_side(grammar: Grammar, derivation: Derivation) -> Term:
    """Return the right side of the production at the root."""
    return grammar.productions[derivation.symbol][derivation.production]


def is_valid(grammar: Grammar, derivation: Derivation) -> bool:
    """Whether every production exists and its nonterminals are those of the children."""
    for _, node in derivation.nodes():
        rights = grammar.productions.get(node.symbol, ())
        if not 0 <= node.production < len(rights):
            return False
        if rights[node.production].nonterminals() != tuple(child.symbol for child in node.children):
            return False
    return True


def term_of(grammar: Grammar, derivation: Derivation, levels: int | None = None) -> Term:
    """Return the architecture; with `levels`, nonterminals deeper than so many productions stay as they are.

    These are the folded architectures of the paper's hierarchical kernel.
    """
    if levels == 0:
        return Term(derivation.symbol)
    deeper = None if levels is None else levels - 1
    terms = (term_of(grammar, child, deeper) for child in derivation.children)
    return right_side(grammar, derivation).filled(iter(terms))


def text_of(grammar: Grammar, derivation: Derivation) -> str:
    """Return the text that `parse` reads back, such as "NET=Sequential(NET=OP=conv, OP=pool)"."""
    texts = (Term(text_of(grammar, child)) for child in derivation.children)
    return f"{derivation.symbol}={right_side(grammar, derivation).filled(iter(texts))}"


def parse(grammar: Grammar, text: str) -> Derivation:
    """Read a derivation from the start of the grammar; any other text is a `GrammarError` of one line."""
    reader = Reader(text, "derivation")
    expanded = reader.expanded()
    reader.end()
    if expanded.symbol != grammar.start:
        raise GrammarError(f"derivation: it begins with {expanded.symbol}; allowed is {grammar.start}")
    return _derived(grammar, expanded)


def _derived(grammar: Grammar, expanded: Expanded) -> Derivation:
    symbol, rights = expanded.symbol, grammar.productions.get(expanded.symbol, ())
    if expanded.right not in rights:
        allowed = " | ".join(map(str, rights)) or f"productions of {', '.join(grammar.productions)}"
        raise GrammarError(f"derivation: {symbol} = {expanded.right!s:.60}; allowed are {allowed}")
    needed, there = expanded.right.nonterminals(), tuple(child.symbol for child in expanded.children)
    if needed != there:
        raise GrammarError(f"derivation: in {symbol} = {expanded.right}, expanded are {list(there)}; "
                           f"allowed is to expand all of {list(needed)}")  # fmt: skip
    return Derivation(symbol, rights.index(expanded.right), tuple(_derived(grammar, c) for c in expanded.children))
