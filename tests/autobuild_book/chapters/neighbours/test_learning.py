"""How networks on graphs learn: losses by hand, and what every neural neighbour promises."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import autobuild_lib as ab
from autobuild_book.chapters.neighbours import language
from autobuild_book.chapters.neighbours.assessor import Assessor
from autobuild_book.chapters.neighbours.convolutions import GCN
from autobuild_book.chapters.neighbours.graphs import graphs_of, vocabulary
from autobuild_book.chapters.neighbours.learning import (
    Choices,
    GraphModel,
    Recipe,
    line,
    pair_hinge,
    squared_and_differences,
    squared_and_pairs,
)
from autobuild_book.chapters.neighbours.nas_bench_201 import SPACE as CELLS
from autobuild_book.chapters.neighbours.positions import Perceptron
from autobuild_book.chapters.neighbours.registry import NEIGHBOURS, find_neighbour
from autobuild_lib.data.table import Table, make_table
from autobuild_lib.spaces import SequenceSpace
from autobuild_lib.statistics import srcc

PATHS = SequenceSpace("paths", [ab.Unit(1, 2), ab.Unit(2, 3)], {"op": ["a", "b"], "k": [3, 5]}, {"size": [16, 32]})
NETWORKS = [model for model in NEIGHBOURS.values() if isinstance(model, GraphModel)]
BY_PLACE = {Perceptron, Assessor}  # read nodes in the order of the space


@pytest.fixture(autouse=True)
def words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Words that no encoder has seen mean something at random here, always the same."""
    monkeypatch.setattr(language, "encode", lambda texts: torch.stack([*map(drawn_for, texts)]))


def drawn_for(text: str) -> torch.Tensor:
    return torch.randn(language.SIZE, generator=torch.Generator().manual_seed(sum(text.encode())))


def counted(space: SequenceSpace, rows: int, word: str) -> Table:
    """Networks that are better the more layers they have of a kind."""
    drawn = list(dict.fromkeys(map(space.canonical, space.sample(rows, 0))))
    labels = {"y": [50.0 + 3 * str(network).count(word) for network in drawn]}
    return make_table(space, drawn, labels, source="counted", kind="yours")


def test_hinge_by_hand() -> None:
    scores, target = torch.tensor([0.3, 0.25, 0.9]), torch.tensor([2.0, 1.0, 0.0])
    assert pair_hinge(scores, target).item() == pytest.approx((0.05 + 0.7 + 0.75) / 3)
    assert pair_hinge(scores, torch.zeros(3)).item() == 0, "equal networks say nothing"


def test_squared_errors_and_the_hinge_by_hand() -> None:
    scores, target = torch.tensor([0.3, 0.25, 0.9]), torch.tensor([2.0, 1.0, 0.0])
    squared = (1.7**2 + 0.75**2 + 0.9**2) / 3
    assert squared_and_pairs(scores, target).item() == pytest.approx(squared + 0.2 * 1.5 / 3)


def test_squared_errors_and_differences_by_hand() -> None:
    scores, target = torch.tensor([0.5, 0.0, 1.0]), torch.tensor([1.0, 0.0, 0.0])  # errors -0.5, 0, 1
    pairs = 2 * (0.5 + 1.5 + 1.0) / 9
    assert squared_and_differences(scores, target).item() == pytest.approx((0.25 + 1) / 3 + 0.2 * pairs)


def test_line_takes_scores_to_labels() -> None:
    y = np.array([1.0, 2.0, 3.0, 4.0])
    assert line(5 * y - 1, y) == pytest.approx((0.2, 0.2))
    assert line(-y, y) == (0.0, 2.5), "what ranks the wrong way round is not turned over"
    assert line(np.ones(4), y) == (0.0, 2.5)


def test_learnt_vectors_stand_for_operations() -> None:
    graphs, words = graphs_of(CELLS, CELLS.sample(3, 1)), vocabulary(CELLS)
    choices = Choices(words, 4)
    assert choices.vectors is not None
    looked_up = choices.vectors[graphs.features.argmax(-1)]
    assert torch.allclose(choices(graphs), looked_up) and choices.width == 4
    assert torch.equal(Choices(words)(graphs), graphs.features)


@pytest.mark.parametrize("model", NETWORKS, ids=lambda model: model.name)
@pytest.mark.parametrize("space", [CELLS, PATHS], ids=lambda space: space.name)
def test_ranks_what_it_has_not_seen(model: GraphModel, space: SequenceSpace) -> None:
    table = counted(space, 90, "nor_conv_3x3" if space is CELLS else "b")
    quick = replace(model, recipe=Recipe(150, 32, 5e-3, loss=model.recipe.loss))
    train, test = table.split(0.7, seed=1)
    (learnt,) = quick.fit_many(train, ["y"], seed=3)
    predicted = learnt.predict(test.architectures)
    assert srcc(predicted, test.labels["y"].to_numpy()) > 0.8
    assert abs(predicted.mean() - test.labels["y"].mean()) < 2, "predictions are in label units"
    state = torch.random.get_rng_state()
    (again,) = quick.fit_many(train, ["y"], seed=3)
    assert np.array_equal(again.predict(test.architectures), predicted)
    assert torch.equal(torch.random.get_rng_state(), state), "the caller's random numbers are left alone"
    assert len(learnt.predict([])) == 0


@pytest.mark.parametrize("model", [m for m in NETWORKS if m.network not in BY_PLACE], ids=lambda model: model.name)
def test_the_order_of_nodes_means_nothing(model: GraphModel) -> None:
    torch.manual_seed(0)
    graphs = graphs_of(CELLS, CELLS.sample(6, 2))
    network = model.network(vocabulary(CELLS), 8, **dict(model.options)).eval()
    permuted = graphs.permuted(torch.randperm(8, generator=torch.Generator().manual_seed(1)))
    with torch.no_grad():
        assert torch.allclose(network(permuted), network(graphs), atol=1e-5)
        assert network(graphs).std() > 1e-4


def test_every_neighbour_says_what_it_is() -> None:
    for name, model in NEIGHBOURS.items():
        described = model.describe()
        assert described["name"] == name == model.name and not model.needs_proxies
        assert all(described[key] for key in ("paper", "idea", "differs"))
    with pytest.raises(ValueError, match="no neighbour"):
        find_neighbour("oracle")
    assert find_neighbour(GCN.name) is GCN
