"""The restricted unpickler: plain data come back unchanged, everything else is refused and nothing runs."""

import collections
import contextlib
import copyreg
import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st

from autobuild_lib.released.unpickle import BrokenPickleError, Graph, Node, UnsafePickleError, read_pickle


def write(folder: Path, data: bytes) -> Path:
    path = folder / "cache.pkl"
    path.write_bytes(data)
    return path


def framed(body: bytes, protocol: int = 4) -> bytes:
    return b"\x80" + bytes([protocol]) + body + b"."


def text(value: str) -> bytes:
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def named(module: str, name: str) -> bytes:
    return text(module) + text(name) + b"\x93"


def call(module: str, name: str, *arguments: bytes) -> bytes:
    return named(module, name) + b"(" + b"".join(arguments) + b"tR"


F8 = call("numpy", "dtype", text("f8"), b"\x89", b"\x88")


# Golden files and plain data


@pytest.mark.parametrize("name", ["ofa_mbv3", "ofa_pn"])
def test_golden_sequence_caches_load(reference: Path, name: str) -> None:
    path = reference / "released_format" / f"{name}_custom_cache.pkl"
    entries = read_pickle(path)
    assert len(entries) == 32 and entries == pickle.loads(path.read_bytes())


def test_golden_ir_cache_gives_inert_graphs(reference: Path) -> None:
    entries = read_pickle(reference / "released_format" / "ofa_mbv3_pn_onnx_ir_cache.pkl")
    graph = entries[0]["graph"]
    assert type(graph) is Graph and all(type(node) is Node for node in graph.nodes)
    assert graph.nodes[0].op_type == "Conv" and graph.nodes[0].str_id in graph.src2dst
    assert not [name for name in vars(Graph) if callable(getattr(Graph, name)) and not name.startswith("__")]


SCALARS = (st.none() | st.booleans() | st.integers() | st.integers(-2**80, 2**80) | st.floats(allow_nan=False)
           | st.text() | st.binary())
KEYS = SCALARS | st.tuples(SCALARS, SCALARS)
PLAIN = st.recursive(SCALARS, lambda inner: (
    st.lists(inner) | st.tuples(inner) | st.tuples(inner, inner, inner, inner)
    | st.dictionaries(KEYS, inner)), max_leaves=20)


@given(PLAIN, st.integers(2, 5))
def test_plain_data_come_back(tmp_path_factory: pytest.TempPathFactory, value: object, protocol: int) -> None:
    path = write(tmp_path_factory.getbasetemp(), pickle.dumps(value, protocol))
    loaded = read_pickle(path)
    assert loaded == value and type(loaded) is type(value)


@pytest.mark.parametrize("protocol", range(2, 6))
def test_an_ordered_dict_comes_back_as_a_dict(tmp_path: Path, protocol: int) -> None:
    value = collections.OrderedDict([("b", 1), ("a", 2)])
    loaded = read_pickle(write(tmp_path, pickle.dumps(value, protocol)))
    assert type(loaded) is dict and list(loaded.items()) == list(value.items())


NUMPY = [np.float64(0.5), np.float32(0.5), np.int64(-3), np.bool_(True), np.str_("mbconv"), np.float16(1),
         np.arange(6.0), np.arange(6).reshape(2, 3), np.asfortranarray(np.arange(6.0).reshape(2, 3)), np.array(3),
         np.array(["a", "bcd"]), np.arange(3, dtype=">f4"), np.zeros((0, 3)), np.array([True, False]), np.array([1j])]


@pytest.mark.parametrize("protocol", range(2, 6))
@pytest.mark.parametrize("value", NUMPY, ids=repr)
def test_numpy_values_come_back(tmp_path: Path, value: np.ndarray, protocol: int) -> None:
    data = pickle.dumps([value, value.dtype], protocol)
    loaded, expected = read_pickle(write(tmp_path, data))[0], pickle.loads(data)[0]
    assert type(loaded) is type(value) and loaded.dtype == expected.dtype and loaded.shape == value.shape
    np.testing.assert_array_equal(loaded, value)


