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
import sys
import sysconfig
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

PLAIN = (type(None), bool, int, float, complex, str, bytes, type(Ellipsis), type(NotImplemented))
PLACES = [Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
HOUSES = ("autobuild_lib", "autobuild_book")  # ours, wherever they lie
NOT_BEHAVIOUR = {
    "__dict__", "__weakref__", "__doc__", "__module__", "__firstlineno__", "__static_attributes__", "__annotations__",
    "__annotate__", "__annotate_func__", "__annotations_cache__", "__abstractmethods__", "_abc_impl", "__wrapped__",
    "__slotnames__",  # copyreg keeps it there when it has looked
}  # fmt: skip  # attributes of classes and functions
PARTS: dict[type, Callable[[Any], tuple[Any, ...]]] = {  # of values of these types, and of no type derived from them
    types.MethodType: lambda method: (method.__func__, method.__self__),
    **dict.fromkeys((staticmethod, classmethod), lambda method: (method.__func__,)),
    property: lambda value: (value.fget, value.fset, value.fdel),
    **dict.fromkeys((tuple, list), lambda items: (len(items), *items)),
    **dict.fromkeys((set, frozenset), lambda items: tuple(sorted(map(identity, items)))),
    **dict.fromkeys((dict, types.MappingProxyType), lambda items: (list(items.keys()), list(items.values()))),
}


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
    return digest.hash.hexdigest()


class _Digest:
    def __init__(self) -> None:
        self.hash = hashlib.sha256()
        self._seen: dict[object, tuple[int, object]] = {}  # kept, so that no `id` is given to another object meanwhile

    def add(self, value: Any, names: frozenset[str] = frozenset()) -> None:
        """Add a value; of a module, what of it the `names` (of attributes) may mean."""
        if type(value) in PLAIN:
            return self._write(type(value).__name__, repr(value))
        key = (id(value), names) if isinstance(value, types.ModuleType) else id(value)
        if key in self._seen:
            return self._write("again", str(self._seen[key][0]))
        self._seen[key] = len(self._seen), value
        self._write(type(value).__qualname__)
        match value:
            case _ if type(value) in PARTS:
                self._add_all(*PARTS[type(value)](value))
            case types.ModuleType() if not _is_installed(value.__name__):
                attributes = vars(value)
                for name in sorted(names & attributes.keys()):
                    self._write(name)
                    self.add(attributes[name], names)
            case types.ModuleType():
                self._add_installed(value.__name__)
            case types.FunctionType():
                self._add_function(value)
            case types.CodeType():
                self._add_code(value, {})
            case type() if not _is_installed(value.__module__):
                self._add_all(*value.__bases__, _attributes(value))
            case type():
                self._add_installed(value.__module__, value.__qualname__)
            case types.BuiltinFunctionType() if not isinstance(value.__self__, types.ModuleType | None):
                self._add_all(value.__name__, value.__self__)
            case types.BuiltinFunctionType() | types.MemberDescriptorType():
                self._add_installed(getattr(value, "__module__", None) or "builtins", value.__qualname__)
            case torch.Tensor():
                content = value.detach().cpu().reshape(-1).view(torch.uint8).numpy()
                self._add_all(str(value.dtype), tuple(value.shape), content)
            case np.ndarray() if type(value) is np.ndarray and not value.dtype.hasobject:
                self._write(str(value.dtype), str(value.shape), hashlib.sha256(value.tobytes()).hexdigest())
            case _:
                self._add_state(value)

    def _write(self, *texts: str) -> None:
        for text in texts:
            encoded = text.encode("utf-8", "surrogatepass")
            self.hash.update(b"%d:" % len(encoded) + encoded)

    def _add_all(self, *values: object) -> None:
        for value in values:
            self.add(value)

    def _add_function(self, function: types.FunctionType) -> None:
        cells = [cell.cell_contents for cell in function.__closure__ or ()]
        self._add_all(function.__defaults__, function.__kwdefaults__, _attributes(function), cells)
        scope = function.__globals__
        if _is_installed(module := scope.get("__name__", ""), scope.get("__file__")):
            self._add_installed(module, function.__qualname__)
        else:
            self._add_code(function.__code__, scope)

    def _add_code(self, code: types.CodeType, scope: dict[str, Any]) -> None:
        self._write(code.co_code.hex(), *code.co_names, *code.co_freevars)
        for constant in code.co_consts:
            self._add_code(constant, scope) if isinstance(constant, types.CodeType) else self.add(constant)
        for step in dis.get_instructions(code):
            if step.opname == "IMPORT_NAME":
                self._add_installed(step.argval, "imported while it runs")
            elif step.opname in ("LOAD_GLOBAL", "LOAD_NAME") and step.argval in scope:
                self._write(step.argval)
                self.add(scope[step.argval], frozenset(code.co_names))
            elif step.opname in ("LOAD_GLOBAL", "LOAD_NAME") and not hasattr(builtins, step.argval):
                self._write(f"{step.argval} is not there")

    def _add_installed(self, module: str, name: str = "") -> None:
        house = module.partition(".")[0]
        self._write(module, name, str(getattr(sys.modules.get(house), "__version__", sys.version)))
        if house in HOUSES:
            self._write(*map(_sources, HOUSES[: HOUSES.index(house) + 1]))
        elif not _is_installed(module):
            raise UnknownIdentityError(f"module {module or '.'}, {name}, cannot be looked into")
        elif (path := Path(_file(module) or "")).suffix == ".py" and path.is_file():
            self._write(hashlib.sha256(path.read_bytes()).hexdigest())

    def _add_state(self, value: Any) -> None:
        """Add what would be needed to make an equal object, by the protocol of the modules copy and pickle."""
        reduce = copyreg.dispatch_table.get(type(value))
        parts: str | tuple[Any, ...] = reduce(value) if reduce else value.__reduce_ex__(4)
        if isinstance(parts, str) and hasattr(value, "__wrapped__"):  # functools.cache and the like
            return self.add(value.__wrapped__)
        if isinstance(parts, str):  # the name of something that is there once
            return self._add_installed(str(getattr(value, "__module__", None) or type(value).__module__), parts)
        for part in parts:  # how to make it, from what, its state; what it holds, in iterators
            self.add(list(part) if isinstance(part, Iterator) else part)


def _attributes(thing: types.FunctionType | type) -> dict[str, object]:
    return {name: value for name, value in sorted(vars(thing).items()) if name not in NOT_BEHAVIOUR}


def _is_installed(module: str, path: str | None = None) -> bool:
    """Say whether a module is Python's own, of an installed package, or ours: its file stands for what it does."""
    top = module.partition(".")[0]
    if module == "__main__" or top in HOUSES:
        return module != "__main__"
    path = path or _file(module) or _file(top)
    if path is None or not Path(path).is_absolute():  # also "built-in" and "frozen"
        return top in sys.stdlib_module_names
    forms = [Path(path), Path(path).resolve()]
    installed = {"site-packages", "dist-packages"} & {*forms[0].parts}
    return bool(installed) or any(form.is_relative_to(place) for form in forms for place in PLACES)


def _file(module: str) -> str | None:
    if module in sys.modules:
        return getattr(sys.modules[module], "__file__", None)
    try:
        spec = None if "." in module else importlib.util.find_spec(module)  # that of a part would import the whole
    except (ImportError, ValueError):
        spec = None
    return spec.origin if spec else None


@functools.cache
def _sources(house: str) -> str:
    paths = sorted(Path(_file(house) or "").parent.rglob("*.py"))
    return hashlib.sha256(b"".join(hashlib.sha256(path.read_bytes()).digest() for path in paths)).hexdigest()
