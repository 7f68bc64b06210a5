"""Reads pickles from outside without running them.

The standard unpickler can call whatever a file names. This machine takes the opcodes that plain data need and has no
way to import anything: the names that a file may hold stand for functions here that check their arguments (`_KNOWN`).

Numbers, text, bytes, None, lists, tuples, dicts, sets, numpy scalars and arrays of numbers or text come back as they
are; `onnx_ir.graph.Graph` and `onnx_ir.node.Node` become `Graph` and `Node`, which hold attributes and do nothing. Keys
are scalars or short flat tuples of scalars: nothing deep is hashed, compared or printed. Objects and references are
counted, so that a file takes memory in proportion to its size; keys other than text, which could collide, may be few.
"""

import gc
import io
import math
import os
import pickletools
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from autobuild_lib.released.limits import FREE, Allowance
from autobuild_lib.values import shown

DEFAULT_MAX_BYTES = 2 * 1024**3
_PROTOCOLS = 5  # the newest one
_LONGEST_KEY = 16  # elements of a tuple used as a key
_LONGEST_TEXT = 10_000  # letters of a key, which are compared with those of others
_LARGEST_KEY = 1024  # bits of a whole number used as a key
MOST_KEYS = 10_000  # keys and set members that are not text
_BYTES_PER_OBJECT = 3  # of a file, at least; the released caches have 5 to 10
_SCALARS = (str, bytes, int, float, complex, type(None), np.generic)
_DTYPE = re.compile(r"[biufc]\d{1,2}|U\d{1,6}")


class UnsafePickleError(ValueError):
    """A file asks for something that plain data do not need, and was refused."""


class BrokenPickleError(ValueError):
    """A file is not a pickle, or not a whole one."""


class Graph:
    """Attributes of an `onnx_ir.graph.Graph`, without its behaviour."""


class Node:
    """Attributes of an `onnx_ir.node.Node`, without its behaviour."""


def read_pickle(path: Path, max_bytes: int = DEFAULT_MAX_BYTES) -> object:
    """Read plain data from a pickle (protocols 0 to 5) of at most `max_bytes`, running nothing that it brings along.

    Raises `UnsafePickleError` for a file that asks for more or is too large, `BrokenPickleError` for none or a part.
    """
    with Path(path).open("rb") as file:
        data = file.read(min(os.fstat(file.fileno()).st_size, max_bytes) + 1)  # read takes memory for all it may give
    if len(data) > max_bytes:
        raise UnsafePickleError(f"{path}: more than {max_bytes} bytes; allowed: at most {max_bytes} (max_bytes)")
    return read_pickled(data, f"{path}")


def read_pickled(data: bytes, where: str, most_keys: int = MOST_KEYS) -> object:
    """Read plain data from the content of a pickle, as `read_pickle` does; errors begin with `where`.

    most_keys: keys and set members that are not text; more than the default only in content of a known checksum.
    """
    try:
        with _garbage_collection_paused():
            return _Machine(data, most_keys).run()
    except (UnsafePickleError, BrokenPickleError) as error:
        raise type(error)(f"{where}: {error}") from None


