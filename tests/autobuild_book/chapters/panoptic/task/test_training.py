"""Trainings: fixed by their seed, continued after a kill as if nothing had happened, and kept safely."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load as read_tensors, save as tensor_bytes
from torch import Tensor

import autobuild_lib as ab
from autobuild_book.chapters.panoptic.task import training
from autobuild_book.chapters.panoptic.task.images import draw_scenes
from autobuild_book.chapters.panoptic.task.lessons import lessons, panoptic_loss
from autobuild_book.chapters.panoptic.task.network import as_input
from autobuild_book.chapters.panoptic.task.space import backbone_space, largest, smallest
from autobuild_book.chapters.panoptic.task.training import CHECKPOINT, make_plan, train
from autobuild_book.chapters.panoptic.task.weights import CONFIG, WEIGHTS, Recipe, TrainedNetwork, load

SHORT = Recipe(steps=5, batch_size=4, images=12)
ALONE = backbone_space().parse("e3_k5,e3_k3|" + "|".join(["e3_k3,e3_k3"] * 4))


def quiet(folder: Path, **options: object) -> TrainedNetwork:
    return train(folder, progress=False, **{"recipe": SHORT, **options})  # type: ignore[arg-type]


def weights(trained: TrainedNetwork) -> Tensor:
    return torch.cat([p.detach().flatten() for p in trained.network.parameters()])


@pytest.fixture(scope="module")
def supernet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished short training."""
    folder = tmp_path_factory.mktemp("supernet")
    quiet(folder)
    return folder


# -------------------------------------------------------------------- plans


def test_a_plan_is_whole_passes_and_the_stated_mixture() -> None:
    recipe = Recipe(steps=4000, batch_size=3, images=600)
    plan = make_plan(0, recipe, None)
    assert plan.rows.shape == (4000, 3)
    passes = plan.rows.ravel().reshape(-1, 600)
    assert all(np.array_equal(np.sort(one), np.arange(600)) for one in passes) and not np.array_equal(*passes[:2])
    kinds = Counter("all" if p is None else "small" if p == smallest() else "random" for p in plan.parts)
    assert kinds["all"] == pytest.approx(1200, abs=150) and kinds["small"] == pytest.approx(400, abs=100)
    drawn = [p for p in plan.parts if p is not None and p != smallest()]
    assert len(set(drawn)) > 0.99 * len(drawn) and {d for p in drawn for d in p.depths} == {2, 3, 4}


def test_a_plan_depends_on_its_seed_and_architectures_see_the_same_images() -> None:
    one, again, other = (make_plan(seed, SHORT, None) for seed in (3, 3, 4))
    assert np.array_equal(one.rows, again.rows) and one.parts == again.parts
    assert not np.array_equal(one.rows, other.rows) and one.parts != other.parts
    alone = make_plan(3, SHORT, ALONE)
    assert np.array_equal(alone.rows, one.rows) and alone.parts == [None] * 5


def test_the_learning_rate_rises_and_falls() -> None:
    recipe = Recipe()
    rates = [recipe.rate_at(step) for step in range(recipe.steps)]
    assert max(rates) == pytest.approx(recipe.learning_rate, rel=1e-3) and rates[-1] < 1e-6
    top = int(np.argmax(rates))
    assert top <= recipe.warm_up and (np.diff(rates[: top + 1]) > 0).all() and (np.diff(rates[top:]) < 0).all()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"steps": 0}, "must be at least 1"), ({"batch_size": 0}, "must be at least 1"), ({"images": 0}, "at least 1"),
     ({"learning_rate": 0.0}, "learning_rate above 0"), ({"warm_up": 0}, "at least 1"),
     ({"largest": 0.8, "smallest": 0.3}, "parts of 1"), ({"smallest": -0.1}, "parts of 1")],
)  # fmt: skip
def test_wrong_recipes_are_refused(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Recipe(**wrong)  # type: ignore[arg-type]


# -------------------------------------------------------------------- training


def test_the_same_seed_gives_the_same_weights_whatever_was_before(supernet: Path, tmp_path: Path) -> None:
    torch.manual_seed(77)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    again = quiet(tmp_path / "again")
    assert torch.equal(weights(again), weights(load(supernet))) and again.id == load(supernet).id
    assert torch.equal(torch.get_rng_state(), before) and torch.get_num_threads() == threads
    assert not torch.equal(weights(quiet(tmp_path / "other", seed=1)), weights(again))


def test_training_learns(tmp_path: Path) -> None:
    recipe = replace(SHORT, steps=30, batch_size=8, images=8, warm_up=1)
    taught = lessons(draw_scenes("train", 8))
    losses = []
    for steps in (1, 30):
        network = quiet(tmp_path / str(steps), recipe=replace(recipe, steps=steps), architecture=ALONE).network
        with torch.no_grad():
            losses.append(panoptic_loss(network.train()(as_input(taught.images)), taught, recipe.loss).item())
    assert losses[1] < 0.7 * losses[0]


def test_alone_trains_the_network_of_its_own_size(tmp_path: Path) -> None:
    found = quiet(tmp_path, architecture=ALONE)
    assert found.architecture == ALONE == found.network.architecture
    assert found.network.units[0][0].depthwise.weight.shape == (24, 1, 5, 5)


def test_a_training_that_diverges_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"{tmp_path}: the training diverged before step 5"):
        quiet(tmp_path, recipe=replace(SHORT, learning_rate=1e30, warm_up=1), architecture=ALONE)
    assert not (tmp_path / WEIGHTS).exists()


