"""The IR predictor: computed per class as it would be per node, trained as other predictors, saved and loaded."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch_geometric.data import Batch

import autobuild_lib as ab
from autobuild_lib.data import IRTable, make_ir_table
from autobuild_lib.engine.neighbourhoods import neighbourhoods
from autobuild_lib.engine.operations import OperationEncoder
from autobuild_lib.graphs import OPERATIONS, IRGraph
from autobuild_lib.loading import load
from autobuild_lib.predictor import Network, Predictor
from autobuild_lib.saved import CONFIG, OWN_SHA256, SHA256, _signed
from tests.benchmarks.plain_ir import like, plain_twin
from tests.helpers.random_dags import dags, random_dag

SMALL: dict[str, Any] = {"epochs": 3, "batch_size": 32, "width": 8, "hops": 2}
KINDS = OPERATIONS[2:5]  # of random graphs


def randomised(operations: tuple[str, ...], config: ab.NetworkConfig, seeds: list[int]) -> Network:
    """A network in which no parameter has a value that hides something, such as 0 or 1."""
    network = Network(OperationEncoder(operations), config, seeds)
    with torch.no_grad():
        for number, parameter in enumerate(network.parameters()):
            generator = torch.Generator().manual_seed(number)
            parameter += torch.randn(parameter[0].shape, generator=generator) / 4
    return network


def close(a: torch.Tensor, b: torch.Tensor, tolerance: float = 1e-4) -> None:
    torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance / 10, check_dtype=False)


# -------------------------------------------------------------------- per class as per node


@pytest.mark.parametrize(("convolution", "pooling"), [("gatv2", "mean"), ("gatv2", "sum"), ("graphconv", "mean")])
@settings(max_examples=15)
@given(data=st.data())
def test_classes_computed_once_equal_the_plain_computation(data: st.DataObject, convolution: str, pooling: str) -> None:
    graphs = data.draw(dags(8))
    config = ab.NetworkConfig(convolution=convolution, pooling=pooling, width=6, hops=3)
    network = randomised(KINDS, config, [data.draw(st.integers(0, 99))]).double().train()  # as variances may be 0
    plain, pairs = plain_twin(network)
    plain.double().train()
    found, batch = neighbourhoods(graphs, 3), Batch.from_data_list(plain.data(graphs))
    found = replace(found, shapes=found.shapes.double(), attributes=found.attributes.double())
    if batch.num_nodes == 1:
        return  # batch normalisation refuses a single node
    (predicted, norms), (expected, levels) = network(found), plain(batch)
    close(predicted[0], expected)
    close(norms[0], levels)
    upstream = torch.randn(4, len(graphs), generator=torch.Generator().manual_seed(1))
    (predicted[0] * upstream[0] + (norms[0, 1:] * upstream[1:]).sum(0) + norms[0, 0]).sum().backward()
    (expected * upstream[0] + (levels[1:] * upstream[1:]).sum(0) + levels[0]).sum().backward()
    for name, (ours, theirs) in pairs.items():
        close(like(ours.grad, theirs.grad, name), theirs.grad, 1e-3)
    for own, public in zip(network.norms, plain.norms, strict=True):
        close(own.mean[0, 0], public.running_mean)
        close(own.variance[0, 0], public.running_var)
    network.eval(), plain.eval()
    close(network(found)[0][0], plain(batch)[0])


def test_a_stack_equals_its_members_alone() -> None:
    rng = np.random.default_rng(0)
    graphs = neighbourhoods([random_dag(rng) for _ in range(20)], 2)
    config = ab.NetworkConfig(width=6, hops=2)
    stack = Network(OperationEncoder(KINDS), config, [4, 5]).train()
    predicted, norms = stack(graphs)
    (predicted.sum() + norms.sum()).backward()
    for place, seed in enumerate([4, 5]):
        alone = Network(OperationEncoder(KINDS), config, [seed]).train()
        one, levels = alone(graphs)
        (one.sum() + levels.sum()).backward()
        close(predicted[place], one[0])
        close(norms[place], levels[0])
        for name, parameter in alone.named_parameters():
            together = stack.get_parameter(name).grad
            assert together is not None and parameter.grad is not None
            close(together[place], parameter.grad[0], 1e-3)


def test_large_differences_of_attention_stay_finite() -> None:
    network = Network(OperationEncoder(KINDS), ab.NetworkConfig(width=6, hops=2), [0])
    with torch.no_grad():
        for convolution in network.convolutions:
            convolution.attention *= 1e4
    graphs = neighbourhoods([random_dag(np.random.default_rng(i)) for i in range(20)], 2)
    predicted, norms = network.train()(graphs)
    assert torch.isfinite(predicted).all() and torch.isfinite(norms).all()


def test_a_node_by_hand() -> None:
    """Hop 0 of one node: |2 (1 - 1 + 2) + 1|, |shapes|, |attributes| through layers set by hand."""
    network = Network(OperationEncoder(("Conv", "Relu")), ab.NetworkConfig(width=2, hops=1), [0])
    features = network.features
    with torch.no_grad():
        for parameter in features.parameters():
            parameter.zero_()
        features.embeddings["operation"].weight[0] = torch.tensor([[0.0, 0.0, 0.0], [1.0, -1.0, 2.0]])
        features.scores["operation"].weight[0] = 2.0
        features.scores["operation"].bias[0] = 1.0
        features.embeddings["shapes"].weight[0, 1, 2] = 3.0  # height of the first input
        features.embeddings["attributes"].bias[0, 0, 0] = -5.0
        features.scores["shapes"].weight[0, 2] = -1.0
        features.scores["attributes"].weight[0, 0] = 1.0
    shapes = np.zeros((1, 12), np.float32)
    shapes[0, 1] = 0.5
    graph = IRGraph(np.array([4]), shapes, np.zeros((1, 8), np.float32), np.zeros((2, 0), np.int64))
    torch.testing.assert_close(features(neighbourhoods([graph], 1)), torch.tensor([[[5.0, 1.5, 5.0]]]))
    predictor = Predictor(network, "acc", 0.0, 1.0)
    importance = predictor.operation_importance()
    assert importance.to_dict("list") == {"operation": ["Relu", "Conv"], "importance": [5.0, 1.0]}


# -------------------------------------------------------------------- training and use


@pytest.fixture(scope="module")
def table() -> IRTable:
    """200 random graphs; `share` is the share of nodes of one operation, `other` has nothing to do with it."""
    rng = np.random.default_rng(3)
    graphs = [random_dag(rng, most=20) for _ in range(200)]
    share = [float((graph.operations == 2).mean()) for graph in graphs]
    labels = pd.DataFrame({"share": share, "other": rng.normal(size=200)})
    return make_ir_table(graphs, labels, families=["random"] * 200, names=[str(i) for i in range(200)])


@pytest.fixture(scope="module")
def trained(table: IRTable) -> Predictor:
    return ab.fit_ir(table, "share", seed=4, progress=False, **SMALL)


def weights(predictor: Predictor) -> dict[str, torch.Tensor]:
    return predictor.network.state_dict()


def test_it_learns(table: IRTable) -> None:
    train, test = table.split(0.8)
    predictor = ab.fit_ir(train, "share", preset="tuned", epochs=30, batch_size=32, progress=False)
    report = ab.evaluate(predictor, test)
    assert list(report.index) == ["hop 0", "hop 1", "hop 2", "hop 3", "hop 4", "head"]
    assert report.loc["head", "srcc"] > 0.95 and report.loc["hop 0", "srcc"] > 0.9
    assert report.loc["head", "mae"] < 0.3 * test.labels["share"].std()


def test_training_is_repeatable_and_side_by_side_as_alone(table: IRTable, trained: Predictor) -> None:
    again, other = (ab.fit_ir(table, "share", seed=s, progress=False, **SMALL) for s in (4, 5))
    assert all(torch.equal(tensor, weights(again)[name]) for name, tensor in weights(trained).items())
    assert not all(torch.equal(tensor, weights(other)[name]) for name, tensor in weights(trained).items())
    together = ab.fit_ir_many(table, ["other", "share"], seed=4, progress=False, **SMALL)[1]
    assert together.target == trained.target and together.label_mean == trained.label_mean
    graphs = neighbourhoods(table.graphs, 2)
    for found, expected in zip(together.network.train()(graphs), trained.network.train()(graphs), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)
    again.network.eval(), trained.network.eval()


def test_provenance(table: IRTable, trained: Predictor) -> None:
    assert trained.provenance["seed"] == 4 and trained.provenance["training"]["epochs"] == 3
    assert trained.provenance["data"] == table.describe()
    assert trained.operations == ("Conv", "BatchNormalization")  # those that occur


def test_predictions_do_not_depend_on_company(table: IRTable, trained: Predictor) -> None:
    together, norms = trained.predict_and_norms(table.graphs)
    assert together.shape == (200,) and norms.shape == (3, 200)
    for number in (0, 7, 199):
        np.testing.assert_allclose(trained.predict([table.graphs[number]]), together[number], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(trained.norms([table.graphs[number]])[:, 0], norms[:, number], rtol=1e-4)
    assert trained.predict([]).shape == (0,) and trained.norms([]).shape == (3, 0)


def test_operations_that_were_not_trained_are_named(trained: Predictor) -> None:
    graph = random_dag(np.random.default_rng(1))
    strange = IRGraph(np.resize([2, 6, 9], len(graph)), graph.shapes, graph.attributes, graph.edges)
    with pytest.raises(ValueError, match=r"operations HardSwish, ReduceMean .*training data"):
        trained.predict([graph, strange])
    assert len(strange) >= 3 and set(trained.operation_importance()["operation"]) == {"Conv", "BatchNormalization"}


def test_save_and_load(tmp_path: Path, table: IRTable, trained: Predictor) -> None:
    trained.save(tmp_path / "p")
    again = load(tmp_path / "p")
    np.testing.assert_array_equal(again.predict(table.graphs), trained.predict(table.graphs))
    assert again.operations == trained.operations and again.provenance == trained.provenance
    assert again.target == "share" and again.label_sd == trained.label_sd


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"operations": ["Conv"]}, "weights|shape"),
        ({"operations": ["Conv", "Loop"]}, "operations Loop .*vocabulary"),
        ({"operations": [3]}, "operations 3 "),
        ({"format": "autobuild-predictor-1"}, "unknown entry 'operations'"),
        ({"label_sd": "nan"}, "label_sd is 'nan'"),
        ({"extra": 1}, "unknown entry 'extra'"),
        ({"network": {}}, "network: there is no 'convolution'"),
        ({"target": ...}, "there is no 'target'"),
        ({SHA256: "0" * 64}, "sha256 is "),
    ],
)
def test_damaged_files_are_refused(tmp_path: Path, trained: Predictor, change: dict[str, Any], message: str) -> None:
    trained.save(tmp_path)
    config = json.loads((tmp_path / CONFIG).read_text()) | change
    del config[OWN_SHA256]
    (tmp_path / CONFIG).write_text(_signed({k: v for k, v in config.items() if v is not ...}))
    with pytest.raises(ValueError, match=message):
        load(tmp_path)
    (tmp_path / CONFIG).unlink()
    with pytest.raises(FileNotFoundError, match="predictor is a folder"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"preset": "fast"}, "choose from paper, tuned"),
        ({"pooling": "median"}, "'median'"),
        ({"depth": 3}, "unknown options"),
    ],
)
def test_wrong_options(table: IRTable, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ab.fit_ir(table, "share", progress=False, **options)
