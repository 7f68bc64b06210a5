"""A device left out: who sees which label, rivals by hand, and rows that go on where they were."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autobuild_book.chapters.neighbours import devices, hardware
from autobuild_book.chapters.neighbours.devices import (
    COUNTED,
    INCLUDED,
    NEAREST,
    OTHERS,
    SILENT,
    TEXT,
    Devices,
    LeftOut,
)
from autobuild_book.chapters.neighbours.hardware import HELP, Setting
from autobuild_book.chapters.neighbours.nas_bench_201 import SPACE
from autobuild_book.measured import parts
from autobuild_lib.data.table import Table, make_table
from autobuild_lib.spaces import Architecture

Run = Callable[..., tuple[int, str, str]]
SETTINGS = {
    label: HELP[label] for label in ("latency_v100_1", "latency_v100_64", "latency_titan_xp_1", "latency_titan_xp_64")
}


@dataclass
class Recorder:
    """Stands for a model: keeps what it was shown, and predicts how many convolutions a cell has."""

    sign: int = 1
    shown: list[tuple[Table, Mapping[str, str]]] = field(default_factory=list, repr=False)

    def fit(self, table: Table, texts: Mapping[str, str], seed: int) -> "Recorder":
        self.shown.append((table, texts))
        return self

    def scores(self, cells: Sequence[Architecture], text: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        return self.sign * np.array([str(cell).count("nor_conv") for cell in cells], dtype=np.float64)


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> tuple[Recorder, Recorder]:
    """Cells of 0 to 6 convolutions, each as slow on every device as it has convolutions."""
    rows = [SPACE.parse("|".join([*["nor_conv_1x1"] * n, *["none"] * (6 - n)])) for n in range(7)]
    labels = {label: [1.0 + n for n in range(7)] for label in SETTINGS}
    table = make_table(SPACE, rows, labels, source="few", kind="benchmark")
    spoken, silent = Recorder(), Recorder(-1)
    tables = {"few": Devices(lambda: table, SETTINGS, devices._convolutions)}
    monkeypatch.setattr(devices, "TABLES", tables)
    monkeypatch.setattr(devices, "SPOKEN", spoken)
    monkeypatch.setattr(devices, "UNSPOKEN", silent)
    monkeypatch.setattr(parts, "in_processes", lambda work, arguments, *_: [work(*each) for each in arguments])
    return spoken, silent


def test_a_device_that_is_left_out_is_not_shown(few: tuple[Recorder, Recorder]) -> None:
    rows = LeftOut("few", "v100", 3, 0).measure()
    assert list(rows) == devices.COLUMNS and set(rows["networks"]) == {4}
    assert set(rows["label"]) == {"latency_v100_1", "latency_v100_64"} and not rows.duplicated(["label", "says"]).any()
    for model in few:
        ((learnt, texts),) = model.shown
        assert list(texts) == ["latency_titan_xp_1", "latency_titan_xp_64"] and len(learnt) == 3
    by_says = rows[rows["label"] == "latency_v100_1"].set_index("says")["srcc"]
    assert by_says.to_dict() == pytest.approx({TEXT: 1, SILENT: -1, COUNTED: 1, OTHERS: 1, NEAREST: 1})


def test_with_no_device_left_out_all_are_shown(few: tuple[Recorder, Recorder]) -> None:
    rows = LeftOut("few", "", 3, 0).measure()
    assert set(rows["says"]) == {INCLUDED} and rows["label"].tolist() == list(SETTINGS)
    assert list(few[0].shown[0][1]) == list(SETTINGS) and not few[1].shown


def test_rivals_by_hand() -> None:
    e = np.e
    labels = pd.DataFrame(
        {"a_1": [1.0, e, e**2], "b_1": [e, 1.0, e**2], "c_1": [5.0, 5.0, 9.0], "b_9": [1.0, 1.0, 7.0]}
    )
    settings = {name: Setting(name[0], name, int(name[2:])) for name in labels}
    third = 1.5**0.5
    assert devices.others(labels, settings, "c_1") == pytest.approx([-third / 2, -third / 2, third])
    cells = [SPACE.parse("nor_conv_3x3|nor_conv_1x1|none|avg_pool_3x3|nor_conv_3x3|skip_connect")]
    table = make_table(SPACE, cells, {"y": [1.0]}, source="x", kind="yours")
    assert devices._convolutions(table).tolist() == [19]


def test_the_nearest_text_is_of_another_device() -> None:
    assert devices.nearest(SETTINGS, "latency_v100_64") == "latency_titan_xp_64"
    copied = {**SETTINGS, "copy": Setting("copy", SETTINGS["latency_v100_1"].text)}
    assert devices.nearest(copied, "latency_v100_1") == "copy"


def test_the_command_goes_on(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "rows.csv"
    words = ("neighbours", "measure", "devices", "--sizes", 3, "--seeds", 2, "--out", out)
    code, text, _ = run(*words, "--plan")
    assert code == 0 and text.startswith("6 ") and not list(tmp_path.iterdir())
    assert run(*words)[0] == 0
    monkeypatch.setattr(LeftOut, "measure", lambda part: pytest.fail("measured again"))
    assert run(*words)[0] == 0
    assert len(pd.read_csv(out)) == 2 * (4 + 4 * 5)


def test_means_are_over_labels_then_seeds() -> None:
    keys = [(label, seed) for label in ("latency_v100_1", "latency_titan_xp_1") for seed in (0, 1)]
    rows = pd.DataFrame(keys, columns=["label", "seed"]).assign(table="few", says=TEXT, srcc=[0.2, 0.4, 0.4, 0.6])
    line = devices.summary(rows).iloc[0]
    assert (line["labels"], line["images"], line["srcc"]) == (2, 1, pytest.approx(0.4))
    assert line["low"] == pytest.approx(0.4 - 12.706 * 0.1, abs=1e-3), "Student's t of the two seeds, 0.3 and 0.5"


def test_gains_are_paired_by_device() -> None:
    keys = [(device, says) for device in ("a", "b", "c") for says in devices.SAYS]
    rows = pd.DataFrame(keys, columns=["device", "says"]).assign(table="few")
    rows["srcc"] = [{"a": 0.1, "b": 0.5, "c": 0.9}[device] - 0.05 * (says == SILENT) for device, says in keys]
    ahead = devices.gains(rows).set_index("says")
    assert list(ahead.index) == list(devices.SAYS[1:]) and set(ahead["devices"]) == {3}
    assert ahead.loc[SILENT, ["gain", "low", "high"]].tolist() == pytest.approx([0.05] * 3)
    assert ahead.loc[OTHERS, "gain"] == pytest.approx(0)


def test_devices_have_texts_of_their_own(datasets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOBUILD_DATA", str(datasets))
    for settings, labels in ((HELP, devices._help().labels), (hardware.NAS_BENCH_201, devices._cells().labels)):
        assert len({setting.text for setting in settings.values()}) == len(settings)
        assert (labels[list(settings)] > 0).all(axis=None)
    assert 5000 < len(devices._cells()) < 9445, "the edge TPU does not run all cells"


def test_committed_rows_are_those_of_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = devices.SECTION.committed()
    assert list(rows) == devices.COLUMNS and rows["srcc"].between(-1, 1).all() and set(rows["networks"]) == {1000}
    assert not rows.duplicated(["label", "says", "seed"]).any()
    assert len(rows) == len(devices.SEEDS) * len(devices.SAYS) * (len(HELP) + len(hardware.NAS_BENCH_201))
    texts = {"help-ofa": HELP, "nas-bench-201": hardware.NAS_BENCH_201}
    tables = {name: Devices(lambda: pytest.fail("read"), settings, len) for name, settings in texts.items()}
    monkeypatch.setattr(devices, "TABLES", tables)
    means = devices.summary(rows).set_index(["table", "images", "says"])
    assert means.loc[("help-ofa", 1, TEXT), "low"] > means.loc[("help-ofa", 1, SILENT), "high"], "the text tells"
    assert means.loc[("help-ofa", 64, COUNTED), "srcc"] > means.loc[("help-ofa", 64, TEXT), "srcc"], "a count is better"
