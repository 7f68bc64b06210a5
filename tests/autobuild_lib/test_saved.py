"""One save after another, kills and other writers between: there is a whole predictor at any time."""

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import autobuild_lib as ab
from autobuild_lib.engine.layers import LayerEncoder
from autobuild_lib.engine.operations import OperationEncoder
from autobuild_lib.loading import load
from autobuild_lib.predictor import Network, Predictor
from autobuild_lib.saved import CONFIG, WEIGHTS
from tests.helpers.kill_points import killed_at_each_point


def make(space: ab.SequenceSpace, seed: int) -> Predictor:
    network = Network(LayerEncoder(space), ab.NetworkConfig(width=4, hops=1), [seed]).eval()
    return Predictor(network, "acc", float(seed), 1.0)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("start", ["nothing", "another", "the same"])
def test_a_kill_at_any_point_leaves_the_old_or_the_new(toy: ab.SequenceSpace, tmp_path: Path, start: str) -> None:
    old, new, some = make(toy, 1), make(toy, 2), toy.sample(np.random.default_rng(0), 3)
    before = {"nothing": None, "another": old, "the same": new}[start]
    after_kills, folder = [], tmp_path / "p"
    if before:
        before.save(folder)
    for number in killed_at_each_point(lambda: new.save(folder)):
        try:
            there = ab.load(folder)
            seed = int(there.label_mean)
            np.testing.assert_array_equal(there.predict(some), make(toy, seed).predict(some), err_msg=str(number))
        except FileNotFoundError:
            seed = 0
        assert seed in ({2, 0} if before is None else {2, int(before.label_mean)}), number
        after_kills.append(seed)
        old.save(folder)
        assert len(names(folder)) == 2, number
        (before or new).save(folder)
        if before is None:
            for path in folder.iterdir():
                path.unlink()
    assert after_kills == sorted(after_kills) and len(after_kills) > 15
    assert len(names(folder)) == 2


def test_two_writers_and_a_reader(toy: ab.SequenceSpace, tmp_path: Path) -> None:
    predictors = [make(toy, 1), make(toy, 2)]
    some = toy.sample(np.random.default_rng(0), 3)
    expected = {one.label_mean: one.predict(some) for one in predictors}
    predictors[0].save(tmp_path)

    def save_often(predictor: Predictor) -> None:
        for _ in range(15):
            predictor.save(tmp_path)

    writers = [threading.Thread(target=save_often, args=(one,)) for one in predictors]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        there = ab.load(tmp_path)
        np.testing.assert_array_equal(there.predict(some), expected[there.label_mean])
    assert len(names(tmp_path)) == 2


def test_other_files_stay(toy: ab.SequenceSpace, tmp_path: Path) -> None:
    for name in ("notes.txt", "weights-mine.safetensors"):
        (tmp_path / name).write_text("of the reader")
    for seed in (1, 2):
        make(toy, seed).save(tmp_path)
        assert names(tmp_path) == {"notes.txt", "weights-mine.safetensors", CONFIG, WEIGHTS}


def test_every_kind_opens(toy: ab.SequenceSpace, tmp_path: Path) -> None:
    network = Network(OperationEncoder(("Conv", "Relu")), ab.NetworkConfig(width=4, hops=1), [0]).eval()
    graphs = Predictor(network, "latency", 1.0, 2.0)
    graphs.save(tmp_path / "graphs")
    make(toy, 1).save(tmp_path / "path")
    assert ab.load(tmp_path / "graphs").operations == ("Conv", "Relu")
    assert ab.load(tmp_path / "path").space == toy
    (tmp_path / "x.pt").write_bytes(b"0")
    with pytest.raises(ValueError, match=r"x\.pt: not a checkpoint"):
        load(tmp_path / "x.pt")
    replace(graphs, target="acc").save(tmp_path / "path")  # over one of another kind
    assert load(tmp_path / "path").operations == ("Conv", "Relu") and len(names(tmp_path / "path")) == 2


def test_what_the_other_kind_has_is_refused_by_name(toy: ab.SequenceSpace) -> None:
    network = Network(OperationEncoder(("Conv",)), ab.NetworkConfig(width=4, hops=1), [0])
    graphs, layers = Predictor(network, "acc", 0.0, 1.0), make(toy, 1)
    for refuse in (lambda: graphs.space, lambda: ab.score_units(graphs), lambda: layers.operations):
        with pytest.raises(ValueError, match="fit"):
            refuse()
    architecture = toy.sample(np.random.default_rng(0))
    with pytest.raises(ValueError, match="ir_graph"):
        graphs.predict([architecture])
