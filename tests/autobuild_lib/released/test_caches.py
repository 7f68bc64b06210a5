"""Released caches: where they live, and what an entry must look like."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from autobuild_lib.released.caches import (
    RELEASED,
    RecordError,
    data_folder,
    find_released,
    read_records,
)
from autobuild_lib.released.checksums import LOCK_NAME, ChecksumError, sha256_of
from autobuild_lib.released.unpickle import Graph, UnsafePickleError

STAGES = [["mbconv3_e3_k3", "mbconv3_e6_k7"], ["mbconv3_e4_k5"]]
ENTRY = {"original config": [224, STAGES], "acc": 0.77, "latency_gpu": 9.5}


def cache(folder: Path, entries: object) -> Path:
    path = folder / "cache.pkl"
    path.write_bytes(pickle.dumps(entries))
    return path


def test_catalogue_holds_the_five_caches() -> None:
    assert list(RELEASED) == ["ofa_mbv3", "ofa_pn", "ofa_mbv3_pn_ir", "ofa_mbv3_pan_seg", "ofa_pn_pan_seg"]
    assert len(set(RELEASED.values())) == 5 and all(file.endswith("_cache.pkl") for file in RELEASED.values())


def test_folder_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOBUILD_DATA", str(tmp_path / "chosen"))
    assert data_folder() == tmp_path / "chosen" and not data_folder().exists()
    monkeypatch.delenv("AUTOBUILD_DATA")
    assert data_folder() == Path.home() / ".cache" / "autobuild"


def test_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        find_released("ofa_pn", tmp_path)
    message = str(caught.value)
    address = "https://huggingface.co/datasets/kgmills/AutoBuild/resolve/main/ofa_pn_custom_cache.pkl"
    assert str(tmp_path / "ofa_pn_custom_cache.pkl") in message and address in message
    assert "autobuild data fetch released" in message and list(tmp_path.iterdir()) == []


def test_present_file_is_found_and_checked(tmp_path: Path) -> None:
    path = tmp_path / RELEASED["ofa_mbv3"]
    path.write_bytes(b"content")
    assert find_released("ofa_mbv3", tmp_path) == path
    (tmp_path / LOCK_NAME).write_text(json.dumps({path.name: sha256_of(path)}))
    assert find_released("ofa_mbv3", tmp_path) == path
    path.write_bytes(b"changed")
    with pytest.raises(ChecksumError, match=LOCK_NAME):
        find_released("ofa_mbv3", tmp_path)


def test_unknown_name_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'ofa'; allowed: ofa_mbv3, ofa_pn"):
        find_released("ofa", tmp_path)


@pytest.mark.parametrize(("name", "stages"), [("ofa_mbv3", 5), ("ofa_pn", 6)])
def test_golden_sequence_caches(reference: Path, name: str, stages: int) -> None:
    records = read_records(reference / "released_format" / RELEASED[name])
    assert len(records) == 32 and {len(record.stages) for record in records} == {stages}
    for record in records:
        assert list(record.labels) == ["acc", "latency_gpu", "latency_cpu", "latency_npu"] and record.graph is None
        assert all(type(value) is float for value in record.labels.values()) and 0 < record.labels["acc"] < 1


def test_golden_ir_cache(reference: Path) -> None:
    records = read_records(reference / "released_format" / RELEASED["ofa_mbv3_pn_ir"])
    assert len(records) == 4 and all(type(record.graph) is Graph for record in records)


def test_numbers_become_floats(tmp_path: Path) -> None:
    labels = {"a": np.float32(0.5), "b": np.int64(3), "c": 2, "d": np.array(1.5)}
    (record,) = read_records(cache(tmp_path, [{"net": (np.int64(208), tuple(map(tuple, STAGES)))} | labels]))
    assert record.resolution == 208 and record.stages == STAGES and type(record.resolution) is int
    assert record.labels == {"a": 0.5, "b": 3.0, "c": 2.0, "d": 1.5}
    assert {type(value) for value in record.labels.values()} == {float}


def test_the_original_config_wins_over_net(tmp_path: Path) -> None:
    (record,) = read_records(cache(tmp_path, [ENTRY | {"net": {"anything": 1}}]))
    assert record.stages == STAGES and list(record.labels) == ["acc", "latency_gpu"]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"acc": float("nan")}, "key 'acc' is nan"),
        ({"acc": float("inf")}, "key 'acc' is inf"),
        ({"acc": np.float32("-inf")}, "key 'acc'"),
        ({"acc": "0.7"}, "key 'acc' is '0.7'"),
        ({"acc": None}, "key 'acc'"),
        ({"acc": True}, "key 'acc' is True"),
        ({"acc": [0.7]}, "key 'acc' is [0.7]"),
        ({"acc": np.array([0.7, 0.8])}, "key 'acc'"),
        ({"acc": 10**400}, "key 'acc'"),
        ({"acc": np.str_("a")}, "key 'acc'"),
        ({3: 0.7}, "a key is 3"),
        ({"original config": None}, "key 'original config'"),
        ({"original config": [224]}, "is [224]"),
        ({"original config": [0, STAGES]}, "resolution is 0"),
        ({"original config": ["224", STAGES]}, "resolution is '224'"),
        ({"original config": [True, STAGES]}, "resolution"),
        ({"original config": [224.5, STAGES]}, "resolution is 224.5"),
        ({"original config": [224, []]}, "stages is []"),
        ({"original config": [224, "mbconv3_e3_k3"]}, "stages is 'mbconv3_e3_k3'"),
        ({"original config": [224, [[]]]}, "stage 0"),
        ({"original config": [224, [["a"], "b"]]}, "stage 1 is 'b'"),
        ({"original config": [224, [["a", 3]]]}, "stage 0: a layer is 3"),
        ({"original config": [224, [[""]]]}, "a layer is ''"),
        ({"original config": [224, [["a"] * 65]]}, "stage 0"),
    ],
    ids=str,
)
def test_errors_name_entry_key_and_value(tmp_path: Path, change: dict[object, object], found: str) -> None:
    path = cache(tmp_path, [ENTRY, {**ENTRY, **change}])
    with pytest.raises(RecordError) as caught:
        read_records(path)
    message = str(caught.value)
    assert f"{path}: entry 1: " in message and found in message and "allowed" in message and "\n" not in message


@pytest.mark.parametrize("entries", [{}, [], None, [None], [[1]], [{"acc": 0.5}], "text", {"acc": 1}], ids=str)
def test_other_structures_are_refused(tmp_path: Path, entries: object) -> None:
    with pytest.raises(RecordError, match=r"cache.pkl: .*allowed"):
        read_records(cache(tmp_path, entries))


def test_hostile_caches_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsafePickleError, match=r"pathlib\."):
        read_records(cache(tmp_path, [ENTRY | {"graph": tmp_path}]))


@pytest.mark.parametrize("chosen", [None, "~/data"])
def test_without_a_home_folder_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch, chosen: str | None) -> None:
    def no_home(path: str) -> str:
        return path  # as `os.path.expanduser` does where neither HOME nor the users of the system say more

    monkeypatch.setattr("os.path.expanduser", no_home)
    monkeypatch.delenv("AUTOBUILD_DATA", raising=False)
    if chosen:
        monkeypatch.setenv("AUTOBUILD_DATA", chosen)
    with pytest.raises(OSError, match="set HOME, or AUTOBUILD_DATA"):
        data_folder()
    monkeypatch.setenv("AUTOBUILD_DATA", "/elsewhere")
    assert data_folder() == Path("/elsewhere")
