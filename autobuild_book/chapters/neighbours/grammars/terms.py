"""Architectures as terms, such as `Residual(conv, id, conv)`, and how terms and derivations are read from text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

TOKENS = re.compile(r"[A-Za-z_]\w*|\S")
NAME = re.compile(r"[A-Za-z_]\w*")
MOST_NESTED = 150  # terms within terms, as they are read by recursion


class GrammarError(ValueError):
    """A grammar or a derivation that is not valid; the text says where, what was given, and what is allowed."""


def is_nonterminal(name: str) -> bool:
    """Whether a name is one of a nonterminal: these have capital letters only."""
    return name.isupper()


@dataclass(frozen=True)
class Term:
    """A primitive or a nonterminal (without arguments), or a topology with an argument for each of its edges."""

    name: str
    arguments: tuple["Term", ...] = ()

    def __str__(self) -> str:
        return self.name + (f"({', '.join(map(str, self.arguments))})" if self.arguments else "")

    def parts(self) -> Iterator["Term"]:
        """Yield the term itself and all below it, in the order of the text."""
        yield self
        for argument in self.arguments:
            yield from argument.parts()

    def nonterminals(self) -> tuple[str, ...]:
        """Return the nonterminals in the order of the text."""
        return tuple(part.name for part in self.parts() if is_nonterminal(part.name))

    def filled(self, terms: Iterator["Term"]) -> "Term":
        """Put terms in the place of nonterminals, one after the other."""
        if is_nonterminal(self.name):
            return next(terms)
        return Term(self.name, tuple(argument.filled(terms) for argument in self.arguments))


@dataclass(frozen=True)
class Expanded:
    """A nonterminal, the right side of the production that was chosen for it, and what its nonterminals became."""

    symbol: str
    right: Term
    children: tuple["Expanded", ...]


class Reader:
    """Reads terms and derivations from a text; anything else is a `GrammarError` that begins with `where`."""

    def __init__(self, text: str, where: str) -> None:
        self.tokens, self.place, self.where, self.nested = TOKENS.findall(text), 0, where, 0

    @property
    def next(self) -> str:
        """The next token; "" at the end."""
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def take(self, *allowed: str) -> str:
        """Take the next token, which must be one of those allowed, or a name where none are given."""
        token = self.next
        if token not in allowed if allowed else not NAME.fullmatch(token):
            expected = " or ".join(map(repr, allowed)) or "a name"
            before = " ".join(self.tokens[max(0, self.place - 4) : self.place])
            raise GrammarError(f"{self.where}: {token or 'the end'!r:.40} after {before!r}; allowed is {expected}")
        self.place += 1
        return token

    def end(self) -> None:
        """Refuse what is left."""
        if self.next:
            self.take("the end")

    def term(self, children: list[Expanded] | None = None) -> Term:
        """Read a term; nonterminals may be expanded where there is a list `children`, which these are added to."""
        if self.nested == MOST_NESTED:
            raise GrammarError(f"{self.where}: terms in more than {MOST_NESTED} others; allowed are up to so many")
        self.nested += 1
        term = self._term(children)
        self.nested -= 1
        return term

    def _term(self, children: list[Expanded] | None) -> Term:
        name = self.take()
        if children is not None and self.next == "=":
            self.place -= 1
            children.append(self.expanded())
            return Term(name)
        if self.next != "(":
            return Term(name)
        self.take("(")
        arguments = [self.term(children)]
        while self.take(",", ")") == ",":
            arguments.append(self.term(children))
        return Term(name, tuple(arguments))

    def expanded(self) -> Expanded:
        """Read a nonterminal, "=", and a term whose nonterminals are expanded as well."""
        symbol, children = self.take(), list[Expanded]()
        self.take("=")
        return Expanded(symbol, self.term(children), tuple(children))
