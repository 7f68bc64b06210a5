"""What models cost."""

import math

import autobuild_lib as ab
from autobuild_book.chapters.peers import (
    seconds as model_seconds,
)


def test_costs(toy_table: ab.data.Table) -> None:
    found = model_seconds.model_seconds(toy_table, "additive", ["additive ridge", "forest: GRAF"], 200)
    assert found.model.tolist() == ["additive ridge", "forest: GRAF"]
    assert (found[["train", "total"]] > 0).all(axis=None) and found.features[0] == 0 < found.features[1]
    assert (found.total >= found.train + found.features - 1e-9).all()
    assert math.isnan(model_seconds.proxy_seconds(toy_table, 100)), "toys are no networks"
