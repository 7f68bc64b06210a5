"""Answers as JSON: how they leave the process that students' code runs in, without that code coming along.

Numbers, texts, lists, dictionaries, arrays, tables, architectures, equations, predictors (as the library saves them)
and functions (called where they are) arrive as what they were; of anything else only a short text does.
"""

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor

from autobuild_book.labs.answers import MOST
from autobuild_lib.data import Table
from autobuild_lib.loading import load
from autobuild_lib.predictor import Predictor
from autobuild_lib.spaces import Architecture, SequenceSpace, ofa_mbv3, ofa_pn
from autobuild_lib.targets import Target
from autobuild_lib.units.reduced import ReducedSpace
from autobuild_lib.values import shown

DEEPEST = 20
DIGITS = 300  # of whole numbers
SPACES = {"ofa_mbv3": ofa_mbv3, "ofa_pn": ofa_pn}
TABLE_FIELDS = ("kind", "source", "sha256", "part")  # texts


class Odd:
    """Stands for an answer that is none of the things that an exercise could ask for."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


class Encoder:
    """Turns answers into JSON. folder: where predictors and reduced spaces are written; functions: those met so far."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.functions: list[Callable[..., Any]] = []
        self.files = itertools.count()

    def encode(self, value: Any, depth: int = 0) -> Any:
        """Return a value as JSON; what cannot be carried becomes {"odd": text}."""
        try:
            if depth < DEEPEST:
                return self._encode(value, depth + 1)
        except Exception:  # whatever an odd object may raise
            return {"odd": shown(value)}
        return {"odd": "something nested very deeply"}

    def _encode(self, value: Any, depth: int) -> Any:
        if isinstance(value, np.generic):
            value = value.item()
        if value is None or isinstance(value, bool | str):
            return value
        if isinstance(value, int | float):
            return _number(value)
        if value is ...:
            return {"dots": True}
        for kinds, write in self._writers():
            if isinstance(value, kinds):
                return write(value, depth)
        if callable(value):
            self.functions.append(value)
            return {"function": len(self.functions) - 1, "name": str(getattr(value, "__name__", "your function"))}
        return {"odd": shown(value)}

    def _writers(self) -> list[tuple[Any, Callable[[Any, int], Any]]]:
        """Pairs of kinds and what writes them, the special before the general ones."""
        return [
            (Tensor, lambda value, depth: self._array(value.detach().cpu().numpy(), depth)),
            (np.ndarray, self._array),
            (pd.DataFrame, self._frame),
            (pd.Series, self._series),
            (Architecture, lambda value, _: {"architecture": str(value)}),
            (Target, lambda value, _: {"target": str(value)}),
            (Table, self._table),
            (Predictor, lambda value, _: {"predictor": self._saved(value)}),
            (ReducedSpace, lambda value, _: {"reduced": self._saved(value)}),
            (Mapping, lambda value, depth: {"pairs": [self._list(pair, depth) for pair in value.items()]}),
            (set | frozenset, lambda value, depth: {"set": self._list(value, depth)}),
            (Sequence, self._list),
            (Iterable, lambda value, depth: {"iterator": self._list(value, depth)}),
        ]  # fmt: skip

    def _list(self, values: Iterable[Any], depth: int) -> list[Any]:
        return [self.encode(value, depth) for value in itertools.islice(values, MOST + 1)]

    def _array(self, values: Any, depth: int) -> Any:
        return {"array": self._list(values.ravel().tolist(), depth), "shape": list(values.shape)}

    def _series(self, series: pd.Series, depth: int) -> Any:
        return {"series": self._list(series, depth), "index": self._list(series.index, depth)}

    def _frame(self, frame: pd.DataFrame, depth: int) -> Any:
        columns = [[self.encode(name, depth), self._list(frame[name], depth)] for name in frame]
        return {"frame": columns, "index": self._list(frame.index, depth)}

    def _table(self, table: Any, depth: int) -> Any:
        texts = {name: str(getattr(table, name)) for name in TABLE_FIELDS}
        networks = [str(architecture) for architecture in table.architectures]
        rows = [int(row) for row in table.rows]
        labels = self._frame(table.labels, depth)
        return {"table": networks, "space": table.space.name, "rows": rows, "labels": labels, "texts": texts}

    def _saved(self, value: Any) -> str:
        name = f"answer-{next(self.files)}"
        value.save(self.folder / name)
        return name


