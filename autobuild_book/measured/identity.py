"""What a function depends on, as one short text: equal texts mean equal results, as far as Python can tell.

A digest of bytecode, constants, global variables, closures, defaults, attributes, arguments of partials and the state
of objects, and of those of everything that is used within. Installed packages count by version and source file, this
one by all of its source. What cannot be known is said to be so: open files, locks, generators, modules imported late.
Not looked into are files that a function reads, the environment, and other programs.
"""

import builtins
import copyreg
import dis
import functools
import hashlib
import importlib.util
import inspect
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from types import (
    BuiltinFunctionType,
    CodeType,
    FunctionType,
    GetSetDescriptorType,
    MappingProxyType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
)
from typing import Any

import numpy as np
import torch

from autobuild_book.houses import COMPANION, LIBRARY, digest_of_all

PLAIN = (type(None), bool, int, float, complex, str, bytes, type(Ellipsis), type(NotImplemented))
PLACES = ("stdlib", "platstdlib", "purelib", "platlib")
INSTALLED = {LIBRARY, COMPANION, *(Path(sysconfig.get_path(name)) for name in PLACES)}
NOT_BEHAVIOUR = {
    "__dict__", "__weakref__", "__doc__", "__module__", "__firstlineno__", "__static_attributes__", "__annotations__",
    "__annotate__", "__annotate_func__", "__annotations_cache__", "__abstractmethods__", "_abc_impl", "__wrapped__",
}  # fmt: skip  # attributes of classes and functions


class UnknownIdentityError(ValueError):
    """Results may depend on something that cannot be looked into."""


def identity(thing: object) -> str:
    """Return 64 hexadecimal digits that change with whatever the result of calling `thing` depends on.

    Raises `UnknownIdentityError` where that cannot be known.
    """
    digest = _Digest()
    try:
        digest.add(thing)
    except UnknownIdentityError:
        raise
    except Exception as error:  # anything: code of what is looked into runs
        raise UnknownIdentityError(f"looking into it failed ({type(error).__name__}: {error})") from None
    return digest.text()


