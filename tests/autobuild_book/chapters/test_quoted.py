"""What the summaries of the chapters quote: numbers of their tables as text, and words where nothing was measured."""

import numpy as np
import pandas as pd

from autobuild_book.chapters.modules import verdict as modules
from autobuild_book.chapters.operations import rankings as operations
from autobuild_book.chapters.panoptic import agreement, learning, verdict as panoptic
from autobuild_book.chapters.regions import search_gains, verdicts as regions


def test_operations() -> None:
    rows = {"importance between seeds, tuned preset": 0.5, "importance, ablation": np.nan, "another": 1.0}
    compared = pd.DataFrame({"comparison": list(rows), "value": list(rows.values())})
    heads = pd.DataFrame({"preset": ["tuned", "tuned"], "level": ["hop 0", "head"], "srcc": [0.1, 0.9]})
    texts = operations.summary_numbers(compared, heads)
    assert (texts["seeds"], texts["ablation"], texts["start"]) == ("0.50", "unknown", "unknown")
    assert (texts["head_tuned"], texts["head_paper"]) == ("0.900", "unknown")


def test_modules() -> None:
    effects = pd.DataFrame({"score": ["norm"] * 2, "gain_p": [0, 1], "loss_p": [0, 0], "constant": [False] * 2})
    rows = [("unit", "norm", 0.25), ("unit, depths alike", "ridge", 0.5), ("unit", "halves", 0.6)]
    by_scope = pd.DataFrame(rows, columns=["scope", "score", "median"])
    steady = pd.DataFrame({"measure": ["best 1 %"] * 2, "score": ["norm"] * 2, "median": [0.1, 0.3]})
    texts = modules.summary_numbers(effects, by_scope, steady)
    assert (texts["unit_norm"], texts["unit_depths_alike_ridge"]) == ("0.25", "0.50")
    assert (texts["cells_norm"], texts["seeds_norm"]) == ("50%", "20%")
    assert (texts["unit_halves"], texts["reachable"]) == ("0.60", "0.87"), "the root of 1.2 / 1.6"
    assert modules.summary_numbers(effects, by_scope[:2], steady)["reachable"] == "unknown"
    assert (texts["cells_effect"], texts["seeds_effect"], texts["unit_and_depth_halves"]) == ("none", *["unknown"] * 2)


def test_regions() -> None:
    rows = [("norm", "5 of 6", "supported"), ("norm", "6 of 6", "counted in another way")]
    ways = pd.DataFrame(rows, columns=["score", "panels", "verdict"])
    published = pd.DataFrame({"share": [0.5, 0.4], "other_share": [1.0, 0.9]})
    checks = pd.DataFrame({"check": ["beats Layer-Full"], "value": ["4 of 6 panels"]})
    texts = regions.summary_numbers(ways, published, checks)
    assert (texts["panels_norm"], texts["c4_norm"], texts["c4_ridge"]) == ("5 of 6", "supported", "unknown")
    assert (texts["judges"], texts["Layer-Full"], texts["Stage-Full"]) == ("1 of 2", "4 of 6 panels", "unknown")


def test_where_a_search_pays() -> None:
    rows = [(250, "ours", "theirs", 1, 2, 3), (50, "ours", "theirs", 0, 6, 0)]
    pays = pd.DataFrame(rows, columns=["evaluations", "method", "rival", "better", "neither", "worse"])
    assert search_gains.readable(pays).loc[("ours", "theirs")].to_dict() == {250: "1 / 2 / 3", 50: "0 / 6 / 0"}
    assert search_gains.readable(pays[:0]).empty


def test_panoptic() -> None:
    builders = pd.DataFrame({"group": ["norm score"], "verdict": ["partly"], "uncorrected": ["supported"]})
    texts = panoptic.summary_numbers(builders)
    assert (texts["uncorrected"], texts["effect"]) == ("supported", "undecided")
    models = ["paper preset", "tuned preset", learning.RIDGE, learning.LINE]
    all_rows = pd.DataFrame({"model": models, "srcc": [0.5, 0.6, 0.7, np.nan]}).assign(
        target="pq", level="head", size=540
    )
    summary = pd.concat([all_rows.assign(size=50, srcc=0.0), all_rows])
    assert list(learning.summary_numbers(summary, "pq").values()) == ["0.500", "0.600", "0.700", "unknown"]
    nothing = pd.DataFrame()
    assert agreement.summary_numbers(nothing, nothing)["rest_seed"] == "unknown"
