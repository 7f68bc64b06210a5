"""The table behind the explorer: labels of the judge, and sums of module scores."""

import numpy as np
import pandas as pd
import pytest

import autobuild_lib as ab
from autobuild_book.chapters.regions import explorer
from autobuild_book.chapters.regions.clusters import reduce_spaces, summed_scores
from autobuild_book.chapters.shared.panels import Panel
from autobuild_book.chapters.shared.splits import Split

EQUATIONS = {"fast": "acc / latency_gpu", "accurate": "acc"}


@pytest.fixture
def panel(toy_table: ab.data.Table) -> Panel:
    additive = toy_table.labels["additive"]
    labels = pd.DataFrame({"acc": additive / additive.max(), "latency_gpu": 1 + additive})
    records = zip(toy_table.architectures, labels.to_dict("records"), strict=True)
    table = ab.data.from_records(toy_table.space, list(records))
    return Panel(Split(table, table, tuple(EQUATIONS.values())), "gpu", EQUATIONS)


def test_a_row_per_architecture_with_labels_and_scores(panel: Panel) -> None:
    table = panel.split.train
    fitted = {e: ab.fit(table.space, table, e, epochs=1) for e in EQUATIONS.values()}
    reductions = reduce_spaces([panel], {("toy", equation, 7): one for equation, one in fitted.items()}, [7], hosts=1)

    judged = pd.DataFrame({"acc": np.arange(len(table)), "latency_gpu": 2.0})
    points = explorer.training_points(reductions, {"toy": judged})
    columns = ["family", "architecture", "acc", "latency_gpu", "score gpu fast", "score gpu accurate"]
    assert list(points) == columns and points["architecture"].tolist() == list(map(str, table.architectures))
    assert points["acc"].tolist() == list(range(len(table))) and (points["latency_gpu"] == 2).all()
    wanted = ab.score_units(fitted["acc"]).everything().scores(table.architectures)
    np.testing.assert_allclose(points["score gpu accurate"], wanted)
    own = explorer.training_points(reductions, {})
    assert own["acc"].tolist() == table.labels["acc"].tolist(), "without a judge, the table's labels"


def test_architectures_outside_have_no_score(panel: Panel) -> None:
    table = panel.split.train
    few = ab.ReducedSpace.full(table.space)
    codes = table.space.to_codes(table.architectures[:2]).copy()
    assert summed_scores(few, codes).tolist() == [0, 0]
    codes[1, few.groups[0].codes.shape[1] - 1] = 255  # no content has this choice
    assert np.isnan(summed_scores(few, codes)).tolist() == [False, True]