def _number(value: float) -> Any:
    if isinstance(value, int):
        return int(value) if abs(value) < 10**DIGITS else {"odd": shown(value)}
    return float(value) if math.isfinite(value) else {"float": repr(float(value))}


class Decoder:
    """Turns JSON into answers. call: calls the function of a number, in the student's process."""

    def __init__(self, folder: Path, call: Callable[[int, tuple[Any, ...]], Any]) -> None:
        self.folder = folder
        self.call = call

    def decode(self, value: Any) -> Any:
        """Return an answer; what cannot be read stands as an `Odd` one."""
        if isinstance(value, list):
            return [self.decode(item) for item in value]
        if not isinstance(value, dict):
            return value
        try:
            kind = next(iter(value), "")
            return getattr(self, f"_read_{kind}")(**value) if kind.isidentifier() else Odd("?")
        except Exception:  # a message that no honest process sends, or a network that is none
            return Odd("something that cannot be read")

    def _read_odd(self, odd: str) -> Any:
        return Odd(str(odd)[:200])

    def _read_dots(self, dots: bool) -> Any:
        return ... if dots else None

    def _read_float(self, float: str) -> Any:
        return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[float]

    def _read_array(self, array: list[Any], shape: list[int]) -> Any:
        values = self.decode(array)
        plain = all(isinstance(value, int | float) for value in values)
        return np.array(values, None if plain else object).reshape(shape)

    def _read_frame(self, frame: list[Any], index: list[Any]) -> Any:
        columns = {self.decode(name): self.decode(column) for name, column in frame}
        return pd.DataFrame(columns, index=self.decode(index))

    def _read_series(self, series: list[Any], index: list[Any]) -> Any:
        return pd.Series(self.decode(series), index=self.decode(index))

    def _read_architecture(self, architecture: str) -> Any:
        return _parsed(architecture)

    def _read_target(self, target: str) -> Any:
        return Target(target)

    def _read_table(self, table: list[str], space: str, rows: list[int], labels: Any, texts: dict[str, str]) -> Any:
        family = SPACES[space]()
        networks = tuple(family.parse(text) for text in table)
        texts = {name: texts[name] for name in TABLE_FIELDS}
        return Table(family, networks, labels=self.decode(labels), rows=tuple(rows), **texts)  # type: ignore[arg-type]

    def _read_predictor(self, predictor: str) -> Any:
        return load(self._path(predictor))

    def _read_reduced(self, reduced: str) -> Any:
        return ReducedSpace.load(self._path(reduced))

    def _path(self, name: str) -> Path:
        if not name.removeprefix("answer-").isdecimal():
            raise ValueError(name)
        return self.folder / name

    def _read_pairs(self, pairs: list[Any]) -> Any:
        return {self.decode(key): self.decode(value) for key, value in pairs}

    def _read_set(self, set: list[Any]) -> Any:
        return frozenset(self.decode(set))

    def _read_iterator(self, iterator: list[Any]) -> Any:
        return iter(self.decode(iterator))

    def _read_function(self, function: int, name: str) -> Any:
        def remote(*arguments: Any) -> Any:
            return self.decode(self.call(function, arguments))

        remote.__name__ = name
        return remote


def _parsed(text: str) -> Architecture:
    """Read the text of an architecture of either family."""
    families: list[SequenceSpace] = [make() for make in SPACES.values()]
    for family in families:
        try:
            return family.parse(text)
        except ValueError:
            continue
    raise ValueError(text)
