"""Reads pickles from outside without running them.

The standard unpickler can call whatever a file names. This machine takes the opcodes that plain data need and has no
way to import anything: the names that a file may hold stand for functions here that check their arguments (`_KNOWN`).

Numbers, text, bytes, None, lists, tuples, dicts, numpy scalars and arrays of numbers or text come back as they are;
`onnx_ir.graph.Graph` and `onnx_ir.node.Node` become `Graph` and `Node`, which hold attributes and do nothing. Keys are
scalars or short flat tuples of scalars: nothing deep is hashed, compared or printed. Objects and references are
counted, so that a file takes memory in proportion to its size; keys other than text, which could collide, may be few.
"""

import gc
import io
import math
import os
import pickletools
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from autobuild_lib.released.limits import FREE, Allowance
from autobuild_lib.values import shown

DEFAULT_MAX_BYTES = 2 * 1024**3
_PROTOCOLS = 5  # the newest one
_LONGEST_KEY = 16  # elements of a tuple used as a key
_LONGEST_TEXT = 10_000  # letters of a key, which are compared with those of others
_LARGEST_KEY = 1024  # bits of a whole number used as a key
MOST_KEYS = 10_000  # keys that are not text
_BYTES_PER_OBJECT = 3  # of a file, at least; the released caches have 5 to 10
_SCALARS = (str, bytes, int, float, type(None), np.generic)
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
    """Read plain data from a pickle (protocols 2 to 5) of at most `max_bytes`, running nothing that it brings along.

    Raises `UnsafePickleError` for a file that asks for more or is too large, `BrokenPickleError` for none or a part.
    """
    with Path(path).open("rb") as file:
        data = file.read(min(os.fstat(file.fileno()).st_size, max_bytes) + 1)  # read takes memory for all it may give
    if len(data) > max_bytes:
        raise UnsafePickleError(f"{path}: more than {max_bytes} bytes; allowed: at most {max_bytes} (max_bytes)")
    return read_pickled(data, f"{path}")


def read_pickled(data: bytes, where: str, most_keys: int = MOST_KEYS) -> object:
    """Read the content of a pickle as `read_pickle` does; more keys (not texts) only where its checksum is known."""
    machine, was_collecting = _Machine(data, most_keys), gc.isenabled()
    gc.disable()  # collections take most of the time of a large file: it becomes millions of objects
    try:
        return machine.run()
    except UnsafePickleError as error:
        raise UnsafePickleError(f"{where}: {error} (near byte {machine.file.tell()})") from None
    except Exception as error:  # whatever a malformed file makes fail
        stopped = f"stopped near byte {machine.file.tell()} of {len(data)} by {type(error).__name__}: {error!s:.150}"
        raise BrokenPickleError(f"{where}: not a whole pickle, {stopped}; allowed: plain data") from None
    finally:
        if was_collecting:
            gc.enable()


