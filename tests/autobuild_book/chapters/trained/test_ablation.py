"""Variants of the recipe: what each changes in the graphs, and what the rows say."""

import numpy as np
import pandas as pd
import pytest
import torch

from autobuild_book.chapters.trained import ablation, ablation_results
from autobuild_lib import data
from autobuild_lib.data.table import Table
from tests.helpers.edges import edge_index


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


@pytest.mark.parametrize("name", ["the recipe", "links in both directions", "structure as a feature, no links"])
def test_a_variant_learns(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ablation, "MEMBERS", 2)
    rows = ablation.Ablation("nas-bench-graph:proteins", name, 200, 0).measure()
    assert rows.ensemble.item() > 0.3


def test_leads_are_of_the_same_draws() -> None:
    recipe, other = list(ablation.VARIANTS)[:2]
    cases = [("a", recipe, 1, 0, 0.1, 0.5), ("a", other, 1, 0, 0.2, 0.6), ("b", recipe, 1, 0, 0.3, 0.1),
             ("b", other, 1, 0, 0.4, 0.4), ("c", recipe, 1, 0, 0.5, 0.9)]  # fmt: skip
    found = ablation_results.differences(pd.DataFrame(cases, columns=ablation.COLUMNS)).set_index("variant")
    assert found.loc[other, "lead"] == pytest.approx(0.2) and found.loc[other, "cases"] == 2
    assert found.loc[recipe, "member"] == pytest.approx(0.3) and found.loc[recipe, "lead"] == 0
