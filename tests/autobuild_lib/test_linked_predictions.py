"""Predictors of spaces with links, against PyTorch Geometric on graphs that are drawn from the description."""

import functools
from typing import Any

import networkx as nx
import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import assume, given, strategies as st
from torch import Tensor
from torch_geometric.nn import GATv2Conv, GraphConv

import autobuild_lib as ab
from autobuild_lib.predictor import Predictor
from autobuild_lib.units import corpus as units
from tests.helpers.spaces import edges_of, linked_spaces

CELL = [[], [], [0], [], [0], [1, 2]]
NAMED = {"join": [[], [0], [0], [1, 2], [3]], "row": [[], [0], [1], [2], [3]], "back": [[3], [], [0, 1], [], [3]]}
SPACES = {
    "cell": ab.SequenceSpace("cell", [ab.Unit(1, 1)] * 6, {"op": ["a", "b", "c"]}, links=CELL),
    "named": ab.SequenceSpace(
        "named",
        [
            ab.Unit(1, 3, features={"width": [1, 2]}),
            ab.Unit(1, 1),
            ab.Unit(1, 2),
            ab.Unit(1, 2),
            ab.Unit(1, 1, score_with_previous=True),
        ],
        {"op": ["a", "b"], "r": ab.Continuous(values=[0.5, 1, 3])},
        {"size": [4, 8]},
        links=NAMED,
    ),
}


@functools.cache
def trained(name: str, **options: Any) -> Predictor:
    return fitted(SPACES[name], **options)


def fitted(space: ab.SequenceSpace, **options: Any) -> Predictor:
    """A predictor with all its numbers moved from where they start, running statistics included."""
    drawn = list(dict.fromkeys(space.canonical(a) for a in space.sample(80, 0)))
    rng = np.random.default_rng(1)
    table = ab.data.from_records(space, [(a, {"y": float(rng.normal() + sum(a.depths))}) for a in drawn])
    return ab.fit(space, table, "y", 0, progress=False, **{"epochs": 2, "width": 6, "learning_rate": 0.05} | options)


def hop_zero(predictor: Predictor, codes: Tensor) -> Tensor:
    """The magnitudes of the scores of the features of layers, [nodes, categories]."""
    state, columns = {k: v[0] for k, v in predictor.network.state_dict().items()}, []
    for number, category in enumerate(predictor.space.categories):
        name = category.name
        vectors = state[f"features.embeddings.{name}.weight"]
        if category.scaled is not None:
            vectors = torch.tensor(category.scaled)[:, None] * vectors + state[f"features.embeddings.{name}.bias"]
        scores = vectors @ state[f"features.scores.{name}.weight"] + state[f"features.scores.{name}.bias"]
        columns.append(torch.cat([scores.flatten(), torch.zeros(1)])[codes[:, number]].abs())
    return torch.stack(columns, dim=1)


def convolution(state: dict[str, Tensor], prefix: str) -> GATv2Conv | GraphConv:
    """A layer of PyTorch Geometric with the numbers of a predictor's."""
    if f"{prefix}.root" in state:
        root, neighbour = state[f"{prefix}.root"], state[f"{prefix}.neighbour.weight"]
        layer = GraphConv(*root.shape)
        layer.load_state_dict({
            "lin_rel.weight": neighbour.T, "lin_rel.bias": state[f"{prefix}.neighbour.bias"].flatten(),
            "lin_root.weight": root.T,
        })  # fmt: skip
        return layer
    layer = GATv2Conv(*state[f"{prefix}.source.weight"].shape)
    names = {"l": "source", "r": "target"}
    maps = {f"lin_{side}.weight": state[f"{prefix}.{name}.weight"].T for side, name in names.items()}
    maps |= {f"lin_{side}.bias": state[f"{prefix}.{name}.bias"].flatten() for side, name in names.items()}
    attention = state[f"{prefix}.attention"].reshape(1, 1, -1)
    layer.load_state_dict({**maps, "att": attention, "bias": state[f"{prefix}.bias"].flatten()})
    return layer


@torch.no_grad()
def plain(predictor: Predictor, architecture: ab.Architecture) -> tuple[float, list[Tensor]]:
    """The prediction in label units, and the embeddings of the layers at every hop, [nodes, channels]."""
    network, space = predictor.network, predictor.space
    state = {name: value[0] for name, value in network.state_dict().items()}
    h = hop_zero(predictor, torch.from_numpy(space.nodes(space.to_codes([architecture]))))
    edges = torch.tensor(sorted(edges_of(architecture)), dtype=torch.int64).reshape(-1, 2).T
    levels = [h]
    for hop in range(network.config.hops):
        new = convolution(state, f"convolutions.{hop}")(h, edges)
        spread = torch.sqrt(state[f"norms.{hop}.variance"] + 1e-5)
        new = (new - state[f"norms.{hop}.mean"]) / spread * state[f"norms.{hop}.weight"] + state[f"norms.{hop}.bias"]
        h = new.relu() + h if network.config.residual and hop else new.relu()
        levels.append(h)
    pools = {"mean": h.mean(0), "sum": h.sum(0), "max": h.amax(0)}
    x = pools[network.config.pooling][None]
    for number in range(4):
        x = x @ state[f"head.{number}.weight"] + state[f"head.{number}.bias"]
        x = x.relu() if number % 2 else x
    y = float(x @ state["output.weight"] + state["output.bias"])
    return y * predictor.label_sd + predictor.label_mean, levels


