"""The caches that the authors released: where they come from, where they live, and what an entry must look like."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autobuild_lib.released.checksums import verify
from autobuild_lib.released.limits import FREE, Allowance
from autobuild_lib.released.unpickle import read_pickle
from autobuild_lib.values import MALFORMED, finite, integer, naming, refuse, shown

DATA_SET = "https://huggingface.co/datasets/kgmills/AutoBuild/resolve/main"
_NOT_LABELS = ("original config", "net", "graph")
_LONGEST = 64  # stages, and layers of a stage
_MOST_LABELS = 1000

RELEASED = {  # names of files in the data set
    "ofa_mbv3": "ofa_mbv3_custom_cache.pkl",
    "ofa_pn": "ofa_pn_custom_cache.pkl",
    "ofa_mbv3_pn_ir": "ofa_mbv3_pn_onnx_ir_cache.pkl",
    "ofa_mbv3_pan_seg": "ofa_mbv3_pan_seg_custom_cache.pkl",
    "ofa_pn_pan_seg": "ofa_pn_pan_seg_custom_cache.pkl",
}


@dataclass(frozen=True)
class ReleasedRecord:
    """One architecture of a released cache."""

    place: str  # file and entry, as errors name them
    resolution: int  # side of the input image, in pixels
    stages: list[list[str]]  # names of the layers
    labels: dict[str, float]
    graph: object | None  # inert op-level graph (`unpickle.Graph`), if the cache has one


class RecordError(ValueError):
    """A cache can be read, but does not hold what a released cache must hold."""


def data_folder() -> Path:
    """The folder for downloaded data: `$AUTOBUILD_DATA`, or `~/.cache/autobuild`; `OSError` without a home folder."""
    chosen = os.environ.get("AUTOBUILD_DATA") or "~/.cache/autobuild"
    try:
        return Path(chosen).expanduser()
    except RuntimeError:
        raise OSError(f"there is no home folder for {chosen}; set HOME, or AUTOBUILD_DATA to another folder") from None


def find_released(name: str, folder: Path | None = None) -> Path:
    """Return the file of a released cache, in `data_folder()` unless a folder is given.

    Raises `ValueError` for an unknown name, `FileNotFoundError`, or `ChecksumError` for another file than the recorded.
    """
    if name not in RELEASED:
        raise ValueError(f"released cache {name!r}; allowed: {', '.join(RELEASED)}")
    path = (folder or data_folder()) / RELEASED[name]
    if not path.is_file():
        raise FileNotFoundError(f"released:{name}: no file {path}. Run `autobuild data fetch released`, "
                                f"or download {DATA_SET}/{RELEASED[name]} and put it at {path}")
    verify(path)
    return path


def read_records(path: Path) -> list[ReleasedRecord]:
    """Read a cache in the released format as `read_pickle` does; `RecordError` names an entry that is malformed.

    An entry is a dict: the architecture `[resolution, [[layer name, ...], ...]]` under "original config" (or "net"),
    optionally "graph", and otherwise labels, which are finite numbers.
    """
    entries = read_pickle(path)
    if not isinstance(entries, list) or not entries:
        raise RecordError(f"{path}: {shown(entries)}; allowed: a list of at least one dict")
    return list(_checked(entries, path))


def _checked(entries: list[object], path: Path) -> Iterator[ReleasedRecord]:
    """Read entries, as many as fit in such a file: one of them may stand in it many times."""
    allowance, names = Allowance(FREE + path.stat().st_size, "layers and labels", RecordError), set[str]()
    for number, entry in enumerate(entries):
        record = _record(entry, place := f"{path}: entry {number}")
        names.update(record.labels)
        if len(names) > _MOST_LABELS:
            raise RecordError(f"{place}: more than {_MOST_LABELS:,} labels; allowed: at most that")
        with naming(place, RecordError):
            allowance.spend(1 + len(record.labels) + sum(map(len, record.stages)))
        yield record


def _record(entry: object, place: str) -> ReleasedRecord:
    with naming(place, RecordError):
        if not isinstance(entry, dict):
            refuse(entry, "it", "dicts")
        key = "original config" if "original config" in entry else "net"
        if key not in entry:
            raise ValueError("no key 'original config'; allowed: 'original config' or 'net' in each entry")
        resolution, stages = _architecture(entry[key], f"key {key!r}")
        labels = {name: _label(name, value) for name, value in entry.items() if name not in _NOT_LABELS}
    return ReleasedRecord(place, resolution, stages, labels, entry.get("graph"))


def _architecture(value: object, place: str) -> tuple[int, list[list[str]]]:
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        refuse(value, place, "lists [resolution, stages]")
    stages = [_listed(stage, f"{place}: stage {i}") for i, stage in enumerate(_listed(value[1], f"{place}: stages"))]
    for number, stage in enumerate(stages):
        for layer in stage:
            if not isinstance(layer, str) or not layer:
                refuse(layer, f"{place}: stage {number}: a layer", "names such as 'mbconv3_e4_k5'")
    return integer(value[0], f"{place}: resolution", 1), [list(map(str, stage)) for stage in stages]


def _listed(value: Any, place: str) -> list[Any]:
    if not isinstance(value, (list, tuple)) or not 1 <= len(value) <= _LONGEST:
        refuse(value, place, f"lists of 1 to {_LONGEST}")
    return list(value)


def _label(name: object, value: object) -> float:
    if not isinstance(name, str):
        refuse(name, "a key", "names of labels")
    with naming("", RecordError, MALFORMED):  # objects of a file may have any attributes
        return finite(value, f"key {name!r:.90}")