@contextmanager
def _garbage_collection_paused() -> Iterator[None]:
    """Spare millions of new objects repeated collections, which take most of the time of a large file."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class _Machine:
    """The stack, the marks on it and the memo of a pickle that is being read."""

    def __init__(self, data: bytes, most_keys: int) -> None:
        self.size = len(data)
        self.file = io.BytesIO(data)
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.spend = Allowance(FREE + self.size // _BYTES_PER_OBJECT, error=UnsafePickleError).spend
        self.spend_keys = Allowance(most_keys, "keys that are not text", UnsafePickleError).spend

    def run(self) -> object:
        try:
            return self._run()
        except UnsafePickleError as error:
            raise UnsafePickleError(f"{error} (near byte {self.file.tell()})") from None
        except Exception as error:  # whatever a malformed file makes fail
            raise BrokenPickleError(f"not a whole pickle, stopped near byte {self.file.tell()} of {self.size} by "
                                    f"{type(error).__name__}: {error!s:.150}; allowed: plain data") from None

    def _run(self) -> object:
        read, actions = self.file.read, _ACTIONS
        while (code := read(1)) != b".":
            if code not in actions:
                raise ValueError(f"{code!r} is not an opcode" if code else "the file ends too early")
            actions[code](self)
        if left := self.size - self.file.tell():
            raise _refusal(f"{left} bytes after the end of the pickle", "none")
        if len(self.stack) != 1 or self.marks:
            raise ValueError(f"{len(self.stack)} values and {len(self.marks)} marks are left instead of one value")
        return self.stack.pop()

    def count_keys(self, keys: list[Any]) -> None:
        """Count keys or set members before they meet each other; what collides costs the square of their number."""
        self.spend(len(keys))
        for key in keys:
            if type(key) is not str:
                self.spend_keys()

    def pop_mark(self) -> list[Any]:
        mark = self.marks.pop()
        items = self.stack[mark:]
        del self.stack[mark:]
        return items


def _refusal(what: str, allowed: str) -> UnsafePickleError:
    return UnsafePickleError(f"found {what}; allowed: {allowed}")


def describe(value: object) -> str:
    """Return a short text; containers are not printed, since shared parts can make them endless."""
    if isinstance(value, _Global):
        return value.name
    if isinstance(value, (list, tuple, dict, set, frozenset)):
        return f"a {type(value).__name__} of {len(value)}"
    return shown(value) if isinstance(value, _SCALARS) else f"a {type(value).__name__}"


# Names that a file may hold, and the functions that stand for them.

@dataclass(frozen=True)
class _Global:
    """A name in a pickle: REDUCE may `call` it with arguments, NEWOBJ may make a `new` empty object of it."""

    name: str
    call: Callable[..., object] | None = None
    new: Callable[[], object] | None = None


def _dtype(name: object, align: object, copy: object) -> np.dtype[Any]:
    if not isinstance(name, str) or not _DTYPE.fullmatch(name):
        raise _refusal(f"numpy.dtype of {describe(name)}", "numbers and text, such as 'f8', 'i4', 'b1', 'U12'")
    return np.dtype(name, False, True)  # a copy, whose byte order BUILD may set


def _checked_array(raw: object, dtype: object, shape: object, order: object = "C") -> np.ndarray[Any, Any]:
    if not isinstance(dtype, np.dtype) or dtype.itemsize == 0 or order not in ("C", "F"):
        raise _refusal(f"numpy array of {describe(dtype)}, order {describe(order)}", "numbers and text, 'C' or 'F'")
    if not isinstance(shape, tuple) or len(shape) > 32 or not all(type(n) is int and 0 <= n < 2**31 for n in shape):
        raise _refusal("numpy shape that is no tuple of at most 32 sizes", "such tuples")
    if not isinstance(raw, (bytes, bytearray)) or math.prod(shape) * dtype.itemsize != len(raw):
        raise _refusal(f"numpy shape {shape} of {dtype} that does not fit its data", "data of exactly that size")
    points = np.frombuffer(raw, np.dtype(np.uint32).newbyteorder(dtype.byteorder)) if dtype.kind == "U" else None
    if points is not None and (points > 0x10FFFF).any():
        raise _refusal("numpy text with impossible characters", "Unicode")
    settled = np.dtype(dtype.str)  # the one of the file may still change its byte order
    return np.frombuffer(raw, settled).reshape(shape, order="F" if order == "F" else "C")


def _array_from_buffer(raw: object, dtype: object, shape: object, order: object) -> np.ndarray[Any, Any]:
    return _checked_array(raw, dtype, shape, order).copy(order="K")


def _empty_array(kind: object, shape: object, code: object) -> np.ndarray[Any, Any]:
    if kind is not _NDARRAY or shape != (0,) or code != b"b":
        raise _refusal(f"numpy _reconstruct of {describe(kind)}", "numpy.ndarray of shape (0,)")
    return np.empty(0, np.int8)


def _encode(text: object, encoding: object) -> bytes:
    if not isinstance(text, str) or encoding != "latin1":
        raise _refusal(f"_codecs.encode to {describe(encoding)}", "text to 'latin1'")
    return text.encode("latin1")


def _complex(real: object, imaginary: object) -> complex:
    if not isinstance(real, float) or not isinstance(imaginary, float):
        raise _refusal(f"complex of {describe(real)}", "complex of two floats")
    return complex(real, imaginary)


def _set(items: object) -> set[object]:
    if not isinstance(items, list):
        raise _refusal(f"set of {describe(items)}", "set of a list")
    return {_checked_key(item) for item in items}


def _checked_key(key: object) -> object:
    parts = key if isinstance(key, tuple) and len(key) <= _LONGEST_KEY else (key,)
    if not all(isinstance(part, _SCALARS) for part in parts):
        raise _refusal(f"a {type(key).__name__} as key or set member",
                       f"scalars and flat tuples of at most {_LONGEST_KEY} scalars")
    for part in parts:
        _check_size(part)
    return key


def _check_size(part: object) -> None:
    if isinstance(part, (str, bytes)) and len(part) > _LONGEST_TEXT:
        raise _refusal(f"a key of {len(part):,} letters", f"at most {_LONGEST_TEXT:,}")
    if isinstance(part, int) and part.bit_length() > _LARGEST_KEY:
        raise _refusal(f"a whole number of {part.bit_length():,} bits as a key", f"at most {_LARGEST_KEY:,}")


_NDARRAY = _Global("numpy.ndarray")
_KNOWN = [
    _Global("onnx_ir.graph.Graph", new=Graph),
    _Global("onnx_ir.node.Node", new=Node),
    _NDARRAY,
    _Global("numpy.dtype", call=_dtype),
    _Global("_codecs.encode", call=_encode),
    _Global("collections.OrderedDict", call=lambda: OrderedDict()),
]
for _core in ("numpy.core", "numpy._core"):
    _KNOWN += [_Global(f"{_core}.multiarray.scalar", call=lambda dtype, raw: _checked_array(raw, dtype, ())[()]),
               _Global(f"{_core}.multiarray._reconstruct", call=_empty_array),
               _Global(f"{_core}.numeric._frombuffer", call=_array_from_buffer)]
for _builtins in ("builtins", "__builtin__"):
    _KNOWN += [_Global(f"{_builtins}.complex", call=_complex),
               _Global(f"{_builtins}.set", call=_set),
               _Global(f"{_builtins}.frozenset", call=lambda items: frozenset(_set(items))),
               _Global(f"{_builtins}.bytes", call=lambda: b"")]
_GLOBALS = {tuple(stand_in.name.rsplit(".", 1)): stand_in for stand_in in _KNOWN}
_ALLOWED_GLOBALS = "numpy scalars and arrays, onnx_ir.graph.Graph, onnx_ir.node.Node"


def _find(module: object, name: object) -> _Global:
    if not isinstance(module, str) or not isinstance(name, str):
        raise _refusal(f"a name made of {describe(module)} and {describe(name)}", "text")
    if (module, name) not in _GLOBALS:
        raise _refusal(f"{module:.90}.{name:.90}", _ALLOWED_GLOBALS)
    return _GLOBALS[module, name]


# What each opcode does. The readers of `pickletools` take an argument from the file and check that all of it is there.

Action = Callable[[_Machine], object]


def _pushing(make: Callable[[], object], objects: int = 0) -> Action:
    """Push a new value, which takes as much memory as so many small objects."""
    def act(machine: _Machine) -> None:
        machine.spend(objects)
        machine.stack.append(make())
    return act


def _pushing_argument(read: Callable[[IO[bytes]], object]) -> Action:
    return lambda machine: machine.stack.append(read(machine.file))


def _pushing_gathered(make: Callable[[list[Any]], object]) -> Action:
    def act(machine: _Machine) -> None:
        machine.spend()
        machine.stack.append(make(machine.pop_mark()))
    return act


def _pushing_tuple(count: int) -> Action:
    def act(machine: _Machine) -> None:
        if count > len(machine.stack):
            raise ValueError("the stack is empty")
        machine.spend()
        machine.stack[-count:] = [tuple(machine.stack[-count:])]
    return act


def _getting(read: Callable[[IO[bytes]], int]) -> Action:
    return lambda machine: machine.stack.append(machine.memo[read(machine.file)])


def _putting(read: Callable[[IO[bytes]], int]) -> Action:
    def act(machine: _Machine) -> None:
        machine.spend()
        place = read(machine.file)
        if place > machine.size:
            machine.spend_keys()  # places that a writer did not count up to could collide
        machine.memo[place] = machine.stack[-1]
    return act


def _refusing(name: str) -> Action:
    def act(machine: _Machine) -> None:
        raise _refusal(f"opcode {name}", "opcodes of plain data")
    return act


def _memoize(machine: _Machine) -> None:
    machine.spend()
    machine.memo[len(machine.memo)] = machine.stack[-1]


def _extend(machine: _Machine, items: list[Any]) -> None:
    target = machine.stack[-1]
    if not isinstance(target, list):
        raise _refusal(f"items appended to {describe(target)}", "to a list")
    target.extend(items)


def _update(machine: _Machine, items: list[Any]) -> None:
    target, keys, values = machine.stack[-1], items[::2], items[1::2]
    if not isinstance(target, dict):
        raise _refusal(f"items set on {describe(target)}", "on a dict")
    for key in keys:
        _check_size(key) if type(key) is str else _checked_key(key)
    machine.count_keys(keys)
    target.update(zip(keys, values, strict=True))


def _add_items(machine: _Machine) -> None:
    items = machine.pop_mark()
    target = machine.stack[-1]
    machine.count_keys(items)
    if not isinstance(target, set):
        raise _refusal(f"items added to {describe(target)}", "to a set")
    target.update(_set(items))


def _push_dict(machine: _Machine) -> None:
    items = machine.pop_mark()
    machine.spend()
    machine.stack.append({})
    _update(machine, items)


def _push_frozenset(machine: _Machine) -> None:
    items = machine.pop_mark()
    machine.spend(3)
    machine.count_keys(items)
    machine.stack.append(frozenset(_set(items)))


def _global(machine: _Machine) -> None:
    module, name = pickletools.read_stringnl_noescape_pair(machine.file).split(" ", 1)
    machine.stack.append(_find(module, name))


def _stack_global(machine: _Machine) -> None:
    name, module = machine.stack.pop(), machine.stack.pop()
    machine.stack.append(_find(module, name))


def _refuse_instance(machine: _Machine) -> None:
    names = pickletools.read_stringnl_noescape_pair(machine.file)
    raise _refusal(f"opcode INST of {names.replace(' ', '.'):.180}", _ALLOWED_GLOBALS)


def _reduce(machine: _Machine) -> None:
    arguments, function = machine.stack.pop(), machine.stack.pop()
    if not isinstance(function, _Global) or function.call is None or not isinstance(arguments, tuple):
        raise _refusal(f"a call of {describe(function)}", "what rebuilds numpy scalars and arrays")
    _count_made(machine, arguments)
    machine.stack.append(function.call(*arguments))


def _count_made(machine: _Machine, parts: tuple[Any, ...]) -> None:
    """Count what a call makes of its arguments: as many bytes as it is given, or a set of its list."""
    machine.spend()
    for part in parts:
        if isinstance(part, list):
            machine.count_keys(part)
        elif isinstance(part, (str, bytes, bytearray)):
            machine.spend(len(part) // 64)


def _new_object(machine: _Machine) -> None:
    arguments, kind = machine.stack.pop(), machine.stack.pop()
    if not isinstance(kind, _Global) or kind.new is None or not isinstance(arguments, tuple) or arguments:
        raise _refusal(f"a new {describe(kind)}", "onnx_ir.graph.Graph and onnx_ir.node.Node, without arguments")
    machine.spend(2)  # it and its attributes
    machine.stack.append(kind.new())


def _build(machine: _Machine) -> None:
    state, target = machine.stack.pop(), machine.stack[-1]
    if isinstance(state, tuple):
        _count_made(machine, state[:8])  # of an array or its type
    if isinstance(target, (Graph, Node)):
        machine.spend(len(state) if isinstance(state, dict) else 1)
        _fill_attributes(target, state)
    elif isinstance(target, np.dtype):
        _set_byte_order(target, state)
    elif isinstance(target, np.ndarray):
        _fill_array(target, state)
    else:
        raise _refusal(f"a state for {describe(target)}", "for Graph and Node of onnx_ir and for numpy arrays")


def _fill_attributes(target: Graph | Node, state: object) -> None:
    if not isinstance(state, dict):
        raise _refusal(f"attributes of {type(target).__name__} in a {type(state).__name__}", "in a dict")
    for name in state:
        if not isinstance(name, str) or not name.isidentifier() or name.startswith("__"):
            raise _refusal(f"attribute {describe(name)} of {type(target).__name__}", "names without double underscore")
    vars(target).update(state)


def _set_byte_order(dtype: np.dtype[Any], state: object) -> None:
    plain: Any = dtype.__reduce__()[2]  # version, byte order, six more
    if not isinstance(state, tuple) or state[:1] + state[2:] != plain[:1] + plain[2:] or state[1] not in tuple("<>|="):
        raise _refusal("a state of numpy.dtype with more than a byte order", "'<', '>', '|' or '='")
    dtype.__setstate__(state)  # type: ignore[attr-defined]


def _fill_array(array: np.ndarray[Any, Any], state: object) -> None:
    if array.shape != (0,) or not isinstance(state, tuple) or len(state) != 5:
        raise _refusal("a second or unknown state of a numpy array", "version, shape, dtype, order, data")
    _, shape, dtype, is_fortran, raw = state
    plain: Any = (1, shape, _checked_array(raw, dtype, shape).dtype, is_fortran is True, bytes(raw))
    array.__setstate__(plain)


def _check_protocol(machine: _Machine) -> None:
    protocol = pickletools.read_uint1(machine.file)
    if protocol > _PROTOCOLS:
        raise _refusal(f"pickle protocol {protocol}", f"0 to {_PROTOCOLS}")


def _check_frame(machine: _Machine) -> None:
    length, left = pickletools.read_uint8(machine.file), machine.size - machine.file.tell()
    if length > left:
        raise ValueError(f"a frame of {length} bytes is announced, {left} are left")


def _actions_by_name() -> dict[str, Action]:
    readers = {opcode.name: opcode.arg.reader for opcode in pickletools.opcodes if opcode.arg}
    values = ("INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT UNICODE BINUNICODE BINUNICODE8 "
              "SHORT_BINUNICODE SHORT_BINBYTES BINBYTES BINBYTES8 BYTEARRAY8")
    return {
        **{name: _pushing_argument(readers[name]) for name in values.split()},
        **{name: _getting(readers[name]) for name in ("GET", "LONG_BINGET")},
        "BINGET": _getting(lambda file: file.read(1)[0]),
        **{name: _putting(readers[name]) for name in ("PUT", "BINPUT", "LONG_BINPUT")},
        "MEMOIZE": _memoize,
        "NONE": _pushing(lambda: None), "NEWTRUE": _pushing(lambda: True), "NEWFALSE": _pushing(lambda: False),
        "EMPTY_LIST": _pushing(list, 1), "EMPTY_DICT": _pushing(dict, 1),
        "EMPTY_SET": _pushing(set, 3), "EMPTY_TUPLE": _pushing(tuple),
        "MARK": lambda machine: machine.marks.append(len(machine.stack)),
        "POP": lambda machine: machine.stack.pop(), "POP_MARK": _Machine.pop_mark,
        "LIST": _pushing_gathered(list), "TUPLE": _pushing_gathered(tuple),
        "DICT": _push_dict, "FROZENSET": _push_frozenset,
        **{f"TUPLE{count}": _pushing_tuple(count) for count in (1, 2, 3)},
        "APPEND": lambda machine: _extend(machine, [machine.stack.pop()]),
        "APPENDS": lambda machine: _extend(machine, machine.pop_mark()),
        "SETITEM": lambda machine: _update(machine, [machine.stack.pop(), machine.stack.pop()][::-1]),
        "SETITEMS": lambda machine: _update(machine, machine.pop_mark()),
        "ADDITEMS": _add_items, "GLOBAL": _global, "STACK_GLOBAL": _stack_global, "REDUCE": _reduce,
        "NEWOBJ": _new_object, "BUILD": _build, "PROTO": _check_protocol, "FRAME": _check_frame,
        "INST": _refuse_instance,
    }  # fmt: skip


_NAMED = _actions_by_name()
_ACTIONS = {opcode.code.encode("latin1"): _NAMED.get(opcode.name, _refusing(opcode.name))
            for opcode in pickletools.opcodes}
