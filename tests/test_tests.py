"""Tests assert values and not sentences, are not too long, and lie where the package that they test lies."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_packaging import HOUSES, ROOT, imports

MOST_LINES = 400  # of a file
LONG = {"shared/models/test_proxies", "peers/test_chapter"}  # so far
MOST_WORDS = 5  # in a row of text that an assertion or match= compares with
SENTENCES = 11  # longer ones: names in tables, lists of words, and a golden sentence
WORD = re.compile(r"[A-Za-z][a-z'-]+\\?[,;:.?!]?")  # of prose: no name, number, path or placeholder
COMPARES = ("startswith", "endswith", "search", "match", "fullmatch", "findall", "count")


def files() -> dict[str, str]:
    return {path.relative_to(ROOT).as_posix(): path.read_text() for path in sorted((ROOT / "tests").rglob("*.py"))}


def texts(node: ast.AST) -> Iterator[str]:
    """Strings of an expression; of an f-string all its text as one."""
    if isinstance(node, ast.JoinedStr):
        yield " ".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    else:
        for child in ast.iter_child_nodes(node):
            yield from texts(child)


def comparisons(tree: ast.AST) -> Iterator[ast.AST]:
    """What is given as match=, and what assertions compare."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "match":
            yield node.value
        elif isinstance(node, ast.Assert):
            for part in ast.walk(node.test):
                called = part.func if isinstance(part, ast.Call) else None
                if isinstance(part, ast.Compare) or (isinstance(called, ast.Attribute) and called.attr in COMPARES):
                    yield part


def parameters(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """Parametrized values with names that the test's assertions use."""
    asserts = [*comparisons(function), *(node for node in ast.walk(function) if isinstance(node, ast.Assert))]
    used = {node.id for part in asserts for node in ast.walk(part) if isinstance(node, ast.Name)}
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func).endswith("parametrize"):
            names = re.findall(r"\w+", ",".join(texts(decorator.args[0])))
            for row in getattr(decorator.args[1], "elts", []):
                values = row.args if isinstance(row, ast.Call) else row.elts if len(names) > 1 else [row]
                yield from (value for name, value in zip(names, values, strict=False) if name in used)


def sentences(source: str) -> set[str]:
    """Texts of more than a few words that the tests of a module compare with."""
    tree = ast.parse(source)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.decorator_list]
    parts = [*comparisons(tree), *(part for function in functions for part in parameters(function))]
    found = {text for part in parts for text in texts(part)}
    return {text for text in found if sum(bool(WORD.fullmatch(word)) for word in text.split()) > MOST_WORDS}


EXAMPLES = [
    "pytest.raises(ValueError, match='there is no such file, give another one')",
    "assert 'there is no such file, give another one' in err",
    "assert err.startswith(f'{path} is not there; give any of these three')",
    "@pytest.mark.parametrize(('a', 'b'), [(1, 'there is no such file, give another')])\n"
    "def test_a(a, b):\n    with pytest.raises(ValueError, match=b):\n        f(a)",
]


@pytest.mark.parametrize("source", EXAMPLES)
def test_a_sentence_is_noticed(source: str) -> None:
    assert len(sentences(source)) == 1
    assert not sentences(source.replace("is not there; give", "is").replace("there is no such file, ", ""))


def test_few_sentences_are_left() -> None:
    left = [f"{name}: {text}" for name, source in files().items() for text in sorted(sentences(source))]
    assert len(left) <= SENTENCES, "\n".join(left)


def test_no_file_is_long() -> None:
    long = {name for name, source in files().items() if source.count("\n") > MOST_LINES}
    assert long <= {f"tests/autobuild_book/chapters/{name}.py" for name in LONG}


def test_tests_lie_where_what_they_test_lies() -> None:
    for name, source in files().items():
        folder = Path(name).relative_to("tests").parent
        if folder.parts[:1] in [(house,) for house in HOUSES]:
            assert (ROOT / folder).is_dir(), name
            names = imports(source, name.removesuffix(".py").replace("/", "."), False)
            assert folder.parts[0] == HOUSES[1] or not any(used.startswith(HOUSES[1]) for used in names), name
