"""arch2vec: its layer against a public one, what it gives back, and embeddings that ignore the order of nodes."""

import numpy as np
import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence
from torch_geometric.nn import DenseGINConv  # type: ignore[import-untyped]

import autobuild_lib as ab
from autobuild_book.chapters.neighbours.arch2vec import ARCH2VEC, RIDGE, Arch2Vec, Autoencoder, Isomorphism, pretrained
from autobuild_book.chapters.neighbours.graphs import graphs_of, vocabulary
from autobuild_book.chapters.neighbours.learning import Recipe
from autobuild_lib.data.table import make_table
from autobuild_lib.spaces import SequenceSpace
from autobuild_lib.statistics import srcc

SMALL = SequenceSpace("small", [ab.Unit(1, 1)] * 4, {"op": ["a", "b", "c"]}, links=[[], [0], [0], [1, 2]])
PATHS = SequenceSpace("paths", [ab.Unit(1, 2), ab.Unit(1, 3)], {"op": ["a", "b"]})
RECIPE = Recipe(600, 64, 1e-2, 0.0)


@pytest.fixture(scope="module")
def autoencoder() -> Autoencoder:
    return pretrained(SMALL, 300, RECIPE, 0)


def test_a_layer_is_the_public_one() -> None:
    torch.manual_seed(0)
    layer = Isomorphism(3, 4).eval()
    reads, there = (torch.rand(2, 5, 5) > 0.6).float(), torch.ones(2, 5)
    there[1, 3:] = 0
    both = (reads + reads.mT) * there[:, None] * there[..., None]
    values = torch.randn(2, 5, 3) * there[..., None]
    with torch.no_grad():
        layer.own_weight.fill_(0.3)
        public = DenseGINConv(layer.layers, eps=0.3)
        public.nn = torch.nn.Sequential(torch.nn.Flatten(0, 1), layer.layers, torch.nn.Unflatten(0, (2, 5)))
        expected = public(values, both, there.bool())
        assert torch.allclose(layer(values, both, there.bool()), expected, atol=1e-5)


def test_it_gives_networks_back(autoencoder: Autoencoder) -> None:
    graphs = graphs_of(SMALL, SMALL.sample(60, 9))
    with torch.no_grad():
        choices, edges = autoencoder.decode(autoencoder.encode(graphs)[0])
    assert (choices.argmax(-1) == graphs.features.argmax(-1)).float().mean() > 0.9
    different = ~torch.eye(6, dtype=torch.bool)
    assert ((edges > 0).float() == graphs.reads + graphs.reads.mT)[:, different].float().mean() > 0.8


def test_the_order_of_nodes_means_nothing(autoencoder: Autoencoder) -> None:
    graphs = graphs_of(SMALL, SMALL.sample(5, 2))
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    with torch.no_grad():
        means = autoencoder.encode(graphs)[0]
        assert torch.allclose(autoencoder.encode(graphs.permuted(order))[0], means[:, order], atol=1e-4)
        assert torch.allclose(autoencoder.embed(graphs.permuted(order)), autoencoder.embed(graphs), atol=1e-4)
    mirrored = [SMALL.parse("a|b|c|a"), SMALL.parse("a|c|b|a")]
    with torch.no_grad():
        first, second = autoencoder.embed(graphs_of(SMALL, mirrored))
    assert torch.allclose(first, second, atol=1e-4), "isomorphic networks are the same to it"


def test_padding_takes_no_part() -> None:
    torch.manual_seed(1)
    network, graphs = Autoencoder(vocabulary(PATHS)).train(), graphs_of(PATHS, PATHS.sample(8, 3))
    assert graphs.there.min() == 0
    noisy = graphs.features + (1 - graphs.there[..., None]) * 100
    spoilt = type(graphs)(noisy, graphs.reads, graphs.there)
    torch.manual_seed(2)
    clean = network.loss(graphs)
    torch.manual_seed(2)
    assert network.loss(spoilt).item() == pytest.approx(clean.item(), rel=1e-4)


def test_the_loss_is_the_negative_bound() -> None:
    """Against the distributions of PyTorch, for a network of six nodes."""
    torch.manual_seed(3)
    network, graphs = Autoencoder(vocabulary(SMALL)).eval(), graphs_of(SMALL, SMALL.sample(2, 5))
    with torch.no_grad():
        means, spreads = network.encode(graphs)
        posterior = Normal(means, spreads.exp())
        torch.manual_seed(4)
        sample = means + torch.randn_like(means) * spreads.exp()
        choices, edges = network.decode(sample)
        assert torch.allclose(edges, torch.einsum("nid,njd->nij", sample, sample) + network.bias, atol=1e-5)
        said = Bernoulli(logits=choices).log_prob(graphs.features).sum()
        joined = Bernoulli(logits=edges).log_prob(graphs.reads + graphs.reads.mT)[:, ~torch.eye(6, dtype=torch.bool)]
        divergence = kl_divergence(posterior, Normal(0.0, 1.0)).sum()
        torch.manual_seed(4)
        expected = (divergence / 32 - said - joined.sum()) / 12
        assert network.loss(graphs).item() == pytest.approx(expected.item(), rel=1e-4)


@pytest.mark.parametrize("head", [RIDGE, ARCH2VEC.head])
def test_labels_are_learnt_on_embeddings(head: str) -> None:
    drawn = list(dict.fromkeys(map(SMALL.canonical, SMALL.sample(200, 4))))
    labels = {"y": [30.0 + 5 * str(network).count("a") for network in drawn]}
    train, test = make_table(SMALL, drawn, labels, source="counted", kind="yours").split(0.5, seed=0)
    model = Arch2Vec("quick", ARCH2VEC.about, head, 300, RECIPE)
    (learnt,) = model.fit_many(train, ["y"])
    predicted = learnt.predict(test.architectures)
    assert srcc(predicted, test.labels["y"].to_numpy()) > 0.8 and abs(predicted.mean() - 37) < 8
    (again,) = model.fit_many(train, ["y"])
    assert np.array_equal(again.predict(test.architectures), predicted) and len(learnt.predict([])) == 0