def pooled_norms(levels: list[Tensor], how: str) -> list[float]:
    pools = [{"mean": h.mean(0), "sum": h.sum(0), "max": h.amax(0)}[how] for h in levels]
    return [float(pool.abs().sum()) for pool in pools]


@pytest.mark.parametrize("pooling", ["mean", "sum", "max"])
@pytest.mark.parametrize("kind", ["gatv2", "graphconv"])
@pytest.mark.parametrize("name", SPACES)
def test_predictions_and_norms_are_those_of_the_graph(name: str, kind: str, pooling: str) -> None:
    predictor = trained(name, convolution=kind, pooling=pooling, hops=3)
    drawn = SPACES[name].sample(20, 5)
    predicted, norms = predictor.predict_and_norms(drawn)
    for number, architecture in enumerate(drawn):
        value, levels = plain(predictor, architecture)
        assert predicted[number] == pytest.approx(value, rel=1e-4, abs=1e-4)
        np.testing.assert_allclose(norms[:, number], pooled_norms(levels, pooling), rtol=1e-4, atol=1e-5)


def test_units_in_a_row_are_the_path_that_they_are() -> None:
    predictor, record = trained("named"), SPACES["named"].to_json()
    path = ab.SequenceSpace.from_json({**record, "links": None})
    other = fitted(path, epochs=1)
    other.network.load_state_dict(predictor.network.state_dict())
    same = Predictor(other.network, "y", predictor.label_mean, predictor.label_sd)
    drawn = path.sample(20, 3)
    named = [SPACES["named"].architecture(a.units(), **a.global_features, links="row") for a in drawn]
    np.testing.assert_allclose(same.predict(drawn), predictor.predict(named), rtol=1e-5)
    others = [SPACES["named"].architecture(a.units(), **a.global_features, links="join") for a in drawn]
    assert (np.abs(predictor.predict(others) - predictor.predict(named)) > 1e-4).any()


def levels_of(predictor: Predictor, architectures: list[ab.Architecture]) -> list[npt.NDArray[np.float32]]:
    """Embeddings of the layers at hop 1 and later."""
    encoder, hops = predictor.network.encoder, predictor.network.config.hops
    graphs = encoder.graphs(encoder.read(architectures), hops)
    with torch.inference_mode():
        return [h[0].numpy() for h in predictor.network.node_embeddings(graphs)][1:]


@given(linked_spaces(), st.integers(0, 2))
def test_a_layer_knows_its_ancestors_only(space: ab.SequenceSpace, number: int) -> None:
    drawn, unit = space.sample(80, 0), number % len(space.units)
    assume(len({space.canonical(a) for a in drawn}) > 4)
    one, other = drawn[0], next(a for a in [*drawn[1:], drawn[0]] if a.depths[unit] == drawn[0].depths[unit])
    content = [*one.units()[:unit], other.units()[unit], *one.units()[unit + 1 :]]
    mixed = space.architecture(content, **one.global_features)
    predictor, first = fitted(space, epochs=1, hops=3), sum(one.depths[:unit])
    changed = set(range(first, first + one.depths[unit]))
    graph = nx.DiGraph(sorted(edges_of(one)))
    graph.add_nodes_from(range(sum(one.depths)))
    for hop, (h, g) in enumerate(zip(levels_of(predictor, [one]), levels_of(predictor, [mixed]), strict=True), 1):
        for node in graph:
            if changed.isdisjoint(dict(nx.single_target_shortest_path_length(graph, node, cutoff=hop))):
                np.testing.assert_allclose(h[node], g[node], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", SPACES)
def test_a_module_alone_is_the_module_in_every_network(name: str) -> None:
    predictor, space = trained(name), SPACES[name]
    for architecture in space.sample(15, 2):
        levels = plain(predictor, architecture)[1]
        head, code = architecture.code[: len(space.global_choices)], space.to_codes([architecture])
        for group in space.scoring_groups:
            norms, depths = units.module_norms(predictor.network, space, group, code[:, group.place], head)
            last = sum(architecture.depths[: group.units[-1] + 1]) - 1
            assert norms[0] == pytest.approx(float(levels[depths[0] - 1][last].abs().sum()), rel=1e-4)


@pytest.mark.parametrize(
    ("links", "pooling", "kind"),
    [
        ("join", "mean", "gatv2"),
        ("join", "max", "graphconv"),
        ("row", "mean", "gatv2"),
        ("row", "sum", "graphconv"),
        ("back", "mean", "graphconv"),
        ("back", "sum", "gatv2"),
        ("back", "max", "gatv2"),
    ],
)
def test_the_effect_is_the_mean_change_of_predictions(links: str, pooling: str, kind: str) -> None:
    space, predictor = SPACES["named"], trained("named", convolution=kind, pooling=pooling, hops=3)
    chosen = {"size": 8, "links": links}
    corpus = ab.score_units(predictor, "effect", chosen, hosts=3, seed=4, progress=False)
    hosts = space.sample_codes(np.random.default_rng([4, 2]), 3)
    hosts[:, : len(corpus.head)] = np.frombuffer(corpus.head, np.uint8)
    before = predictor.predict(space.from_codes(hosts)).mean()
    rng = np.random.default_rng(0)
    for number, (scored, group) in enumerate(zip(corpus.groups, space.scoring_groups, strict=True)):
        for row in rng.integers(0, len(scored.codes), 12):
            placed = space.from_codes(group.put(hosts, scored.codes[row : row + 1]))
            change = np.mean([plain(predictor, architecture)[0] for architecture in placed]) - before
            assert scored.scores[row] == pytest.approx(change, abs=1e-3 * predictor.label_sd), (number, row)