# -------------------------------------------------------------------- resuming

RUN = """
import sys
from pathlib import Path
from autobuild_book.chapters.panoptic.task import training
from autobuild_book.chapters.panoptic.task.weights import Recipe
training.KEEP_EVERY = 3
training.train(Path(sys.argv[1]), recipe=Recipe(steps=int(sys.argv[2]), batch_size=4, images=12))
"""


def begin(folder: Path, steps: int) -> "subprocess.Popen[bytes]":
    """Start a training in a process of its own, and wait for its first checkpoint."""
    running = subprocess.Popen([sys.executable, "-c", RUN, str(folder), str(steps)], stderr=subprocess.DEVNULL)
    until = time.monotonic() + 120
    while not (folder / CHECKPOINT).is_file() and time.monotonic() < until and running.poll() is None:
        time.sleep(0.01)
    return running


def test_a_killed_training_continues_as_if_nothing_had_happened(tmp_path: Path) -> None:
    running = begin(tmp_path / "killed", 60)
    os.kill(running.pid, signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    assert not (tmp_path / "killed" / WEIGHTS).exists()
    with pytest.raises(ValueError, match="not the description"):
        load(tmp_path / "killed")
    recipe = replace(SHORT, steps=60)
    resumed, whole = quiet(tmp_path / "killed", recipe=recipe), quiet(tmp_path / "whole", recipe=recipe)
    assert torch.equal(weights(resumed), weights(whole)) and resumed.id == whole.id
    assert sorted(path.name for path in (tmp_path / "killed").iterdir()) == [CONFIG, WEIGHTS]


def test_only_the_steps_that_are_left_are_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[int] = []
    step = training._Training.step

    def counted(self: training._Training, *arguments: object) -> Tensor:
        if len(done) == 5:  # the last step of the checkpoint, and one that is lost
            raise KeyboardInterrupt
        done.append(self.done)
        return step(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(training, "KEEP_EVERY", 2)
    monkeypatch.setattr(training._Training, "step", counted)
    recipe = replace(SHORT, steps=7)
    with pytest.raises(KeyboardInterrupt):
        quiet(tmp_path, recipe=recipe, architecture=ALONE)
    done.clear()
    quiet(tmp_path, recipe=recipe, architecture=ALONE)
    assert done == [4, 5, 6]


def test_a_finished_training_is_not_repeated(supernet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "_run", None)  # would fail if called
    files = {path: path.stat().st_mtime_ns for path in supernet.iterdir()}
    assert quiet(supernet).id == load(supernet).id
    assert {path: path.stat().st_mtime_ns for path in supernet.iterdir()} == files


@pytest.mark.parametrize("other", [{"seed": 1}, {"recipe": replace(SHORT, steps=6)}, {"architecture": ALONE}])
def test_a_folder_with_another_training_is_refused_and_left_alone(supernet: Path, other: dict[str, object]) -> None:
    content = (supernet / WEIGHTS).read_bytes()
    with pytest.raises(ValueError, match=f"other settings \\({next(iter(other))} "):
        quiet(supernet, **other)
    assert (supernet / WEIGHTS).read_bytes() == content


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"\x00" * 64])
def test_a_damaged_checkpoint_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / CHECKPOINT).write_bytes(content)
    with pytest.raises(ValueError, match=rf"{CHECKPOINT}: not a checkpoint .*remove it"):
        quiet(tmp_path, architecture=ALONE)


