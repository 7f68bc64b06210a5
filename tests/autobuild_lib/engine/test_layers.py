"""Hop 0 of layers by hand, and whole networks over them: equal to a plain model, and side by side as alone."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch_geometric.data import Batch

import autobuild_lib as ab
from autobuild_lib.engine.layers import FeatureMLP, LayerEncoder
from autobuild_lib.engine.stacked import StackedLinear
from autobuild_lib.graphs import layer_graphs
from autobuild_lib.predictor import Network
from autobuild_lib.spaces import Category
from tests.benchmarks.plain import PlainPredictor, plain_data
from tests.helpers.edges import edge_index


def seeds(*numbers: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(number) for number in numbers]


def random(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(9))


def copy(pairs: list[tuple[nn.Parameter, Tensor]]) -> None:
    """Set each public parameter to ours."""
    with torch.no_grad():
        for public, ours in pairs:
            public.copy_(ours)


def close(a: Tensor, b: Tensor) -> None:
    torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)


def test_feature_mlp_by_hand() -> None:
    op, w = Category("op", ("a", "b"), 2), Category("w", (1, 2), 1, may_be_absent=True)
    categories = [op, w, Category("r", (5, 7), 2, scaled=(0.0, 0.5))]
    layer = FeatureMLP(categories, seeds(0))
    values = {
        "embeddings.op.weight": [[1.0, 2.0], [-3.0, 0.5]],
        "scores.op.weight": [[2.0], [-1.0]],
        "scores.op.bias": [[0.5]],
        "embeddings.w.weight": [[4.0], [-5.0]],
        "scores.w.weight": [[2.0]],
        "scores.w.bias": [[1.0]],
        "embeddings.r.weight": [[2.0, 4.0]],
        "embeddings.r.bias": [[1.0, -1.0]],
        "scores.r.weight": [[1.0], [3.0]],
        "scores.r.bias": [[-2.0]],
    }
    layer.load_state_dict({name: torch.tensor([value]) for name, value in values.items()})
    # op: a -> 2 - 2 + .5 = .5, b -> -6 - .5 + .5 = -6; w: 9, -9, absent 0; r at 0: 1 - 3 - 2 = -4, at .5: 2 + 3 - 2 = 3
    nodes = layer(torch.tensor([[0, 0, 0], [1, 1, 1], [1, 2, 0]]))
    close(nodes, torch.tensor([[[0.5, 9.0, 4.0], [6.0, 9.0, 3.0], [6.0, 0.0, 4.0]]]))
    close(layer.value_scores(w), torch.tensor([[9.0, -9.0, 0.0]]))


@pytest.mark.parametrize("name", ["type", "keys", "training", "values", "forward", "_modules"])
def test_features_may_bear_names_that_pytorch_uses(name: str) -> None:
    space = ab.SequenceSpace("s", [ab.Unit(1, 2)], {name: ["a", "b"]})
    network = Network(LayerEncoder(space), ab.NetworkConfig(width=2, hops=1), [0])
    assert network(layer_graphs(space, list(space)))[0].shape == (1, space.size)


def test_linear_starts_like_the_public_layers() -> None:
    weights = StackedLinear(50, 40, seeds(0)).weight
    assert 0.9 / np.sqrt(50) < weights.abs().max() <= 1 / np.sqrt(50)
    glorot = StackedLinear(50, 40, seeds(0), glorot=True).weight
    assert 0.9 * np.sqrt(6 / 90) < glorot.abs().max() <= np.sqrt(6 / 90)


def test_nodes_read_themselves_then_their_predecessors(toy: ab.SequenceSpace) -> None:
    """At hop 0 a node is one of the layers that differ; later it is itself."""
    graphs = layer_graphs(toy, toy.sample(np.random.default_rng(3), 60))
    (first, second), poolings = LayerEncoder(toy).structure(graphs, 2)
    nodes, readers = torch.arange(len(graphs.kind)), torch.repeat_interleave(second.starts.diff())
    assert torch.equal(second.itself, nodes) and torch.equal(first.itself, graphs.kind)
    assert torch.equal(first.sources, graphs.kind[second.sources])
    others = second.sources != readers
    assert torch.equal(torch.stack([second.sources, readers])[:, others], edge_index(graphs))
    assert (~others).sum() == len(nodes) > len(graphs.layers) == len(set(map(tuple, graphs.layers.tolist())))
    assert torch.equal(poolings[0].members, graphs.kind) and torch.equal(poolings[2].members, nodes)
    assert torch.equal(poolings[1].starts.diff(), graphs.lengths)
    assert torch.equal(LayerEncoder(toy).values(graphs)[graphs.kind], graphs.codes)


@pytest.mark.parametrize("convolution", ["gatv2", "graphconv"])
@pytest.mark.parametrize("training", [True, False])
def test_a_stack_equals_its_members_alone(toy: ab.SequenceSpace, convolution: str, training: bool) -> None:
    config = ab.NetworkConfig(convolution=convolution, width=8, hops=2)
    graphs = layer_graphs(toy, toy.sample(np.random.default_rng(0), 9))
    stack = Network(LayerEncoder(toy), config, [4, 5, 4]).train(training)
    predicted, norms = stack(graphs)
    for place, seed in enumerate([4, 5, 4]):
        alone = Network(LayerEncoder(toy), config, [seed]).train(training)
        one, levels = alone(graphs)
        close(predicted[place], one[0])
        close(norms[place], levels[0])
        for name, tensor in alone.state_dict().items():
            close(stack.state_dict()[name][place], tensor[0])
    assert not torch.allclose(predicted[0], predicted[1])


Pairs = dict[str, tuple[Tensor, Tensor]]


def plain_twin(network: Network, space: ab.SequenceSpace) -> tuple[PlainPredictor, Pairs]:
    """A plain model with the weights of a stack of one, and both models' parameters by our names."""
    plain, own = PlainPredictor(space, network.config.width, network.config.hops), dict(network.named_parameters())
    theirs: dict[str, nn.Parameter] = {}

    def linear(name: str, layer: nn.Module) -> None:
        theirs[f"{name}.weight"], theirs[f"{name}.bias"] = layer.weight, layer.bias

    for place, category in enumerate(space.categories):
        embedding = plain.embeddings[place]
        linear(f"features.scores.{category.name}", plain.scores[place])
        if category.scaled is None:
            theirs[f"features.embeddings.{category.name}.weight"] = embedding.weight
        else:
            linear(f"features.embeddings.{category.name}", embedding)
    for hop, (convolution, norm) in enumerate(zip(plain.convolutions, plain.norms, strict=True)):
        linear(f"convolutions.{hop}.source", convolution.lin_l)
        linear(f"convolutions.{hop}.target", convolution.lin_r)
        theirs[f"convolutions.{hop}.attention"] = convolution.att
        theirs[f"convolutions.{hop}.bias"] = convolution.bias
        linear(f"norms.{hop}", norm.module)
    for place, layer in enumerate(layer for layer in plain.head if isinstance(layer, nn.Linear)):
        linear(f"head.{place}", layer)
    linear("output", plain.out)
    assert set(theirs) == set(own)
    copy([(theirs[name], like(parameter, theirs[name], name)) for name, parameter in own.items()])
    return plain, {name: (own[name], theirs[name]) for name in own}


