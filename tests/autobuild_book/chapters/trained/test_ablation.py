"""Variants of the recipe: what each changes in the graphs, and what the rows say."""

import itertools
import math
import re

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import ttest_1samp

from autobuild_book.chapters.trained import ablation, ablation_results
from autobuild_lib import data
from autobuild_lib.data.table import Table
from tests.helpers.edges import edge_index

PAIRS = "pairs instead of squared errors"


@pytest.fixture(scope="module")
def table() -> Table:
    return data.load("nas-bench-graph:proteins").take(range(0, 2000, 40))


def edges(graphs: ablation.LayerGraphs) -> set[tuple[int, int]]:
    return set(map(tuple, edge_index(graphs).T.tolist()))


def test_links_in_both_directions(table: Table) -> None:
    plain, both = (kind(table.space) for kind in (ablation.LayerEncoder, ablation.BothWays))
    codes = plain.read(table.architectures)
    one, two = plain.graphs(codes, 4), both.graphs(codes, 4)
    assert edges(two) == edges(one) | {(target, source) for source, target in edges(one)}
    first = two.degrees.cumsum(0) - two.degrees
    assert (two.steps[first] == 0).all() and (two.steps == 0).sum() == len(two.kind)


def test_leaves_are_what_nobody_reads(table: Table) -> None:
    encoder = ablation.Leaves(table.space)
    graphs = encoder.graphs(encoder.read(table.architectures), 4)
    pooling = encoder.structure(graphs, 4)[1][-1]
    embeddings = torch.randn(1, len(graphs.kind), 3)
    read = {source for source, _ in edges(graphs)}
    nodes = torch.arange(len(graphs.kind)).split(graphs.lengths.tolist())
    expected = [sum(embeddings[0, v] for v in part.tolist() if v not in read) for part in nodes]
    torch.testing.assert_close(pooling(embeddings, "sum")[0], torch.stack(expected))


def test_without_links_a_structure_is_a_feature(table: Table) -> None:
    path = ablation.without_links(table)
    assert not path.space.links and len(path) == len(table)
    for before, after in zip(table.architectures, path.architectures, strict=True):
        assert after.global_features["structure"] == before.global_features["links"]
        assert after.to_lists() == before.to_lists()


def test_learnt_and_ranked_rows_are_those_that_were_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[set[str]] = []

    def predictions(_: ablation.Variant, learnt: Table, others: Table) -> np.ndarray:
        seen[:] = [set(map(str, part.architectures)) for part in (learnt, others)]
        return np.stack([others.labels["acc"], -others.labels["acc"], others.labels["acc"]])

    monkeypatch.setattr(ablation, "predictions", predictions)
    row = ablation.Ablation("nas-bench-graph:proteins", "the recipe", 40, 1).measure().iloc[0]
    assert [len(part) for part in seen] == [28, 12] and not seen[0] & seen[1]
    assert row.member == pytest.approx(1 / 3) and row.ensemble == pytest.approx(1)


@pytest.mark.parametrize("name", ["the recipe", "links in both directions", "structure as a feature, no links", PAIRS])
def test_a_variant_learns(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ablation, "MEMBERS", 2)
    rows = ablation.Ablation("nas-bench-graph:proteins", name, 200, 0).measure()
    assert rows.ensemble.item() > 0.3


def test_members_of_free_scales_count_alike() -> None:
    result = ablation.standardised(np.array([[1.0, 3.0], [-10.0, 10.0], [2.0, 2.0]]))
    assert result.tolist() == [[-1, 1], [-1, 1], [0, 0]]


def test_the_share_that_is_better_than_the_best_of_five() -> None:
    truth, predicted = np.array([9.0, 8, 7, 6, 5, 4, 3, 8]), np.array([0.0, 1, 7, 6, 5, 4, 3, 2])
    assert ablation.share_better(predicted, truth) == 3 / 8  # 9, 8 and 8 are better than 7
    assert ablation.share_better(truth, truth) == 0


def cases(values: dict[str, list[float]]) -> pd.DataFrame:
    """Rows from {variant: SRCC of ensembles on tables a, b, ..., two draws each}; members and shares: half of that."""
    made = [(table, variant, 1, draw, srcc / 2, srcc, srcc / 2) for variant, numbers in values.items()
            for (table, draw), srcc in zip(itertools.product("abc", range(2)), numbers, strict=False)]  # fmt: skip
    return pd.DataFrame(made, columns=ablation.COLUMNS)


