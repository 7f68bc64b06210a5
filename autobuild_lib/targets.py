"""Target equations over labels: read by a whitelist, evaluated on arrays, named by their canonical text.

A label whose name is no word of letters, digits and _, or one with a meaning, stands in backquotes: "`top 1` * 2".
The text is parsed to Python's syntax tree, and only the nodes listed here are kept. Nothing is ever run as Python.
"""

import ast
import hashlib
import keyword
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtri
from scipy.stats import rankdata

from autobuild_lib.values import Array, naming, reals

MAX_CHARACTERS = 1000
MAX_DEPTH = 50  # nested operations, a chain such as a + b + c included


def normal_scores(values: Array) -> Array:
    """Return each value's rank among all, as the normal quantile of (rank - 1/2) / N: far outliers come near, [N]."""
    ranked: Array = rankdata(values)
    scores: Array = ndtri((ranked - 0.5) / len(ranked))
    return scores


OPERATORS: dict[type[ast.operator | ast.unaryop], Callable[..., Any]] = {
    ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.divide, ast.Pow: np.power,
    ast.UAdd: np.positive, ast.USub: np.negative,
}  # fmt: skip
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "log": np.log, "log10": np.log10, "log2": np.log2, "exp": np.exp, "sqrt": np.sqrt, "power": np.power,
    "abs": np.abs, "min": np.minimum, "max": np.maximum, "ranks": normal_scores,
}  # fmt: skip
ALLOWED = (
    "label names (in backquotes unless they are letters, digits and _), finite numbers, + - * / **, parentheses, "
    f"{', '.join(FUNCTIONS)} (also as np.log ...)"
)
WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
QUOTED = re.compile(r"`((?:[^`]|``)*)`")  # a backquote of the name itself is doubled
BESIDE = re.compile(r"[\w.`]")  # what must not touch a quoted name
KEYWORD = re.compile(rf"\b({'|'.join(keyword.kwlist)}|\d[\w.]*(and|else|for|i[fns]\w*|not|or))\b")  # also 1if


def quoted(label: str) -> str:
    """Return a label as it stands in an equation: in backquotes unless it is a word without another meaning."""
    is_plain = WORD.fullmatch(label) and label not in (*FUNCTIONS, "np") and not keyword.iskeyword(label)
    return label if is_plain else "`" + label.replace("`", "``") + "`"


