"""Training in one shot: a supernet whose parts are all architectures, or one architecture alone by the same recipe.

Each step trains one part: often the largest, sometimes the smallest, else one drawn at random (after Yu et al.,
"BigNAS", ECCV 2020). What is random is drawn from the seed before the first step, so a training that was killed and
continued gives the same weights as one that was not.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from safetensors.torch import load as read_tensors, save as tensor_bytes
from torch import Tensor

from autobuild_book.chapters.panoptic.task.images import draw_scenes
from autobuild_book.chapters.panoptic.task.lessons import Lessons, lessons, panoptic_loss
from autobuild_book.chapters.panoptic.task.network import PanopticNetwork, as_input
from autobuild_book.chapters.panoptic.task.space import backbone_space, largest, smallest
from autobuild_book.chapters.panoptic.task.weights import Recipe, TrainedNetwork, begin, finish, load, settings_of
from autobuild_lib.progress import progress_bar
from autobuild_lib.spaces import Architecture
from autobuild_lib.storage import replace_bytes
from autobuild_lib.torch_settings import one_thread
from autobuild_lib.values import shown

CHECKPOINT = "checkpoint.safetensors"
KEEP_EVERY = 100  # steps
STEP = "step"  # name of the tensor that counts them in a checkpoint
STATE = ("step", "exp_avg", "exp_avg_sq")  # of AdamW, for each weight


@dataclass(frozen=True, eq=False)
class Plan:
    """What a training sees: numbers of images [steps, batch], and the architecture of each step, None for all."""

    rows: npt.NDArray[np.intp]
    parts: list[Architecture | None]


def make_plan(seed: int, recipe: Recipe, architecture: Architecture | None) -> Plan:
    """Draw a training: whole passes over the images, the same for every architecture."""
    rng, size = np.random.default_rng(seed), recipe.steps * recipe.batch_size
    order = np.concatenate([rng.permutation(recipe.images) for _ in range(math.ceil(size / recipe.images))])
    rows = order[:size].reshape(recipe.steps, recipe.batch_size)
    if architecture is not None:
        return Plan(rows, [None] * recipe.steps)
    kinds = rng.random(recipe.steps)
    parts: list[Architecture | None] = list(backbone_space().sample(rng, recipe.steps))
    for step in np.flatnonzero(kinds < recipe.largest + recipe.smallest):
        parts[step] = None if kinds[step] < recipe.largest else smallest()
    return Plan(rows, parts)


# -------------------------------------------------------------------- training


class _Training:
    """Network, optimiser and number of finished steps."""

    def __init__(self, architecture: Architecture | None, seed: int, recipe: Recipe) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.network = PanopticNetwork(architecture or largest()).train()
        self.recipe, self.done = recipe, 0
        self.weights = dict(self.network.named_parameters())
        self.optimizer = torch.optim.AdamW(self.weights.values(), weight_decay=recipe.weight_decay, fused=True)

    def step(self, taught: Lessons, part: Architecture | None) -> Tensor:
        """Train a part on a batch; return the loss."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.rate_at(self.done)
        loss = panoptic_loss(self.network(as_input(taught.images), part), taught, self.recipe.loss)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        self.done += 1
        return loss.detach()

    def bytes(self) -> bytes:
        """Return everything that `resume` needs."""
        tensors = {f"weight/{name}": weight for name, weight in self.weights.items()}
        for name, weight in self.weights.items():
            tensors |= {f"{key}/{name}": value for key, value in self.optimizer.state[weight].items()}
        state = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
        return tensor_bytes(state | {STEP: torch.tensor(self.done)})

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint; one that does not fit is a `ValueError`."""
        try:
            state = read_tensors(path.read_bytes())
            self.done = self._checked(state)
            with torch.no_grad():
                for name, weight in self.weights.items():
                    weight.copy_(state.pop(f"weight/{name}"))
                for key_and_name, value in state.items():
                    key, name = key_and_name.split("/")
                    like = self.weights[name] if value.dim() else value
                    self.optimizer.state[self.weights[name]][key] = torch.empty_like(like).copy_(value)
        except (SafetensorError, KeyError, ValueError, RuntimeError) as error:
            raise ValueError(f"{path}: not a checkpoint of this training ({error}); remove it to begin again") from None

    def _checked(self, state: dict[str, Tensor]) -> int:
        """Return the number of finished steps; a training's own numbers are finite, and of as many steps."""
        if (step := state.pop(STEP)).shape or step.dtype != torch.int64 or not 0 < step <= self.recipe.steps:
            raise ValueError(f"step is {shown(step.tolist())}; allowed are whole numbers from 1 to {self.recipe.steps}")
        trained = {name.partition("/")[2] for name in state if name.startswith("step/")}  # a part may be new
        expected = {f"weight/{name}" for name in self.weights} | {f"{key}/{name}" for key in STATE for name in trained}
        if set(state) != expected or not trained <= set(self.weights):
            raise ValueError(f"unknown or missing: {', '.join(sorted(set(state) ^ expected)[:3])}")
        for name, tensor in state.items():
            key, _, weight = name.partition("/")
            shape = () if key == "step" else self.weights[weight].shape
            if tensor.dtype != torch.float32 or tensor.shape != shape:
                raise ValueError(f"{name} is {tensor.dtype} {list(tensor.shape)}, not float32 {list(shape)}")
            least, most = {"step": (1, int(step)), "exp_avg_sq": (0, torch.inf)}.get(key, (-torch.inf, torch.inf))
            if not torch.isfinite(tensor).all() or (tensor < least).any() or (tensor > most).any():
                raise ValueError(f"{name} has numbers that no training gives")
        return int(step)


def train(
    folder: Path,
    *,
    seed: int = 0,
    architecture: Architecture | None = None,
    recipe: Recipe | None = None,
    progress: bool = True,
) -> TrainedNetwork:
    """Train in a folder, on one thread: a supernet, or one architecture alone; return what `load` returns.

    A checkpoint is kept every 100 steps, so a killed call continues there, and gives the same weights as one that was
    not killed. Raises `ValueError` where the folder holds a training with other settings, or when it diverges.
    """
    recipe = recipe or Recipe()
    settings = settings_of(seed, architecture, recipe)
    if begin(folder, settings):
        return load(folder)
    with one_thread():
        training = _Training(architecture, seed, recipe)
        if (checkpoint := folder / CHECKPOINT).is_file():
            training.resume(checkpoint)
        _run(training, make_plan(seed, recipe, architecture), checkpoint, progress)
    finish(folder, settings, training.network)
    checkpoint.unlink(missing_ok=True)
    return load(folder)


def _run(training: _Training, plan: Plan, checkpoint: Path, progress: bool) -> None:
    """Do the steps that are left."""
    steps, taught = len(plan.parts), lessons(draw_scenes("train", training.recipe.images, progress=progress))
    left = range(training.done, steps)
    look = {"total": steps, "initial": training.done, "unit": "step", "mininterval": 1}
    bar = progress_bar(left, "training", disable=not progress, **look)
    for step in bar:
        loss = training.step(taught.take(plan.rows[step]), plan.parts[step])
        if training.done % KEEP_EVERY == 0 or training.done == steps:
            if not torch.isfinite(loss):
                raise ValueError(f"{checkpoint.parent}: the training diverged before step {training.done}")
            replace_bytes(checkpoint, training.bytes())
            bar.set_postfix(loss=f"{loss.item():.2f}")
