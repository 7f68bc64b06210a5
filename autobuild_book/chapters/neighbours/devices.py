"""A device never seen: what tells the order of latencies on it, with its text and without, and beside plain rivals.

A device is left out with all its batch sizes. The networks that are ranked were not learnt from either.
"""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from autobuild_book.chapters.neighbours import hardware, nas_bench_201
from autobuild_book.chapters.neighbours.hardware import Setting
from autobuild_book.chapters.neighbours.labels import FEWEST
from autobuild_book.chapters.neighbours.language import embed
from autobuild_book.chapters.neighbours.language_former import LEDG_DEVICES, ManyDevices
from autobuild_book.chapters.shared.lookup import look_up
from autobuild_book.intervals import CORRELATION, mean_with_interval
from autobuild_book.measured.parts import key_of
from autobuild_book.measured.sections import Section
from autobuild_lib import data
from autobuild_lib.data.table import Table
from autobuild_lib.statistics import srcc

Array = npt.NDArray[np.float64]
TEXT, SILENT, INCLUDED = "its text alone", "no text", "learnt with the device"  # what LeDG-Former has of it
COUNTED = "multiply-adds"
OTHERS, NEAREST = "the other devices, measured", "the device of the nearest text, measured"
SAYS = (TEXT, SILENT, INCLUDED, COUNTED, OTHERS, NEAREST)
SIZES, SEEDS, RANKED = (300,), (0, 1, 2), 1000
COLUMNS = ["table", "device", "label", "size", "says", "seed", "networks", "srcc"]
SPOKEN = LEDG_DEVICES
UNSPOKEN = replace(LEDG_DEVICES, name="LeDG-Former, no text", hardware=False)
MULTIPLIES = {"nor_conv_3x3": 9, "nor_conv_1x1": 1}  # of an operation in a cell, for equal channels


@dataclass(frozen=True)
class Devices:
    """A table of networks timed on several devices.

    load: reads it. settings: devices by label. count: multiply-adds of its networks, up to a factor.
    """

    load: Callable[[], Table]
    settings: Mapping[str, Setting]
    count: Callable[[Table], Array]

    @property
    def names(self) -> list[str]:
        """Devices, each once."""
        return list(dict.fromkeys(setting.device for setting in self.settings.values()))

    def labels_of(self, device: str) -> list[str]:
        """Labels of a device; an unknown one is a `ValueError` that lists them."""
        look_up("device", device, dict.fromkeys(self.names))
        return [label for label, setting in self.settings.items() if setting.device == device]

    def texts(self, but: str = "") -> dict[str, str]:
        """Texts by label, but those of a device."""
        return {label: setting.text for label, setting in self.settings.items() if setting.device != but}


@functools.lru_cache(maxsize=1)
def _help() -> Table:
    return data.load("help-ofa")


@functools.lru_cache(maxsize=1)
def _cells() -> Table:
    """Cells with a latency on each device: the edge TPU runs about two in three."""
    table = nas_bench_201.load(devices=True)
    return table.take(np.flatnonzero((table.labels[list(hardware.NAS_BENCH_201)] > 0).all(axis=1)))


def _convolutions(table: Table) -> Array:
    operations = [[unit["layers"][0] for unit in cell.units()] for cell in table.architectures]
    return np.array([sum(MULTIPLIES.get(name, 0) for name in names) for names in operations], dtype=np.float64)


TABLES = {
    "help-ofa": Devices(_help, hardware.HELP, lambda table: table.labels["flops_m"].to_numpy()),
    nas_bench_201.NAME: Devices(_cells, hardware.NAS_BENCH_201, _convolutions),
}


def find_devices(table: str) -> Devices:
    """Return a table by its name; an unknown one is a `ValueError` that lists them."""
    return look_up("table of devices", table, TABLES)


def others(labels: pd.DataFrame, settings: Mapping[str, Setting], label: str) -> Array:
    """Mean over other devices, at the same batch size, of the standardised logarithm of latency, [N]."""
    here = settings[label]
    same = [name for name, s in settings.items() if s.device != here.device and s.images == here.images]
    logs = np.log(labels[same].to_numpy(dtype=np.float64))
    return np.asarray(((logs - logs.mean(0)) / logs.std(0)).mean(1))


def nearest(settings: Mapping[str, Setting], label: str) -> str:
    """Return the label of another device whose text is most like that of a label, by the cosine of embeddings."""
    names = [name for name, setting in settings.items() if setting.device != settings[label].device]
    cosines = embed([settings[name].text for name in names]) @ embed([settings[label].text])[0]
    return names[int(cosines.argmax())]


# -------------------------------------------------------------------- the section


