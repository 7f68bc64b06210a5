"""A panel of six networks, and who knows their labels without noise."""

import numpy as np
import pandas as pd
import pytest

import autobuild_lib as ab
from autobuild_book.chapters.regions import clusters as pareto_regions
from autobuild_book.chapters.shared import frontiers
from autobuild_book.chapters.shared.panels import Panel
from autobuild_book.chapters.shared.splits import Split
from autobuild_lib.spaces.sequence import Codes
from tests.helpers.toy_regions import CLEAN, EQUATIONS, NOISY, frontier


@pytest.fixture(scope="module")
def panel(toy: ab.SequenceSpace) -> Panel:
    drawn = list(dict.fromkeys(toy.sample(np.random.default_rng(0), 10)))[:6]
    records = [(a, {name: values[row] for name, values in NOISY.items()}) for row, a in enumerate(drawn)]
    table = ab.data.from_records(toy, records)
    return Panel(Split(table, table, tuple(EQUATIONS.values())), "gpu", EQUATIONS)


@pytest.fixture(scope="module")
def judges(panel: Panel) -> dict[str, frontiers.Judge]:
    """One judge, which knows the labels without noise."""
    rows = {architecture.code: row for row, architecture in enumerate(panel.split.train.architectures)}

    def judge(codes: Codes) -> pd.DataFrame:
        return pd.DataFrame(CLEAN).iloc[[rows[code.tobytes()] for code in codes]].reset_index(drop=True)

    return {"toy": judge}


@pytest.fixture(scope="module")
def known(panel: Panel, judges: dict[str, frontiers.Judge]) -> pareto_regions.Frontiers:
    return {("toy", "gpu"): frontier(panel, judges)}


@pytest.fixture(scope="module")
def noisy(panel: Panel, judges: dict[str, frontiers.Judge]) -> pareto_regions.Frontiers:
    return {("toy", "gpu"): frontier(panel, judges, noisy=True)}