@pytest.mark.parametrize("value", NUMPY, ids=repr)
def test_numpy_1_names_are_known(tmp_path: Path, value: np.ndarray) -> None:
    data = pickle.dumps(value, 2).replace(b"numpy._core.", b"numpy.core.")
    np.testing.assert_array_equal(read_pickle(write(tmp_path, data)), value)


def test_shared_and_recursive_lists_stay_so(tmp_path: Path) -> None:
    shared: list[object] = [1]
    value: list[object] = [shared, shared]
    value.append(value)
    loaded = read_pickle(write(tmp_path, pickle.dumps(value)))
    assert loaded[0] is loaded[1] and loaded[2] is loaded


def test_a_million_levels_of_lists_do_no_harm(tmp_path: Path) -> None:
    loaded = read_pickle(write(tmp_path, framed(b"]" * 10**6 + b"a" * (10**6 - 1))))
    assert len(loaded) == 1


def test_objects_nested_deeply_do_no_harm(tmp_path: Path) -> None:
    level = b"h\x00)\x81}" + text("a")
    data = named("onnx_ir.graph", "Graph") + b"q\x000" + level * 10**5 + b"N" + b"sb" * 10**5
    assert type(read_pickle(write(tmp_path, framed(data)))) is Graph


def test_byte_order_changed_later_leaves_arrays_alone(tmp_path: Path) -> None:
    state = b"(K\x03" + text(">") + b"NNN" + b"J\xff\xff\xff\xff" * 2 + b"K\x00tb"
    array = call("numpy._core.numeric", "_frombuffer", F8 + b"q\x01" + b"0C\x08" + bytes(6) + b"\xf0\x3f" + b"h\x01",
                 b"K\x01\x85", text("C"))
    loaded = read_pickle(write(tmp_path, framed(b"(" + array + b"h\x01" + state + b"t")))
    assert loaded[0].tolist() == [1.0] and loaded[1] == np.dtype(">f8")


# Hostile files: (what the error names, the bytes). Those that could run something would create the file SENTINEL.

SENTINEL = "something-ran"


class Payload:
    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (SENTINEL,)