class _Digest:
    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._seen: dict[object, int] = {}
        self._kept: list[object] = []  # so that no `id` is given to another object meanwhile

    def text(self) -> str:
        return self._hash.hexdigest()

    def add(self, value: Any, names: frozenset[str] = frozenset()) -> None:
        """Add a value; of a module, what of it the `names` (of attributes) may mean."""
        if type(value) in PLAIN:
            return self._write(type(value).__name__, repr(value))
        key = (id(value), names) if isinstance(value, ModuleType) else id(value)
        if key in self._seen:
            return self._write("again", str(self._seen[key]))
        self._seen[key] = len(self._seen)
        self._kept.append(value)
        self._write(type(value).__qualname__)
        self._add_parts(value, names)

    def _add_parts(self, value: Any, names: frozenset[str]) -> None:
        match value:
            case ModuleType():
                self._add_module(value, names)
            case FunctionType():
                self._add_function(value)
            case CodeType():
                self._add_code(value, {})
            case type():
                self._add_class(value)
            case MethodType():
                self._add_all(value.__func__, value.__self__)
            case BuiltinFunctionType() if value.__self__ is not None and not isinstance(value.__self__, ModuleType):
                self._add_all(value.__name__, value.__self__)
            case BuiltinFunctionType() | MemberDescriptorType() | GetSetDescriptorType():
                self._add_installed(getattr(value, "__module__", None) or "", value.__qualname__)
            case staticmethod() | classmethod():
                self.add(value.__func__)
            case property():
                self._add_all(value.fget, value.fset, value.fdel)
            case tuple() | list() if type(value) in (tuple, list):
                self._add_all(len(value), *value)
            case dict() | MappingProxyType() if type(value) in (dict, MappingProxyType):
                self._add_all(len(value), *(part for item in value.items() for part in item))
            case set() | frozenset():
                self._add_all(*sorted(map(identity, value)))
            case torch.Tensor():
                content = value.detach().cpu().reshape(-1).view(torch.uint8).numpy()
                self._write(str(value.dtype), str(tuple(value.shape)), hashlib.sha256(content.tobytes()).hexdigest())
            case np.ndarray() if type(value) is np.ndarray and not value.dtype.hasobject:
                self._write(str(value.dtype), str(value.shape), hashlib.sha256(value.tobytes()).hexdigest())
            case _:
                self._add_state(value)

    def _write(self, *texts: str) -> None:
        for text in texts:
            encoded = text.encode("utf-8", "surrogatepass")
            self._hash.update(b"%d:" % len(encoded) + encoded)

    def _add_all(self, *values: object) -> None:
        for value in values:
            self.add(value)

    def _add_module(self, module: ModuleType, names: frozenset[str]) -> None:
        if _is_installed(module.__name__):
            return self._add_installed(module.__name__, "")
        for name in sorted(names & vars(module).keys()):
            self._write(name)
            self.add(vars(module)[name], names)

    def _add_function(self, function: FunctionType) -> None:
        self._add_all(function.__defaults__, function.__kwdefaults__, _attributes(function))
        for name, value in inspect.getclosurevars(function).nonlocals.items():
            self._write(name)
            self.add(value)
        scope = function.__globals__
        if _is_installed(scope.get("__name__", ""), scope.get("__file__")):
            self._add_installed(scope.get("__name__", ""), function.__qualname__)
        else:
            self._add_code(function.__code__, scope)

    def _add_code(self, code: CodeType, scope: dict[str, Any]) -> None:
        self._write(code.co_code.hex(), *code.co_names)
        for constant in code.co_consts:
            self._add_code(constant, scope) if isinstance(constant, CodeType) else self.add(constant)
        for step in dis.get_instructions(code):
            if step.opname == "IMPORT_NAME":
                self._add_import(step.argval)
            elif step.opname in ("LOAD_GLOBAL", "LOAD_NAME") and step.argval in scope:
                self._write(step.argval)
                self.add(scope[step.argval], frozenset(code.co_names))
            elif step.opname in ("LOAD_GLOBAL", "LOAD_NAME") and not hasattr(builtins, step.argval):
                self._write(f"{step.argval} is not there")

    def _add_import(self, name: str) -> None:
        if not _is_installed(name):
            raise UnknownIdentityError(f"it imports {name or 'a neighbour'} while it runs")
        self._add_installed(name, "")

    def _add_class(self, kind: type) -> None:
        if _is_installed(kind.__module__):
            return self._add_installed(kind.__module__, kind.__qualname__)
        self._add_all(*kind.__bases__, _attributes(kind))

    def _add_installed(self, module: str, name: str) -> None:
        package = sys.modules.get(module.partition(".")[0])
        self._write(module, name, str(getattr(package, "__version__", sys.version)))
        path = Path(_file(module) or "")
        if path.is_relative_to(LIBRARY) or path.is_relative_to(COMPANION):
            self._write(_our_sources())
        elif path.suffix == ".py" and path.is_file():
            self._write(hashlib.sha256(path.read_bytes()).hexdigest())

    def _add_state(self, value: Any) -> None:
        """Add what would be needed to make an equal object, by the protocol of the modules copy and pickle."""
        try:
            reduce = copyreg.dispatch_table.get(type(value))
            parts: str | tuple[Any, ...] = reduce(value) if reduce else value.__reduce_ex__(4)
        except Exception as error:  # anything: the object's own code runs
            raise UnknownIdentityError(f"a {type(value).__qualname__} cannot be looked into ({error})") from None
        if isinstance(parts, str):  # the name of something that is there once
            return self._add_named(value, parts)
        for part in parts:  # how to make it, from what, its state; what it holds, in iterators
            self.add(list(part) if isinstance(part, Iterator) else part)

    def _add_named(self, value: Any, name: str) -> None:
        module = str(getattr(value, "__module__", None) or type(value).__module__)
        if hasattr(value, "__wrapped__"):  # functools.cache and the like
            self.add(value.__wrapped__)
        elif _is_installed(module):
            self._add_installed(module, name)
        else:
            raise UnknownIdentityError(f"a {type(value).__qualname__} cannot be looked into")


def _attributes(thing: FunctionType | type) -> dict[str, object]:
    return {name: value for name, value in sorted(vars(thing).items()) if name not in NOT_BEHAVIOUR}


def _is_installed(module: str, path: str | None = None) -> bool:
    """Say whether a module is Python's own, of an installed package, or ours: its file stands for what it does."""
    if module == "__main__":
        return False
    path = path or _file(module) or _file(module.partition(".")[0])
    if path is None or not Path(path).is_absolute():  # also "built-in" and "frozen"
        return module.partition(".")[0] in sys.stdlib_module_names
    if {"site-packages", "dist-packages"} & set(Path(path).parts):
        return True
    return any(form.is_relative_to(place) for form in (Path(path), Path(path).resolve()) for place in INSTALLED)


def _file(module: str) -> str | None:
    if module in sys.modules:
        return getattr(sys.modules[module], "__file__", None)
    try:
        spec = None if "." in module else importlib.util.find_spec(module)  # that of a part would import the whole
    except (ImportError, ValueError):
        spec = None
    return spec.origin if spec else None


_our_sources = functools.cache(digest_of_all)
