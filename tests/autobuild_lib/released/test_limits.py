"""Pickles that are small and would cost minutes or gigabytes: refused by what they hold, in a line that names them."""

import pickle
import struct
import sys
import time
import tracemalloc
import types
from pathlib import Path
from typing import Any

import pytest

from autobuild_lib.released import unpickle
from autobuild_lib.released.caches import RELEASED, RecordError, read_records
from autobuild_lib.released.unpickle import Graph, Node, UnsafePickleError, read_pickle
from tests.autobuild_lib.released.test_unpickle import framed, named, text, write

PRIME = 2**61 - 1  # whole numbers that differ by it have one hash
MANY = 11_000
N = 100_000


def number(value: int) -> bytes:
    raw = value.to_bytes(12, "little")
    return b"\x8a" + bytes([len(raw)]) + raw


COLLIDING = [number(i * PRIME) for i in range(MANY)]
LETTERS = b"X" + struct.pack("<I", 2**20) + b"a" * 2**20 + b"\x94"  # the first that is memoised
KEYS: dict[str, bytes] = {
    "items of a dict": b"}(" + b"N".join(COLLIDING) + b"Nu",
    "items one by one": b"}" + b"".join(key + b"Ns" for key in COLLIDING),
    "one item again and again": b"}" + COLLIDING[0] + b"\x94" + b"Ns" + b"h\x00Ns" * MANY,
    "tuples": b"}" + b"".join(key + b"\x85Ns" for key in COLLIDING),
    "small dicts that share their keys": COLLIDING[0] + b"\x94" + b"}h\x00Ns" * MANY,
}
LONG_KEYS: dict[str, bytes] = {
    "text": LETTERS + b"}h\x00Ns",
    "text in a tuple": LETTERS + b"}h\x00\x85Ns",
    "a large number": b"}\x8b" + struct.pack("<I", 2000) + b"\x01" * 2000 + b"Ns",
}
FLOODS: dict[str, bytes] = {
    "lists": b"](" + b"]" * N + b"e",
    "dicts": b"](" + b"}" * N + b"e",
    "tuples": b"](" + b"N\x85" * N + b"e",
    "tuples in tuples": b"N" + b"\x85" * N,
    "places of the memo": b"N" + b"\x94" * N,
    "graphs": named("onnx_ir.graph", "Graph") + b"\x940](" + b"h\x00)\x81" * N + b"e",
    "attributes of graphs": b"}(" + b"".join(text(f"a{i}") + b"N" for i in range(1000)) + b"u\x94"
                            + named("onnx_ir.graph", "Graph") + b"\x94](" + b"h\x01)\x81h\x00b" * 500 + b"e",
    "copies of one text": LETTERS + text("latin1") + b"\x86\x94" + named("_codecs", "encode") + b"\x94]("
                          + b"h\x02h\x01R" * 100 + b"e",
}  # fmt: skip


@pytest.fixture
def onnx_ir(monkeypatch: pytest.MonkeyPatch) -> None:
    """The modules of the classes in a released cache, so that they can be pickled."""
    for kind in (Graph, Node):
        module = types.ModuleType(f"onnx_ir.{kind.__name__.lower()}")
        setattr(module, kind.__name__, kind)
        monkeypatch.setattr(kind, "__module__", module.__name__)
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(sys.modules, "onnx_ir", types.ModuleType("onnx_ir"))


def peak(path: Path, error: type[Exception]) -> tuple[str, float]:
    """The error of a file, and the memory that it took, in MB."""
    tracemalloc.start()
    try:
        with pytest.raises(error) as caught:
            read_pickle(path)
        return str(caught.value), tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", KEYS)
def test_keys_that_could_collide_are_few(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path, framed(KEYS[kind]))
    started = time.process_time()
    with pytest.raises(UnsafePickleError, match="more than 10,000 keys") as caught:
        read_pickle(path)
    assert time.process_time() - started < 20 and str(path) in str(caught.value)


@pytest.mark.parametrize("kind", LONG_KEYS)
def test_long_keys_are_refused(tmp_path: Path, kind: str) -> None:
    with pytest.raises(UnsafePickleError, match="at most"):
        read_pickle(write(tmp_path, framed(LONG_KEYS[kind])))


@pytest.mark.parametrize("kind", FLOODS)
def test_floods_of_objects_and_references_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(unpickle, "FREE", 1000)
    path = write(tmp_path, framed(FLOODS[kind]))
    message, megabytes = peak(path, UnsafePickleError)
    assert "objects and references" in message and str(path) in message and "\n" not in message
    assert megabytes < 30


def test_ordinary_keys_pass(tmp_path: Path) -> None:
    pairs, texts = dict.fromkeys((i, "a") for i in range(4000)), {str(i): i for i in range(50_000)}
    value: Any = [dict.fromkeys(range(5000)), pairs, texts]
    assert read_pickle(write(tmp_path, pickle.dumps(value))) == value


@pytest.mark.usefixtures("onnx_ir")
@pytest.mark.parametrize("protocol", range(2, 6))
@pytest.mark.parametrize("name", ["ofa_mbv3", "ofa_pn", "ofa_mbv3_pn_ir"])
def test_the_released_caches_pass_without_what_is_free(
    reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, protocol: int
) -> None:
    entries = read_pickle(reference / "released_format" / RELEASED[name])
    monkeypatch.setattr(unpickle, "FREE", 0)
    path = write(tmp_path, pickle.dumps(entries, protocol))
    assert len(read_records(path)) == len(read_pickle(path)) == len(entries)  # type: ignore[arg-type]


def test_three_thousand_rows_pass(tmp_path: Path) -> None:
    rows = [{"original config": [224, [[f"mbconv3_e6_k{i % 7}"] * 4] * 5], "acc": i / 3000} for i in range(3000)]
    assert len(read_records(write(tmp_path, pickle.dumps(rows)))) == 3000


# -------------------------------------------------------------------- one entry many times

LAYERS = [["mbconv3_e6_k7"] * 64] * 64


def test_one_entry_many_times_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, pickle.dumps([{"net": [224, LAYERS], "acc": 0.5}] * 100_000))
    with pytest.raises(RecordError, match="layers and labels") as caught:
        read_records(path)
    assert str(path) in str(caught.value)


def test_labels_that_all_differ_are_refused(tmp_path: Path) -> None:
    rows = [{"net": [224, [["a"]]], f"label {i}": 0.5} for i in range(2000)]
    with pytest.raises(RecordError, match="more than 1,000 labels"):
        read_records(write(tmp_path, pickle.dumps(rows)))