MKDIR = "posix.mkdir" if os.name == "posix" else "nt.mkdir"
GRAPH = named("onnx_ir.graph", "Graph") + b")\x81"
ARRAY = call("numpy._core.multiarray", "_reconstruct", named("numpy", "ndarray"), b"K\x00\x85", b"C\x01b")
INERT_ARGUMENT = text(SENTINEL)
HOSTILE: dict[str, tuple[str, bytes]] = {
    **{f"payload in protocol {n}": (MKDIR, pickle.dumps(Payload(), n)) for n in range(6)},
    **{f"payload deep in protocol {n}": (MKDIR, pickle.dumps([{"a": [1, Payload()]}], n)) for n in range(2, 6)},
    **{f"call of {module}.{name}": (f"{module}.{name}", framed(call(module, name, INERT_ARGUMENT)))
       for module, name in [("os", "system"), ("builtins", "eval"), ("builtins", "exec"), ("builtins", "getattr"),
                            ("builtins", "open"), ("builtins", "__import__"), ("subprocess", "Popen"),
                            ("pickle", "loads"), ("numpy", "load"), ("numpy", "memmap"), ("torch", "load"),
                            ("importlib", "import_module"), ("operator", "attrgetter"), ("functools", "partial"),
                            ("pathlib", "Path"), ("copyreg", "_reconstructor"), ("copyreg", "add_extension"),
                            ("collections", "defaultdict"), ("collections", "Counter"), ("builtins", "range"),
                            ("numpy.testing._private.utils", "runstring"), ("onnx_ir.graph", "Node"),
                            ("onnx_ir.graph", "copy"), ("onnx_ir.node", "struct"),
                            ("autobuild_lib.released.unpickle", "Graph")]},
    "dotted name": ("onnx_ir.graph.Graph.__init__", framed(named("onnx_ir.graph", "Graph.__init__"))),
    "dotted name into modules": ("onnx_ir.graph.copy.os.system", framed(named("onnx_ir.graph", "copy.os.system"))),
    "dotted name in numpy": ("numpy.ndarray.tofile", framed(named("numpy", "ndarray.tofile"))),
    "dots moved to the name": ("numpy._core.multiarray.scalar", framed(named("numpy", "_core.multiarray.scalar"))),
    "name that is no text": ("a name made of", framed(b"K\x01K\x02\x93")),
    "name that is an endless list": ("a name made of", framed(b"]\x94" + b"(h\x00h\x00e" * 9 + b"h\x00\x93")),
    "protocol 0": ("LIST", pickle.dumps([1], 0)),
    "a set": ("EMPTY_SET", pickle.dumps({1}, 4)),
    "a set in protocol 2": ("__builtin__.set", pickle.dumps({1}, 2)),
    "a frozen set": ("FROZENSET", pickle.dumps(frozenset({1}), 4)),
    "a complex number": ("builtins.complex", pickle.dumps(1j, 4)),
    "INST": ("INST", framed(b"(X\x01\x00\x00\x00aios\nmkdir\n", 1)),
    "OBJ": ("os.mkdir", framed(b"(cos\nmkdir\n" + INERT_ARGUMENT + b"o")),
    "OBJ of a known class": ("OBJ", framed(b"(connx_ir.graph\nGraph\no")),
    "NEWOBJ_EX": ("NEWOBJ_EX", framed(named("onnx_ir.graph", "Graph") + b")}\x92")),
    "EXT1": ("EXT1", framed(b"\x82\xf0")),
    "EXT2": ("EXT2", framed(b"\x83\xf0\x00")),
    "EXT4": ("EXT4", framed(b"\x84\xf0\x00\x00\x00")),
    "PERSID": ("PERSID", framed(b"Pname\n")),
    "BINPERSID": ("BINPERSID", framed(text("name") + b"Q")),
    "NEXT_BUFFER": ("NEXT_BUFFER", framed(b"\x97", 5)),
    "READONLY_BUFFER": ("READONLY_BUFFER", framed(b"N\x98", 5)),
    "STRING": ("STRING", framed(b"S'a'\n", 0)),
    "protocol of the future": ("pickle protocol 6", framed(b"N", 6)),
    "call of text": ("'eval'", framed(text("eval") + b")R")),
    "call of a class": ("onnx_ir.graph.Graph", framed(named("onnx_ir.graph", "Graph") + b")R")),
    "call of ndarray": ("numpy.ndarray", framed(call("numpy", "ndarray", b"J\xff\xff\xff\x7f\x85"))),
    "new ndarray": ("numpy.ndarray", framed(named("numpy", "ndarray") + b"J\xff\xff\xff\x7f\x85\x81")),
    "new object with arguments": ("onnx_ir.graph.Graph", framed(named("onnx_ir.graph", "Graph") + b"N\x85\x81")),
    "state for a class": ("onnx_ir.graph.Graph", framed(named("onnx_ir.graph", "Graph") + b"}b")),
    "state for a function": ("scalar", framed(named("numpy._core.multiarray", "scalar") + b"}b")),
    "state for a list": ("state for []", framed(b"]}b")),
    "slot state": ("tuple", framed(GRAPH + b"N}\x86b")),
    "dunder attribute": ("__class__", framed(GRAPH + b"}" + text("__class__") + b"Nsb")),
    "dunder dictionary": ("__dict__", framed(GRAPH + b"}" + text("__dict__") + b"}sb")),
    "attribute that is no name": ("a b", framed(GRAPH + b"}" + text("a b") + b"Nsb")),
    "attribute that is a number": ("attribute 1", framed(GRAPH + b"}K\x01Nsb")),
    "items set on an object": ("Graph", framed(GRAPH + text("a") + b"Ns")),
    "items appended to an object": ("Graph", framed(GRAPH + b"Na")),
    "items appended to an array": ("ndarray", framed(ARRAY + b"Na")),
    "array of objects": ("numpy.dtype of 'O8'", pickle.dumps(np.array([Payload], dtype=object))),
    "array of records": ("numpy.dtype of 'V16'", pickle.dumps(np.zeros(2, "f8,f8"))),
    "array of dates": ("numpy.dtype of 'M8'", pickle.dumps(np.zeros(2, "M8[s]"))),
    "array of bytes": ("numpy.dtype of 'S3'", pickle.dumps(np.array([b"abc"]))),
    "dtype of a dict": ("numpy.dtype of {}", framed(call("numpy", "dtype", b"}", b"\x89", b"\x88"))),
    "dtype of a list": ("numpy.dtype of []", framed(call("numpy", "dtype", b"]", b"\x89", b"\x88"))),
    "dtype that is remade by its state": ("numpy.dtype", framed(
        F8 + b"(K\x03" + text("|") + b"N" + text("a") + b"\x85}" + b"J\x08\x00\x00\x00J\x01\x00\x00\x00K\x3ftb")),
    "scalar of a huge text": ("U999999", framed(call("numpy._core.multiarray", "scalar", call(
        "numpy", "dtype", text("U999999"), b"\x89", b"\x88"), b"C\x01a"))),
    "scalar of impossible text": ("impossible", framed(call("numpy._core.multiarray", "scalar", call(
        "numpy", "dtype", text("U1"), b"\x89", b"\x88"), b"C\x04\xff\xff\xff\xff"))),
    "scalar without dtype": ("array of 'O'", framed(call("numpy._core.multiarray", "scalar", text("O"), b"C\x01a"))),
    "reconstruct of another class": ("onnx_ir.graph.Graph", framed(call(
        "numpy._core.multiarray", "_reconstruct", named("onnx_ir.graph", "Graph"), b"K\x00\x85", b"C\x01b"))),
    "reconstruct of a huge array": ("_reconstruct", framed(call(
        "numpy._core.multiarray", "_reconstruct", named("numpy", "ndarray"), b"J\xff\xff\xff\x7f\x85", b"C\x01b"))),
    "huge shape": ("numpy shape", framed(ARRAY + b"(K\x01J\xff\xff\xff\x7f\x85" + F8 + b"\x89C\x08aaaaaaaatb")),
    "overflowing shape": ("numpy shape", framed(
        ARRAY + b"(K\x01" + b"(" + b"\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x40" * 4 + b"t" + F8 + b"\x89C\x00tb")),
    "negative shape": ("numpy shape", framed(ARRAY + b"(K\x01J\xff\xff\xff\xff\x85" + F8 + b"\x89C\x08aaaaaaaatb")),
    "array data that are a list": ("numpy shape", framed(ARRAY + b"(K\x01K\x01\x85" + F8 + b"\x89]Na" + b"tb")),
    "second state of an array": ("a second", framed(
        ARRAY + 2 * (b"(K\x01K\x01\x85" + F8 + b"\x89C\x08aaaaaaaatb"))),
    "encoding with side effects": ("_codecs.encode", framed(call("_codecs", "encode", text("a"), text("bz2_codec")))),
    "deep tuple as key": ("tuple", framed(b"})" + b"\x85" * 10**6 + b"Ns")),
    "endless tuple as key": ("tuple", framed(b"}N\x85q\x000" + b"h\x00h\x00\x86q\x000" * 60 + b"h\x00Ns")),
    "long tuple as key": ("tuple", framed(b"}(" + b"N" * 17 + b"tNs")),
    "list as key": ("list", framed(b"}]Ns")),
    "object as key": ("Graph", framed(b"}" + GRAPH + b"Ns")),
    "bytes after the end": ("1 bytes after the end", framed(b"N") + b"\n"),
    "second pickle after the end": ("after the end", pickle.dumps(1) + pickle.dumps(Payload())),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_pickle_is_refused_by_name_and_runs_nothing(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    found, data = HOSTILE[kind]
    path = write(tmp_path, data)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnsafePickleError) as caught:
        read_pickle(path)
    message = str(caught.value)
    assert found in message and str(path) in message and "allowed" in message
    assert "\n" not in message and len(message) < 600
    assert os.listdir(tmp_path) == ["cache.pkl"]


def test_the_payload_of_these_tests_would_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pickle.loads(HOSTILE["payload in protocol 4"][1])
    assert (tmp_path / SENTINEL).is_dir()


def test_registered_extensions_are_refused_too(tmp_path: Path) -> None:
    copyreg.add_extension("os", "mkdir", 0xF0)
    try:
        data = framed(b"\x82\xf0" + INERT_ARGUMENT + b"\x85R")
        with pytest.raises(UnsafePickleError, match="EXT1"):
            read_pickle(write(tmp_path, data))
    finally:
        copyreg.remove_extension("os", "mkdir", 0xF0)


BROKEN: dict[str, bytes] = {
    "empty": b"",
    "only a protocol": b"\x80\x04",
    "not a pickle": b"<!DOCTYPE html><html></html>",
    "a pointer to a large file": b"version https://git-lfs.github.com/spec/v1\n",
    "compressed": b"\x1f\x8b\x08\x00" + bytes(20),
    "nothing but the end": b".",
    "two values": framed(b"NN"),
    "open mark": framed(b"N("),
    "no mark": framed(b"]e"),
    "unknown memo": framed(b"h\x05"),
    "memo of nothing": framed(b"\x94"),
    "bytes beyond the end": framed(b"\x8e" + struct.pack("<Q", 2**40) + b"a", 4),
    "bytearray beyond the end": framed(b"\x96" + struct.pack("<Q", 2**62) + b"a", 5),
    "text beyond the end": framed(b"\x8d" + struct.pack("<Q", 2**63) + b"a"),
    "short text beyond the end": framed(b"\x8c\xffabc"),
    "number beyond the end": framed(b"\x8b" + struct.pack("<i", 2**31 - 1) + b"a"),
    "number of negative length": framed(b"\x8b" + struct.pack("<i", -5) + b"a"),
    "line without an end": framed(b"cabc", 2),
    "key without a value": framed(b"}(Nu"),
    "tuple of nothing": framed(b"\x86"),
    "not Unicode": framed(b"\x8c\x02\xff\xff"),
    "wrong number of arguments": framed(call("numpy", "dtype", text("f8"))),
    "dtype of no size": framed(call("numpy", "dtype", text("f3"), b"\x89", b"\x88")),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_files_are_named(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path, BROKEN[kind])
    with pytest.raises(BrokenPickleError, match="not a whole pickle") as caught:
        read_pickle(path)
    message = str(caught.value)
    assert str(path) in message and "\n" not in message and len(message) < 600


def test_every_truncation_of_a_cache_is_an_error(tmp_path: Path) -> None:
    data = pickle.dumps([{"original config": [224, [["mbconv3_e6_k5"]]], "acc": np.float64(0.7), "net": None}], 4)
    for length in range(len(data)):
        with pytest.raises(BrokenPickleError):
            read_pickle(write(tmp_path, data[:length]))


@given(st.binary(max_size=60))
def test_random_bytes_never_escape_the_two_errors(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = write(tmp_path_factory.getbasetemp(), framed(data))
    with contextlib.suppress(UnsafePickleError, BrokenPickleError):
        read_pickle(path)


def test_huge_memo_index_takes_no_memory(tmp_path: Path) -> None:
    assert read_pickle(write(tmp_path, framed(b"Nr\xff\xff\xff\x7f"))) is None


def test_too_large_files_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, pickle.dumps("a" * 100))
    assert read_pickle(path, max_bytes=path.stat().st_size) == "a" * 100
    with pytest.raises(UnsafePickleError, match="at most 50"):
        read_pickle(path, max_bytes=50)


def test_missing_file_is_an_ordinary_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_pickle(tmp_path / "absent.pkl")