class _Machine:
    """The stack, the marks on it and the memo of a pickle that is being read."""

    def __init__(self, data: bytes, most_keys: int) -> None:
        self.size, self.file = len(data), io.BytesIO(data)
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.spend = Allowance(FREE + self.size // _BYTES_PER_OBJECT, error=UnsafePickleError).spend
        self.spend_keys = Allowance(most_keys, "keys that are not text", UnsafePickleError).spend

    def run(self) -> object:
        file = self.file
        while (code := file.read(1)) != b".":
            if code not in _OPCODES:
                raise ValueError(f"{code!r} is not an opcode" if code else "the file ends too early")
            read, act = _OPCODES[code]
            act(self, read(file))
        if left := self.size - self.file.tell():
            raise _refusal(f"{left} bytes after the end of the pickle", "none")
        if len(self.stack) != 1 or self.marks:
            raise ValueError(f"{len(self.stack)} values and {len(self.marks)} marks are left instead of one value")
        return self.stack.pop()

    def push(self, value: object) -> None:
        self.stack.append(value)

    def pop(self, count: int) -> list[Any]:
        """Take values from the stack; the one that was pushed first comes first."""
        return [self.stack.pop() for _ in range(count)][::-1]

    def pop_mark(self) -> list[Any]:
        mark = self.marks.pop()
        items = self.stack[mark:]
        del self.stack[mark:]
        return items

    def check_keys(self, keys: list[Any]) -> None:
        """Check and count keys before they meet each other; what collides costs the square of their number."""
        self.spend(len(keys))
        for key in keys:
            for part in key if isinstance(key, tuple) and len(key) <= _LONGEST_KEY else (key,):
                _check_key_part(part)
            if type(key) is not str:
                self.spend_keys()


def _check_key_part(part: object) -> None:
    if not isinstance(part, _SCALARS):
        raise _refusal(f"a {type(part).__name__} as key", f"scalars and flat tuples of at most {_LONGEST_KEY} scalars")
    if isinstance(part, (str, bytes)) and len(part) > _LONGEST_TEXT:
        raise _refusal(f"a key of {len(part):,} letters", f"at most {_LONGEST_TEXT:,}")
    if isinstance(part, int) and part.bit_length() > _LARGEST_KEY:
        raise _refusal(f"a whole number of {part.bit_length():,} bits as a key", f"at most {_LARGEST_KEY:,}")


def _refusal(what: str, allowed: str) -> UnsafePickleError:
    return UnsafePickleError(f"found {what}; allowed: {allowed}")


# Names that a file may hold, and the functions that stand for them.

@dataclass(frozen=True)
class _Global:
    """A name in a pickle: REDUCE may `call` it with arguments, NEWOBJ may make a `new` empty object of it."""

    name: str
    call: Callable[..., object] | None = None
    new: Callable[[], object] | None = None

    def __repr__(self) -> str:
        return self.name


def _dtype(name: object, align: object, copy: object) -> np.dtype[Any]:
    if not isinstance(name, str) or not _DTYPE.fullmatch(name):
        raise _refusal(f"numpy.dtype of {shown(name)}", "numbers and text, such as 'f8', 'i4', 'b1', 'U12'")
    return np.dtype(name, False, True)  # a copy, whose byte order BUILD may set


def _checked_array(raw: object, dtype: object, shape: object, order: object = "C") -> np.ndarray[Any, Any]:
    if not isinstance(dtype, np.dtype) or dtype.itemsize == 0 or order not in ("C", "F"):
        raise _refusal(f"numpy array of {shown(dtype)}, order {shown(order)}", "numbers and text, 'C' or 'F'")
    if not isinstance(shape, tuple) or len(shape) > 32 or not all(type(n) is int and 0 <= n < 2**31 for n in shape):
        raise _refusal("numpy shape that is no tuple of at most 32 sizes", "such tuples")
    if not isinstance(raw, (bytes, bytearray)) or math.prod(shape) * dtype.itemsize != len(raw):
        raise _refusal(f"numpy shape {shape} of {dtype} that does not fit its data", "data of exactly that size")
    points = np.frombuffer(raw, np.dtype(np.uint32).newbyteorder(dtype.byteorder)) if dtype.kind == "U" else None
    if points is not None and (points > 0x10FFFF).any():
        raise _refusal("numpy text with impossible characters", "Unicode")
    settled = np.dtype(dtype.str)  # the one of the file may still change its byte order
    return np.frombuffer(raw, settled).reshape(shape, order="F" if order == "F" else "C")


def _empty_array(kind: object, shape: object, code: object) -> np.ndarray[Any, Any]:
    if kind is not _NDARRAY or shape != (0,) or code != b"b":
        raise _refusal(f"numpy _reconstruct of {shown(kind)}", "numpy.ndarray of shape (0,)")
    return np.empty(0, np.int8)


def _encode(text: object, encoding: object) -> bytes:
    if not isinstance(text, str) or encoding != "latin1":
        raise _refusal(f"_codecs.encode to {shown(encoding)}", "text to 'latin1'")
    return text.encode("latin1")


_NDARRAY = _Global("numpy.ndarray")
_KNOWN = [
    _Global("onnx_ir.graph.Graph", new=Graph),
    _Global("onnx_ir.node.Node", new=Node),
    _NDARRAY,
    _Global("numpy.dtype", call=_dtype),
    _Global("_codecs.encode", call=_encode),  # bytes in protocol 2
    _Global("__builtin__.bytes", call=lambda: b""),
    _Global("collections.OrderedDict", call=lambda: {}),
]
for _core in ("numpy.core", "numpy._core"):
    _KNOWN += [_Global(f"{_core}.multiarray.scalar", call=lambda dtype, raw: _checked_array(raw, dtype, ())[()]),
               _Global(f"{_core}.multiarray._reconstruct", call=_empty_array),
               _Global(f"{_core}.numeric._frombuffer", call=lambda *parts: _checked_array(*parts).copy(order="K"))]
_GLOBALS = {tuple(stand_in.name.rsplit(".", 1)): stand_in for stand_in in _KNOWN}


def _push_global(machine: _Machine, module: object, name: object) -> None:
    if not isinstance(module, str) or not isinstance(name, str):
        raise _refusal(f"a name made of {shown(module)} and {shown(name)}", "text")
    if (module, name) not in _GLOBALS:
        raise _refusal(f"{module:.90}.{name:.90}", "numpy scalars and arrays, onnx_ir.graph.Graph, onnx_ir.node.Node")
    machine.push(_GLOBALS[module, name])


# What each opcode does with its argument. The readers of `pickletools` check that all of it is there.

Action = Callable[[_Machine, Any], object]


def _pushing(make: Callable[[], object], objects: int = 0) -> Action:
    """Push a new value, which takes as much memory as so many small objects."""
    def act(machine: _Machine, _: object) -> None:
        machine.spend(objects)
        machine.push(make())
    return act


def _refusing(name: str) -> Action:
    def act(machine: _Machine, _: object) -> None:
        raise _refusal(f"opcode {name}", "opcodes of plain data, protocols 2 to 5")
    return act


def _push_tuple(machine: _Machine, items: list[Any]) -> None:
    machine.spend()
    machine.push(tuple(items))


def _put(machine: _Machine, place: int) -> None:
    machine.spend()
    machine.memo[place] = machine.stack[-1]


def _extend(machine: _Machine, items: list[Any]) -> None:
    if not isinstance(target := machine.stack[-1], list):
        raise _refusal(f"items appended to a {type(target).__name__}", "to a list")
    target.extend(items)


def _update(machine: _Machine, items: list[Any]) -> None:
    target, keys, values = machine.stack[-1], items[::2], items[1::2]
    if not isinstance(target, dict):
        raise _refusal(f"items set on a {type(target).__name__}", "on a dict")
    machine.check_keys(keys)
    target.update(zip(keys, values, strict=True))


def _reduce(machine: _Machine, _: object) -> None:
    function, arguments = machine.pop(2)
    if not isinstance(function, _Global) or function.call is None or not isinstance(arguments, tuple):
        raise _refusal(f"a call of {shown(function)}", "what rebuilds numpy scalars and arrays")
    _count_made(machine, arguments)
    machine.push(function.call(*arguments))


def _count_made(machine: _Machine, parts: tuple[Any, ...]) -> None:
    """Count what is made of some arguments: as many bytes as are given."""
    machine.spend(1 + sum(len(part) // 64 for part in parts if isinstance(part, (str, bytes, bytearray))))


def _new_object(machine: _Machine, _: object) -> None:
    kind, arguments = machine.pop(2)
    if not isinstance(kind, _Global) or kind.new is None or arguments != ():
        raise _refusal(f"a new {shown(kind)}", "onnx_ir.graph.Graph and onnx_ir.node.Node, without arguments")
    machine.spend(2)  # it and its attributes
    machine.push(kind.new())


def _build(machine: _Machine, _: object) -> None:
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
        raise _refusal(f"a state for {shown(target)}", "for Graph and Node of onnx_ir and for numpy arrays")


def _fill_attributes(target: Graph | Node, state: object) -> None:
    if not isinstance(state, dict):
        raise _refusal(f"attributes of {type(target).__name__} in a {type(state).__name__}", "in a dict")
    for name in state:
        if not isinstance(name, str) or not name.isidentifier() or name.startswith("__"):
            raise _refusal(f"attribute {shown(name)} of {type(target).__name__}", "names without double underscore")
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


def _check_protocol(machine: _Machine, protocol: int) -> None:
    if protocol > _PROTOCOLS:
        raise _refusal(f"pickle protocol {protocol}", f"2 to {_PROTOCOLS}")


_VALUES = ("NONE BININT BININT1 BININT2 LONG1 LONG4 BINFLOAT SHORT_BINUNICODE BINUNICODE BINUNICODE8 "
           "SHORT_BINBYTES BINBYTES BINBYTES8 BYTEARRAY8")  # the argument itself
_ACTIONS: dict[str, Action] = {
    **dict.fromkeys(_VALUES.split(), _Machine.push),
    **dict.fromkeys(["BINGET", "LONG_BINGET"], lambda machine, place: machine.push(machine.memo[place])),
    **dict.fromkeys(["BINPUT", "LONG_BINPUT"], _put),
    "MEMOIZE": lambda machine, _: _put(machine, len(machine.memo)),
    "NEWTRUE": _pushing(lambda: True), "NEWFALSE": _pushing(lambda: False), "EMPTY_TUPLE": _pushing(tuple),
    "EMPTY_LIST": _pushing(list, 1), "EMPTY_DICT": _pushing(dict, 1),
    "MARK": lambda machine, _: machine.marks.append(len(machine.stack)),
    "POP": lambda machine, _: machine.stack.pop(), "POP_MARK": lambda machine, _: machine.pop_mark(),
    "TUPLE": lambda machine, _: _push_tuple(machine, machine.pop_mark()),
    "TUPLE1": lambda machine, _: _push_tuple(machine, machine.pop(1)),
    "TUPLE2": lambda machine, _: _push_tuple(machine, machine.pop(2)),
    "TUPLE3": lambda machine, _: _push_tuple(machine, machine.pop(3)),
    "APPEND": lambda machine, _: _extend(machine, machine.pop(1)),
    "APPENDS": lambda machine, _: _extend(machine, machine.pop_mark()),
    "SETITEM": lambda machine, _: _update(machine, machine.pop(2)),
    "SETITEMS": lambda machine, _: _update(machine, machine.pop_mark()),
    "GLOBAL": lambda machine, names: _push_global(machine, *names.split(" ", 1)),
    "STACK_GLOBAL": lambda machine, _: _push_global(machine, *machine.pop(2)),
    "REDUCE": _reduce, "NEWOBJ": _new_object, "BUILD": _build, "PROTO": _check_protocol,
    "FRAME": lambda machine, length: None,
}  # fmt: skip
_OPCODES = {opcode.code.encode("latin1"): (opcode.arg.reader if opcode.arg else lambda file: None,
                                           _ACTIONS.get(opcode.name, _refusing(opcode.name)))
            for opcode in pickletools.opcodes}
