"""LeDG-Former: masks by hand, the chosen graph against a loop, and what the text of a device does."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import autobuild_lib as ab
from autobuild_book.chapters.neighbours.graphs import graphs_of, vocabulary
from autobuild_book.chapters.neighbours.hardware import HELP
from autobuild_book.chapters.neighbours.language import SIZE
from autobuild_book.chapters.neighbours.language_former import (
    LEDG,
    LEDG_DEVICES,
    DeviceModel,
    DynamicGraph,
    LanguageFormer,
    centred,
    masks,
)  # fmt: skip
from autobuild_book.chapters.neighbours.learning import Recipe
from autobuild_book.chapters.neighbours.nas_bench_201 import SPACE
from autobuild_lib.data.table import DataError, Table, make_table
from autobuild_lib.spaces import SequenceSpace
from autobuild_lib.statistics import srcc

PATHS = SequenceSpace("paths", [ab.Unit(1, 3)], {"op": ["nor_conv_1x1", "nor_conv_3x3"]})
QUICK = replace(LEDG_DEVICES, recipe=Recipe(steps=40, batch=48, rate=6e-3))
TEXTS = {
    label: setting.text for label, setting in HELP.items() if setting.images != 32 and setting.device != "titan_rtx"
}


def test_masks_by_hand() -> None:
    reads, read_by, beyond = masks(graphs_of(SPACE, SPACE.sample(1, 0)), device=False)[0]
    # nodes: input, units 0 to 5, output
    assert reads[6].nonzero().flatten().tolist() == [2, 3, 6], "unit 5 reads units 1 and 2"
    assert read_by[1].nonzero().flatten().tolist() == [1, 3, 5], "units 2 and 4 read unit 0"
    assert beyond[6].nonzero().flatten().tolist() == [0, 1, 6], "unit 2 reads unit 0, unit 1 the input"


def test_a_device_sees_all_nodes_and_all_see_it() -> None:
    short = PATHS.architecture([["nor_conv_1x1"]])
    graphs = graphs_of(PATHS, [short])  # input, one layer, output, and two that are not there
    seen = masks(graphs, device=True)[0]
    assert seen.shape == (3, 6, 6) and seen[:, :, 5].all()
    assert seen[:, 5].tolist() == [[True, True, True, False, False, True]] * 3
    assert torch.equal(seen[:, :5, :5], masks(graphs, device=False)[0])
    assert seen[0, 3].nonzero().flatten().tolist() == [3, 5], "nothing reads what is not there"


def test_the_graph_is_that_of_a_loop() -> None:
    torch.manual_seed(0)
    layer, seen = DynamicGraph(8), masks(graphs_of(SPACE, SPACE.sample(2, 1)), device=True)
    values = torch.randn(2, 9, 8)
    with torch.no_grad():
        made = layer(values, seen)
        query, key, value = layer.project(values[1]).split(8, dim=-1)
        for node in range(9):
            weights, parts = layer.weigh(values[1, node]).softmax(0), []
            for head in range(4):
                span = slice(2 * head, 2 * head + 2)
                part = torch.zeros(2)
                for mask in range(3):
                    there = seen[1, mask, node].nonzero().flatten()
                    attention = (key[there, span] @ query[node, span] / 2**0.5).softmax(0)
                    part += weights[mask] * (attention @ value[there, span])
                parts.append(part)
            assert torch.allclose(made[1, node], layer.join(torch.cat(parts)), atol=1e-5)


def test_what_is_not_there_says_nothing() -> None:
    torch.manual_seed(0)
    drawn = [PATHS.architecture([["nor_conv_1x1"] * depth]) for depth in (1, 3)]
    graphs, device = graphs_of(PATHS, drawn), torch.randn(2, SIZE)
    network = LanguageFormer(vocabulary(PATHS), 5).eval()
    filled = replace(graphs, features=graphs.features.masked_fill(graphs.there[..., None] == 0, 1.0))
    with torch.no_grad():
        assert torch.allclose(network(graphs, device), network(filled, device), atol=1e-6)
        assert torch.allclose(network(graphs), network(filled), atol=1e-6)
        permuted = graphs.permuted(torch.tensor([3, 0, 4, 1, 2]))
        assert torch.allclose(network(permuted, device), network(graphs, device), atol=1e-6)
        assert not torch.allclose(network(graphs, device), network(graphs, device.flip(0)), atol=1e-3)


def test_centred_by_hand() -> None:
    made = centred(torch.tensor([[1.0, 5.0], [3.0, 5.0]]))
    assert torch.allclose(made, torch.tensor([[-(2**0.5), 0.0], [2**0.5, 0.0]]))
    assert not centred(torch.ones(3, 4)).any(), "equal texts differ in nothing"


# -------------------------------------------------------------------- many devices


@pytest.fixture(scope="module")
def table() -> Table:
    """Networks whose layers all take as long with one image, and with 64 take as long as their multiply-adds."""
    drawn = list(dict.fromkeys(map(SPACE.canonical, SPACE.sample(150, 0))))
    convolutions = np.array([str(cell).count("conv") for cell in drawn])
    multiplies = np.array([9 * str(cell).count("3x3") + str(cell).count("1x1") for cell in drawn])
    skips = np.array([6 - str(cell).count("none") for cell in drawn])
    labels = {}
    for place, gpu in enumerate(("2080ti", "titan_xp", "v100")):
        labels[f"latency_{gpu}_1"] = np.exp(skips / 5) * (1 + place)
        labels[f"latency_{gpu}_64"] = 5 + multiplies + convolutions / 10 + place
    return make_table(SPACE, drawn, labels, source="timed", kind="yours")


def test_a_device_never_seen_is_told_by_its_text(table: Table) -> None:
    train, test = table.split(0.7, seed=1)
    seen = {label: text for label, text in TEXTS.items() if "v100" not in label}
    model = replace(LEDG_DEVICES, recipe=Recipe(steps=120, batch=48, rate=3e-3))
    learnt = model.fit(train, seen, seed=3)
    silent = replace(QUICK, hardware=False).fit(train, seen, seed=3)
    for label, other in (("latency_v100_1", "latency_v100_64"), ("latency_v100_64", "latency_v100_1")):
        scores = learnt.scores(test.architectures, TEXTS[label])
        right, wrong = (srcc(scores, test.labels[name].to_numpy()) for name in (label, other))
        assert right > 0.8 and right > wrong + 0.15
    same = [silent.scores(test.architectures, TEXTS[label]) for label in ("latency_v100_1", "latency_v100_64")]
    assert np.array_equal(*same), "who is not told the device says the same of all"


def test_a_copy_of_a_device_is_predicted_like_it(table: Table) -> None:
    texts = {"latency_v100_1": TEXTS["latency_v100_1"], "latency_v100_64": TEXTS["latency_v100_64"]}
    learnt = QUICK.fit(table, texts)
    known = learnt.predict(table.architectures, "latency_v100_64")
    mean, spread = learnt.lines["latency_v100_64"]
    scores = learnt.scores(table.architectures, texts["latency_v100_64"])
    assert np.allclose(np.log(known), mean + spread * scores)
    y = table.labels["latency_v100_64"].to_numpy()
    assert np.abs(known / y - 1).mean() < 0.3, "known devices are predicted in label units"
    copied = table.labels.assign(copy=y * 10)
    copy = make_table(SPACE, table.architectures, copied, source="copied", kind="yours")
    both = QUICK.fit(copy, {**texts, "copy": texts["latency_v100_64"]})
    assert np.allclose(
        both.predict(table.architectures, "copy"), 10 * both.predict(table.architectures, "latency_v100_64")
    )


def test_the_same_seed_learns_the_same(table: Table) -> None:
    brief, texts = replace(QUICK, recipe=Recipe(steps=5, batch=64)), {"latency_v100_1": TEXTS["latency_v100_1"]}
    state = torch.random.get_rng_state()
    first, again, other = (
        brief.fit(table, texts, seed).scores(table.architectures[:9], TEXTS["latency_2080ti_1"]) for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again) and not np.allclose(first, other)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_what_cannot_be_learnt_is_one_line(table: Table) -> None:
    text = TEXTS["latency_v100_1"]
    with pytest.raises(ValueError, match="no device to learn"):
        QUICK.fit(table, {})
    with pytest.raises(DataError, match="no label 'latency_abacus'"):
        QUICK.fit(table, {"latency_abacus": text})
    failed = table.labels.assign(failed=-1.0)
    with pytest.raises(DataError, match="'failed' is not above 0"):
        QUICK.fit(make_table(SPACE, table.architectures, failed, source="x", kind="yours"), {"failed": text})
    learnt = replace(QUICK, recipe=Recipe(steps=1)).fit(table, {"latency_v100_1": text})
    with pytest.raises(ValueError, match="latency_v100_1"):
        learnt.predict(table.architectures, "latency_v100_64")
    assert len(learnt.scores([], text)) == 0


def test_it_says_what_it_is() -> None:
    assert LEDG_DEVICES.describe()["hardware"] and LEDG_DEVICES.describe()["paper"] == LEDG.describe()["paper"]
    assert isinstance(LEDG_DEVICES, DeviceModel)
