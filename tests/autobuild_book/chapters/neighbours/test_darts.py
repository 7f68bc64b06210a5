"""EM-DARTS: transfer entropy by hand, the supernet against the networks that it holds, and equal cost."""

import itertools

import numpy as np
import pandas as pd
import pytest
import torch

from autobuild_book.chapters.neighbours.darts import measure, networks, supernet
from autobuild_book.chapters.neighbours.darts.networks import SPACE
from autobuild_book.chapters.neighbours.darts.transfer import as_symbols, transfer_entropy
from autobuild_lib.spaces import Architecture

TEXT = "plain;conv5,pool3|residual;conv1|residual;conv3,conv3"
PAIRS = np.array(list(itertools.product((0, 1), repeat=2)))  # now of the target, past of the source


def after(following: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Series of two steps, source and target, whose next step is `following`; the source's last step says nothing."""
    source, target = PAIRS[:, [1, 1]], np.column_stack([PAIRS[:, 0], following])
    return source, target


def test_transfer_entropy_by_hand() -> None:
    now, past = PAIRS.T
    assert transfer_entropy(*after(past)) == pytest.approx(1), "the source is copied: one bit"
    assert transfer_entropy(*after(now)) == pytest.approx(0), "the target's own past says all"
    assert transfer_entropy(*after(now ^ past)) == pytest.approx(1), "only both together say anything"
    quarter = transfer_entropy(*after(now & past))  # of now = 1 one bit, of now = 0 nothing
    assert quarter == pytest.approx(0.5)
    source, target = after(past)
    assert transfer_entropy(target, source) == pytest.approx(0), "the other way: the source stays as it is"
    wrong = np.column_stack([target[:, 0], 1 - target[:, 1]])
    noisy = np.concatenate([source] * 4), np.concatenate([target] * 3 + [wrong])
    entropy = -(0.75 * np.log2(0.75) + 0.25 * np.log2(0.25))
    assert transfer_entropy(*noisy) == pytest.approx(1 - entropy), "wrong in one of four"


def test_transfer_entropy_needs_steps_of_the_same_series() -> None:
    for shapes in (((2, 3), (2, 4)), ((2, 1), (2, 1)), ((4,), (4,))):
        with pytest.raises(ValueError, match="two steps or more"):
            transfer_entropy(*(np.zeros(shape, dtype=np.int64) for shape in shapes))


def test_symbols_are_equally_full() -> None:
    values = np.random.default_rng(0).normal(size=(10, 30))
    assert np.bincount(as_symbols(values).ravel()).tolist() == [100, 100, 100]
    assert as_symbols(np.zeros((2, 2))).tolist() == [[0, 0], [0, 0]]


def test_a_network_is_what_its_text_says() -> None:
    network = networks.build(SPACE.parse(TEXT))
    widths = [m.kernel_size for m in network.modules() if isinstance(m, torch.nn.Conv1d)]
    assert widths == [(1,), (5,), (1,), (3,), (3,)]
    assert [stage.residual for stage in network if isinstance(stage, networks.Stage)] == [False, True, True]
    stage = networks.Stage(["pool3"], "residual")
    assert stage(torch.tensor([[[0.0, 3.0, 6.0]]])).tolist() == [[[1.5, 6.0, 10.5]]], "means of neighbours, and itself"


def test_a_step_is_a_row_of_the_image() -> None:
    values, _ = networks.series("labels")
    images, _ = networks.digits("labels")
    assert values.shape == (500, 8, 8) and torch.equal(values[7, :, 2], images[7, 16:24])


def sure(text: str) -> supernet.Supernet:
    """A supernet that has made up its mind."""
    net = supernet.Supernet()
    with torch.no_grad():
        for number, unit in enumerate(SPACE.parse(text).units()):
            net.links[number, networks.LINKS.index(unit["link"])] = 100
            for place, layer in enumerate(unit["layers"]):
                net.operations[number, place, networks.OPERATIONS.index(layer)] = 100
    return net


def test_a_supernet_that_is_sure_is_the_network_that_it_holds() -> None:
    text = "plain;conv5,pool3|residual;conv1,conv5|residual;conv3,conv3"
    net, network = sure(text), networks.build(SPACE.parse(text))
    network[0].load_state_dict(net.first.state_dict())
    network[5].load_state_dict(net.last[1].state_dict())
    for number, unit in enumerate(SPACE.parse(text).units()):
        for place, layer in enumerate(unit["layers"]):
            weights = net.stages[number][place][networks.OPERATIONS.index(layer)].state_dict()
            network[1 + number].layers[place].load_state_dict(weights)
    values, _ = networks.series("final")
    with torch.no_grad():
        assert torch.allclose(net(values), network(values), atol=1e-6)
    assert str(supernet.derive(net, (1.0, 1.0, 1.0))) == text


def test_layers_that_get_little_go() -> None:
    net = sure("plain;conv5,pool3|residual;conv1,conv5|residual;conv3,conv3")
    assert str(supernet.derive(net, (1.0, 0.2, 0.5))) == TEXT, "less than half of the mean"


def test_operations_and_links_take_turns() -> None:
    torch.manual_seed(0)
    net = supernet.Supernet()
    start = net.first.weight.detach().clone()
    supernet.alternate(net, 1)
    assert net.operations.abs().sum() > 0 and not net.links.any() and not torch.equal(net.first.weight, start)
    operations = net.operations.detach().clone()
    torch.manual_seed(0)
    again = supernet.Supernet()
    supernet.alternate(again, 2)
    assert again.links.abs().sum() > 0 and torch.equal(again.operations, operations), "the second epoch is of links"
    assert len(supernet.transfers(net)) == 3 and min(supernet.transfers(net)) >= 0


def test_all_pay_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    assert supernet.passes_of_search(2) == 2 * (797 + 500) * 6 * 4
    six = SPACE.parse("plain;conv1|plain;conv1|plain;conv1"), SPACE.parse("plain;conv1|plain;conv1,conv3|plain;conv1")
    assert measure.cost(six) == 6 * 797 * (3 + 4)
    trained: list[Architecture] = []
    monkeypatch.setattr(networks, "train", lambda architecture, epochs, seed: trained.append(architecture))
    monkeypatch.setattr(networks, "accuracy", lambda network, part: len(trained) / 10)
    labels = measure.label_until(6 * 797 * 7, iter([six[0], six[0], six[1], six[0]]), {}, 0)
    assert trained == list(six) and labels == {six[0]: 0.1, six[1]: 0.2}, "nothing is trained twice"
    assert measure.label_until(6 * 797 * 7 - 1, iter(six), {}, 0) == {six[0]: 0.3}, "the second is too dear"
    budget = supernet.passes_of_search()
    every = measure.random(budget, 0)
    assert budget - 6 * 797 * 6 < measure.cost(every) <= budget


def test_summary_compares_seed_by_seed() -> None:
    rows = [("EM-DARTS", 0.9), ("random", 0.8), ("AutoBuild", 0.95)]
    frame = [(name, seed, "", 4, 1, 10, value + seed / 100) for name, value in rows for seed in (0, 1)]
    lines = measure.summary(pd.DataFrame(frame, columns=measure.COLUMNS)).set_index("method")
    assert lines["accuracy"].tolist() == pytest.approx([0.905, 0.805, 0.955])
    assert lines["ahead"].tolist() == pytest.approx([0, 0.1, -0.05])
    assert lines["ahead_low"].tolist() == pytest.approx([0, 0.1, -0.05]), "the same in both seeds"
    assert len({part.key for part in measure.plan((), (0, 1))}) == 6


def test_committed_rows_are_whole_seeds_of_the_plan() -> None:
    rows = measure.SECTION.committed()
    assert list(rows) == measure.COLUMNS and not rows.duplicated(["method", "seed"]).any()
    assert len(rows) == len(measure.SEEDS) * len(measure.METHODS) and rows["accuracy"].between(0.1, 1).all()
    budget = supernet.passes_of_search()
    assert (rows.loc[rows["method"] == "EM-DARTS", "passes"] == budget).all() and (rows["passes"] <= budget).all()
    depths = [sum(SPACE.parse(text).depths) for text in rows["architecture"]]
    assert rows["layers"].tolist() == depths