@dataclass(frozen=True)
class Target:
    """What a predictor learns: one label, or an equation over labels.

    Targets that differ only in white space, redundant parentheses, ``np.`` or the spelling of numbers are equal.
    expression: for example ``"acc"`` or ``"np.power(100, acc) / (log10(latency_gpu + 1) + 1)"``. `ValueError` when it
    holds anything but ``ALLOWED`` (min and max are elementwise), or no label; ``ranks(acc)`` depends on all the rows
    that are evaluated at once (`normal_scores`).
    """

    expression: str = field(compare=False)
    canonical: str = field(init=False, repr=False)
    labels: tuple[str, ...] = field(init=False, repr=False, compare=False)
    _tree: ast.expr = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        reader = _Reader(self.expression)
        object.__setattr__(self, "_tree", reader.read())
        object.__setattr__(self, "canonical", ast.unparse(self._tree))
        object.__setattr__(self, "labels", tuple(sorted(reader.labels)))
        if len(self.canonical) > MAX_CHARACTERS:
            reader.refuse(0, "is too long once written out", f"at most {MAX_CHARACTERS} characters")

    def __str__(self) -> str:
        return self.canonical

    @property
    def id(self) -> str:
        """A short name of the canonical text, fit for a file name: a readable part and 8 digits of its SHA-256."""
        readable = re.sub(r"\W+", "_", self.canonical, flags=re.ASCII)[:40].strip("_")
        return f"{readable or 'label'}-{hashlib.sha256(self.canonical.encode()).hexdigest()[:8]}"

    def evaluate(self, labels: pd.DataFrame | Mapping[str, npt.ArrayLike]) -> Array:
        """Return the target of each row, [N], given a table or a mapping from label names to values [N].

        `ValueError` when a label is missing, no row of numbers, or called like the whole equation, or when a result is
        not finite; rows are named by the table's index, or counted from 0.
        """
        self.check_meaning(labels)
        columns = {quoted(name): self._column(labels, name) for name in self.labels}
        if len({len(values) for values in columns.values()}) > 1:
            lengths = ", ".join(f"{name} {len(values)}" for name, values in columns.items())
            raise ValueError(f"target {self}: labels differ in length: {lengths}")
        with np.errstate(all="ignore"):
            values: Array = _evaluate(self._tree, columns)
        bad = np.flatnonzero(~np.isfinite(values))
        if len(bad):
            rows = labels.index if isinstance(labels, pd.DataFrame) else range(len(values))
            shown = ", ".join(str(rows[row]) for row in bad[:5]) + (", ..." if len(bad) > 5 else "")
            first = ", ".join(f"{name} = {column[bad[0]]:g}" for name, column in columns.items())
            why = f"row {rows[bad[0]]}: {first} gives {values[bad[0]]:g}"
            raise ValueError(f"target {self} is not finite in {len(bad)} of {len(values)} rows: {shown} ({why})")
        return values

    def check_meaning(self, labels: Iterable[Any]) -> None:
        """Raise `ValueError` for an equation such as ``acc-std`` where there is a label that is called so."""
        if isinstance(self._tree, ast.Name):
            return
        texts = {_squeezed(self.expression), _squeezed(self.canonical)}  # the same equation, however it is spaced
        for label in labels:
            if _squeezed(str(label)) in texts:
                meant = f"write {quoted(str(label))} for it, or give it another name to use the equation"
                raise ValueError(f"target {self.expression.strip()!r}: there is a label of that name; {meant}")

    def _column(self, labels: pd.DataFrame | Mapping[str, npt.ArrayLike], name: str) -> Array:
        if name not in labels:
            available = ", ".join(quoted(str(label)) for label in labels) or "none"
            raise ValueError(f"target {self}: there is no label {name!r}; available labels: {available}")
        with naming(f"target {self}: label {name!r} is not a row of real numbers"):
            return reals(labels[name], name)


def _squeezed(text: str) -> str:
    return "".join(text.split())


def _evaluate(node: ast.expr, columns: Mapping[str, Array]) -> Any:
    match node:
        case ast.Constant(value=int() | float() as number):
            return np.float64(number)
        case ast.Name(id=name):
            return columns[name]
        case ast.UnaryOp(op=sign, operand=operand):
            return OPERATORS[type(sign)](_evaluate(operand, columns))
        case ast.BinOp(left=left, op=operator, right=right):
            return OPERATORS[type(operator)](_evaluate(left, columns), _evaluate(right, columns))
        case ast.Call(func=ast.Name(id=name), args=arguments):
            values = [_evaluate(argument, columns) for argument in arguments]
            return reduce(FUNCTIONS[name], values) if len(values) > 1 else FUNCTIONS[name](values[0])
    raise AssertionError(f"the reader let {ast.dump(node)} through")