def like(ours: Tensor, public: Tensor, name: str) -> Tensor:
    """Our tensor in the shape of the public one: linear layers are kept transposed."""
    transposed = name.endswith(".weight") and "norms" not in name and ours[0].T.shape == public.shape
    embedding = ".embeddings." in name and ours[0].shape == public.shape and ours.shape[1] > 1
    return ours[0].T if transposed and not embedding else ours.reshape(public.shape)


@pytest.mark.parametrize("training", [True, False])
def test_whole_network_equals_the_plain_model(training: bool) -> None:
    space = ab.spaces.ofa_mbv3(resolutions=(192, 208, 224))
    architectures = space.sample(np.random.default_rng(2), 12)
    network = Network(LayerEncoder(space), ab.NetworkConfig(), [6])
    plain, parameters = plain_twin(network, space)
    graphs = layer_graphs(space, architectures)
    batch = Batch.from_data_list(plain_data(space, architectures, torch.zeros(12)))
    network.train(), plain.train()
    network(graphs), plain(batch)  # moves the running statistics
    network.train(training), plain.train(training)
    (predicted, norms), (expected, embeddings) = network(graphs), plain(batch)
    close(predicted[0], expected)
    close(norms[0], torch.stack([embedding.abs().sum(1) for embedding in embeddings]))
    upstream = random(6, 12)
    (predicted * upstream[0] + (norms * upstream[1:]).sum(1)).sum().backward()
    hops = zip(embeddings, upstream[1:], strict=True)
    ((expected * upstream[0]).sum() + sum((e.abs().sum(1) * u).sum() for e, u in hops)).backward()
    for name, (ours, theirs) in parameters.items():
        torch.testing.assert_close(like(ours.grad, theirs.grad, name), theirs.grad, rtol=1e-4, atol=2e-4, msg=name)
