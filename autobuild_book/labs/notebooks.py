"""What every lab is: checks over numbers that a seed makes.

In a check, a name that nobody has defined is an answer that is missing, no error."""

import ast
import sys
from dataclasses import dataclass
from typing import ClassVar

from autobuild_lib.values import read_seed

NAME = "check"  # of a lab's checks in its notebook


@dataclass(frozen=True)
class Undefined:
    """Stands for a name of an answer that the notebook does not define."""

    name: str


class _Missing(ast.NodeTransformer):
    """Let `check.exercise(answer)` be given `Undefined("answer")` where there is no answer of that name."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Look the names among a check's arguments up; other calls stay as they are."""
        called = node.func
        if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id == NAME:
            node.args = [_looked_up(arg) if isinstance(arg, ast.Name) else arg for arg in node.args]
        return node


def _looked_up(name: ast.Name) -> ast.expr:
    source = f"globals().get({name.id!r}, {NAME}.undefined({name.id!r}))"
    return ast.copy_location(ast.parse(source, mode="eval").body, name)


def allow_missing_answers() -> None:
    """Do so in the notebook that runs this, if one does."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is not None and not any(isinstance(each, _Missing) for each in shell.ast_transformers):
        shell.ast_transformers.append(_Missing())


class Checks:
    """The checks of a lab, as methods; what its exercises are about are attributes, made from a seed.

    Its module calls the class `Lab`, and its notebook says `check = module.Lab(seed=0)`.
    """

    undefined: ClassVar = staticmethod(Undefined)

    def __init__(self, seed: int = 0) -> None:
        self.seed = read_seed(seed)
        allow_missing_answers()