class _Reader:
    """Reads an expression into a tree of whitelisted nodes, without ``np.`` and with one spelling of each number."""

    def __init__(self, expression: str) -> None:
        if not isinstance(expression, str):
            raise ValueError(f"a target is a text, not {type(expression).__name__}; allowed: {ALLOWED}")
        self.text = re.sub(r"[\t\r\n]", " ", expression).strip(" ")
        self.shift = len(expression) - len(expression.lstrip(" \t\r\n"))  # to columns as given
        self.labels: set[str] = set()
        self.hidden: dict[tuple[int, int], str] = {}  # from and to which column a quoted label stands

    def refuse(self, column: int, reason: str, allowed: str = ALLOWED) -> NoReturn:
        shown = self.text[:100] + "..." * (len(self.text) > 100)
        raise ValueError(f"target {shown!r}, column {column + self.shift + 1}: {reason}; allowed: {allowed}")

    def refuse_node(self, node: ast.expr, reason: str) -> NoReturn:
        self.refuse(node.col_offset, f"{self.text[node.col_offset : node.end_col_offset][:40]!r} {reason}")

    def read(self) -> ast.expr:
        if not self.text:
            self.refuse(0, "is empty")
        if len(self.text) > MAX_CHARACTERS:
            self.refuse(0, f"has {len(self.text)} characters", f"at most {MAX_CHARACTERS}")
        plain = QUOTED.sub(self.hide, self.text)
        if odd := re.search(r"[^A-Za-z0-9_ .,()+\-*/]", plain):  # ASCII only: look-alike letters stay out
            self.refuse(odd.start(), f"{odd[0]!r} is not a character of an equation")
        if word := KEYWORD.search(plain):
            self.refuse(word.start(), f"{word[0]!r:.40} is or has a keyword; as a label it stands in backquotes")
        try:
            tree = ast.parse(plain, mode="eval").body  # a syntax tree, never code
        except SyntaxError as error:
            self.refuse((error.offset or 1) - 1, f"not an equation ({error.msg})")
        except (ValueError, MemoryError, RecursionError):
            self.refuse(0, "is too deeply nested", f"depth {MAX_DEPTH}")
        kept = self.keep(tree, 1)
        if not self.labels:
            self.refuse(0, "is a constant, an equation needs at least one label")
        return kept

    def hide(self, match: re.Match[str]) -> str:
        """Put a word of the same length for a quoted label, and remember which one stood there."""
        label, (start, end) = match[1].replace("``", "`"), match.span()
        if not label.strip() or label != label.strip() or not label.isprintable():
            self.refuse(start, f"{match[0]!r:.40} is not a label name")
        if BESIDE.match(self.text[start - 1 : start]) or BESIDE.match(self.text[end : end + 1]):
            self.refuse(start, f"{match[0]!r:.40} touches what stands beside it")
        self.hidden[start, end] = label
        return "_" * (end - start)

    def keep(self, node: ast.expr, depth: int) -> ast.expr:
        if depth > MAX_DEPTH:
            self.refuse(node.col_offset, "is too deeply nested", f"depth {MAX_DEPTH}")
        match node:
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                return self.keep_number(node, number)
            case ast.Name() if label := self.hidden.get((node.col_offset, node.end_col_offset or 0)):
                self.labels.add(label)
                return ast.Name(quoted(label))
            case ast.Name(id=name):
                if name in FUNCTIONS or name == "np" or name.startswith("_"):
                    self.refuse_node(node, "is not a label name")
                self.labels.add(name)
                return node
            case ast.UnaryOp(op=sign, operand=operand) if type(sign) in OPERATORS:
                return ast.UnaryOp(sign, self.keep(operand, depth + 1))
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in OPERATORS:
                return ast.BinOp(self.keep(left, depth + 1), operator, self.keep(right, depth + 1))
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(value=ast.Name(id="np"), attr=name)):
                return self.keep_call(node, name, depth)
        self.refuse_node(node, "is not allowed")

    def keep_number(self, node: ast.expr, number: float) -> ast.expr:
        try:
            value = float(number)  # no big integers: 9**9**9 is infinite, not endless
        except OverflowError:
            value = math.inf
        if not math.isfinite(value):
            self.refuse_node(node, "is not a finite number")
        return ast.Constant(int(value) if value.is_integer() and value < 1e15 else value)

    def keep_call(self, node: ast.Call, name: str, depth: int) -> ast.expr:
        if name not in FUNCTIONS or node.keywords:
            self.refuse_node(node, "is not allowed")
        least, most = {"power": (2, 2), "min": (2, MAX_CHARACTERS), "max": (2, MAX_CHARACTERS)}.get(name, (1, 1))
        if not least <= len(node.args) <= most:
            needed = f"{least} or more" if most > least else f"exactly {least}"
            self.refuse_node(node, f"needs {needed}, not {len(node.args)} arguments")
        return ast.Call(ast.Name(name), [self.keep(argument, depth + 1) for argument in node.args], [])