def test_leads_are_of_the_same_draws_and_over_tables() -> None:
    recipe, other, worse = list(ablation.VARIANTS)[:3]
    rows = cases({recipe: [0.5, 0.3, 0.2, 0.4, 0.9, 0.9], other: [0.6, 0.4, 0.4, 0.6], worse: [0.4, 0.2, 0.1, 0.3]})
    table = ablation_results.differences(rows).set_index("variant")
    assert table.loc[other, ["lead", "tables"]].tolist() == pytest.approx([0.15, 2])  # .1 on a, .2 on b
    half = 12.706205 * 0.05  # t(0.975, 1) times the standard error of (.1, .2)
    assert table.loc[other, ["low", "high"]].tolist() == pytest.approx([0.15 - half, 0.15 + half], abs=1e-6)
    assert table.loc[recipe, "member"] == pytest.approx(3.2 / 12) and table.loc[recipe, "lead"] == 0
    assert table.loc[other, "p"] == pytest.approx(2 * math.atan(1 / 3) / math.pi)  # t = 3, one degree of freedom
    assert table.loc[worse, "p"] == 0 and math.isnan(table.loc[recipe, "p"])
    words = ablation_results.in_words(rows, table.reset_index())
    assert words.startswith("Draws: 2 of 1 rows.") and f"worse: {worse}." in words and "recipe: none;" in words
    assert words.endswith(f": {worse}.")


def test_many_variants_need_smaller_p_values() -> None:
    recipe, *others = list(ablation.VARIANTS)[:4]
    leads = ([0.1, 0.2, 0.12], [0.1, 0.3, 0.5], [0.1, -0.1, 0.2])
    values = {name: [srcc for srcc in lead for _ in range(2)] for name, lead in zip(others, leads, strict=True)}
    table = ablation_results.differences(cases({recipe: [0.0] * 6, **values})).set_index("variant")
    alone = [ttest_1samp(lead, 0.0).pvalue for lead in leads]
    assert table.loc[others, "p"].tolist() == pytest.approx([3 * alone[0], 2 * alone[1], alone[2]])


def test_shares_are_compared_where_all_were_measured() -> None:
    recipe, other, worse = list(ablation.VARIANTS)[:3]
    rows = cases({recipe: [0.5, 0.3, 0.2, 0.4], other: [0.6, 0.4, 0.4, 0.6], worse: [0.4, 0.2, 0.1, 0.3]})
    rows.loc[rows["variant"] == worse, "better"] = float("nan")
    table = ablation_results.tops(rows).set_index("variant")
    assert list(table.index) == [recipe, other]
    half = 12.706205 * 0.025  # t(0.975, 1) times the standard error of (.05, .1)
    assert table.loc[other].tolist() == pytest.approx([0.25, 0.075, 0.075 - half, 0.075 + half], abs=1e-6)
    for low, high, place in ((0.1, 0.2, -1), (-0.2, -0.1, 0), (-0.1, 0.1, None)):
        lists = ["none", "none"]
        if place is not None:
            lists[place] = other
        words = ablation_results.tops_in_words(pd.DataFrame({"variant": [other], "low": [low], "high": [high]}))
        assert re.findall(r": ([^:]*?)[;.](?: |$)", words) == lists


def test_the_best_forest_is_chosen_on_the_same_rows() -> None:
    registered = ablation.forest_name(ablation.FORESTS[(ablation.GRAF,)])
    other = next(name for name in ablation.CANDIDATES if name != registered)
    rows = cases({"the recipe": [0.5, 0.5, 0.6, 0.6], registered: [0.3] * 4, other: [0.4, 0.4, 0.5, 0.5]})
    table = ablation_results.candidates(rows)
    assert table["forest"].tolist() == [other, registered] and table["lead"].tolist() == pytest.approx([0.15, 0])
    assert f"{other}, by 0.100 [0.100, 0.100]" in ablation_results.against_the_best(rows)
    assert "0.1" not in ablation_results.against_the_best(cases({"the recipe": [0.5, 0.5]}))


def test_a_forest_takes_part() -> None:
    name = next(iter(ablation.CANDIDATES))
    row = ablation.Ablation("nas-bench-graph:proteins", name, 200, 0).measure().iloc[0]
    assert row.member == row.ensemble > 0.3