@dataclass(frozen=True)
class LeftOut:
    """A device of a table that is left out, or none; `size` networks are learnt from, and others are ranked."""

    table: str
    device: str
    size: int
    seed: int

    @property
    def key(self) -> str:
        """Changes with the table, the texts and how the model is made."""
        devices = find_devices(self.table)
        facts = devices.load().sha256, devices.texts(), repr(SPOKEN), RANKED
        return key_of("devices", self.table, self.device, self.size, self.seed, *facts)

    @property
    def estimate(self) -> float:
        """Seconds on one core, roughly."""
        return (12.0 if self.table == "help-ofa" else 5.0) * (2 if self.device else 1)

    def measure(self) -> pd.DataFrame:
        """Return a row per label of the device and per predictor of the order; for none, a row per label.

        An unknown table or device, and a size that leaves fewer than two networks to rank, are a `ValueError`.
        """
        devices = find_devices(self.table)
        if self.device:
            devices.labels_of(self.device)
        table = devices.load()
        if not FEWEST <= self.size <= len(table) - FEWEST:
            allowed = f"{FEWEST} to {len(table) - FEWEST}"
            raise ValueError(f"{self.table}: {self.size} networks to learn from; allowed are {allowed}")
        rows = np.random.default_rng([self.seed, self.size]).permutation(len(table))
        learnt, ranked = table.take(rows[: self.size]), table.take(rows[self.size :][:RANKED])
        said = self._left_out(learnt, ranked) if self.device else self._included(learnt, ranked)
        return pd.DataFrame(
            [
                (self.table, devices.settings[label].device, label, self.size, says, self.seed, len(ranked),
                 srcc(scores, ranked.labels[label].to_numpy(dtype=np.float64)))
                for label, says, scores in said
            ],
            columns=COLUMNS,
        )  # fmt: skip

    def _included(self, learnt: Table, ranked: Table) -> Iterator[tuple[str, str, Array]]:
        texts = TABLES[self.table].texts()
        model = SPOKEN.fit(learnt, texts, self.seed)
        for label, text in texts.items():
            yield label, INCLUDED, model.scores(ranked.architectures, text)

    def _left_out(self, learnt: Table, ranked: Table) -> Iterator[tuple[str, str, Array]]:
        devices = TABLES[self.table]
        models: dict[str, ManyDevices] = {
            says: model.fit(learnt, devices.texts(but=self.device), self.seed)
            for says, model in ((TEXT, SPOKEN), (SILENT, UNSPOKEN))
        }
        for label in devices.labels_of(self.device):
            for says, model in models.items():
                yield label, says, model.scores(ranked.architectures, devices.settings[label].text)
            yield label, COUNTED, devices.count(ranked)
            yield label, OTHERS, others(ranked.labels, devices.settings, label)
            yield label, NEAREST, ranked.labels[nearest(devices.settings, label)].to_numpy(dtype=np.float64)


def plan(sizes: Sequence[int], seeds: Sequence[int]) -> list[LeftOut]:
    """Return a part per seed, size, table and device that is left out, and one for none."""
    return [
        LeftOut(table, device, size, seed)
        for seed in seeds
        for size in sizes
        for table, devices in TABLES.items()
        for device in ("", *devices.names)
    ]


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean rank correlation by table, number of images and predictor, over labels and seeds.

    The 95 % interval is over seeds, each the mean over labels: of learning anew, not of other devices.
    """
    images = {label: s.images for devices in TABLES.values() for label, s in devices.settings.items()}
    means = []
    for (table, batch, says), group in rows.assign(images=rows["label"].map(images)).groupby(
        ["table", "images", "says"], sort=False
    ):
        interval = mean_with_interval(group.groupby("seed")["srcc"].mean().to_numpy(), within=CORRELATION)
        means.append((table, batch, says, group["label"].nunique(), *interval))
    return pd.DataFrame(means, columns=["table", "images", "says", "labels", "srcc", "low", "high"])


def gains(rows: pd.DataFrame) -> pd.DataFrame:
    """How far the text alone is ahead of each other predictor, with a 95 % interval over the devices left out."""
    by_device = rows.pivot_table("srcc", ["table", "device"], "says")
    ahead = []
    for table, part in by_device.groupby("table", sort=False):
        for says in SAYS[1:]:
            ahead.append((table, says, len(part), *mean_with_interval((part[TEXT] - part[says]).to_numpy())))
    return pd.DataFrame(ahead, columns=["table", "says", "devices", "gain", "low", "high"])


SECTION = Section(
    "neighbours", "devices", "how well a device never seen is predicted from its text", plan, SIZES, SEEDS
)