@pytest.fixture(scope="module")
def checkpoint() -> dict[str, Tensor]:
    """What a training of one architecture has in its checkpoint after three steps."""
    begun = training._Training(ALONE, 0, SHORT)
    for weight in begun.weights.values():
        begun.optimizer.state[weight] = {
            "step": torch.tensor(3.0), "exp_avg": torch.zeros_like(weight), "exp_avg_sq": torch.ones_like(weight)
        }  # fmt: skip
    begun.done = 3
    return read_tensors(begun.bytes())


def test_a_checkpoint_is_taken_up(tmp_path: Path, checkpoint: dict[str, Tensor]) -> None:
    (tmp_path / CHECKPOINT).write_bytes(tensor_bytes(checkpoint))
    begun = training._Training(ALONE, 1, SHORT)
    begun.resume(tmp_path / CHECKPOINT)
    assert begun.done == 3 and begun.bytes() == tensor_bytes(checkpoint)


def first(tensors: dict[str, Tensor], start: str) -> str:
    return min(name for name in tensors if name.startswith(start))


ODD = {
    "negative step": ("step", lambda step: step - 8, "step is -5; allowed are whole numbers from 1 to 5"),
    "later step": ("step", lambda step: step + 10**9, "step is 1000000003; allowed"),
    "fraction": ("step", lambda step: step * 1.5, "step is 4.5; allowed"),
    "steps": ("step", lambda step: step[None], "allowed are whole numbers"),
    "weights of NaN": ("weight/", lambda w: w * torch.nan, "weight/.* numbers that no training gives"),
    "infinite moments": ("exp_avg/", lambda w: w + torch.inf, "exp_avg/.* numbers that no training gives"),
    "negative squares": ("exp_avg_sq/", lambda w: -w, "exp_avg_sq/.* numbers that no training gives"),
    "steps of a weight": ("step/", lambda step: step + 1, "step/.* numbers that no training gives"),
    "weights of whole numbers": ("weight/", lambda w: w.long(), "weight/.* is torch.int64"),
    "another shape": ("weight/", lambda w: w[:1], "not float32"),
}


@pytest.mark.parametrize("kind", ODD)
def test_numbers_that_no_training_gives_are_refused(tmp_path: Path, checkpoint: dict[str, Tensor], kind: str) -> None:
    start, change, message = ODD[kind]
    name = first(checkpoint, start)
    (tmp_path / CHECKPOINT).write_bytes(tensor_bytes({**checkpoint, name: change(checkpoint[name]).contiguous()}))
    with pytest.raises(ValueError, match=f"{CHECKPOINT}: not a checkpoint .*{message}"):
        quiet(tmp_path, architecture=ALONE)


def test_a_checkpoint_of_another_network_is_named(tmp_path: Path) -> None:
    (tmp_path / CHECKPOINT).write_bytes(training._Training(smallest(), 0, SHORT).bytes())
    with pytest.raises(ValueError, match="not a checkpoint"):
        quiet(tmp_path)


# -------------------------------------------------------------------- files


def test_what_is_kept_is_what_was_trained(supernet: Path) -> None:
    found = load(supernet)
    assert (found.architecture, found.seed, found.recipe) == (
        None,
        0,
        SHORT,
    ) and found.network.architecture == largest()
    described = json.loads((supernet / CONFIG).read_text())
    assert described["recipe"] == asdict(SHORT) and described["weights_sha256"].startswith(found.id)
    assert (supernet / WEIGHTS).stat().st_size < 1 << 20


DAMAGE = {
    "no file": (CONFIG, None, "no such file; `autobuild task panoptic train`"),
    "no json": (CONFIG, "{", "not the description of a training"),
    "a list": (CONFIG, "[1]", "not the description of a training"),
    "no recipe": (CONFIG, "{}", "not the description"),
    "other weights": (WEIGHTS, "x", "sha256 is"),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_damaged_folders_are_refused(supernet: Path, tmp_path: Path, case: str) -> None:
    name, content, message = DAMAGE[case]
    for path in supernet.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        load(tmp_path)


def test_another_space_is_refused(toy: ab.SequenceSpace, tmp_path: Path) -> None:
    with pytest.raises(ab.SpaceError, match="toy"):
        quiet(tmp_path / "new", architecture=toy.sample(np.random.default_rng(0)))
    assert not (tmp_path / "new").exists()
