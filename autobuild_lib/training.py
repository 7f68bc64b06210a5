"""Training: predictors for several targets train side by side, exactly as they would alone."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import OneCycleLR

from autobuild_lib.data.table import Labelled, Table
from autobuild_lib.engine.encoder import Encoder
from autobuild_lib.engine.layers import LayerEncoder
from autobuild_lib.graphs import LayerGraphs, layer_graphs
from autobuild_lib.losses import RANK_LOSSES, RankLoss, rank_loss
from autobuild_lib.predictor import NETWORK_OPTIONS, Moments, Network, NetworkConfig, Predictor
from autobuild_lib.progress import progress_bar
from autobuild_lib.spaces import SequenceSpace, SpaceError
from autobuild_lib.targets import Target
from autobuild_lib.torch_settings import plain_torch
from autobuild_lib.values import Option, read_fields, read_seed

logger = logging.getLogger(__name__)
HeadLoss = Callable[[Tensor, Tensor], Tensor]  # of predictions and standardised targets, [P, n] each -> [P]
SMALLEST_SD = np.sqrt(np.finfo(np.float64).tiny)  # the square of a smaller one is not a normal number
TRAINED_ON = "trained_on"  # in what a predictor remembers: the digests of its rows
FEW_ROWS = 25  # the smallest training set of the learning curves in the book; below it nothing says what to expect

SCHEDULES = ("constant", "one_cycle")
TRAINING_OPTIONS = {
    "epochs": Option(int, "passes over the training rows", 1),
    "batch_size": Option(int, "rows in a step", 2),
    "learning_rate": Option(float, "of AdamW; the largest one of the schedule", above=0),
    "weight_decay": Option(float, "of AdamW", 0),
    "gradient_clip": Option(float, "the largest norm of a step's gradient", above=0),
    "schedule": Option(str, "of the learning rate; one_cycle warms up, then anneals to almost 0", choices=SCHEDULES),
    "rank_loss": Option(str, "what asks the norms of every hop to rank", choices=RANK_LOSSES),
    "rank_weight": Option(float, "of the ranking loss beside the squared error (lambda in the paper)", 0),
    "frozen_statistics": Option(bool, "batch normalisation by running statistics, which stay as they are"),
}
OPTIONS = NETWORK_OPTIONS | TRAINING_OPTIONS  # of `fit`


@dataclass(frozen=True)
class TrainingConfig:
    """How a predictor is trained; the defaults are the paper's preset, and `TRAINING_OPTIONS` says what is allowed."""

    epochs: int = 200
    batch_size: int = 128
    learning_rate: float = 1e-4
    weight_decay: float = 1e-5
    gradient_clip: float = 5.0
    schedule: str = "constant"
    rank_loss: RankLoss = "released"
    rank_weight: float = 1.0
    frozen_statistics: bool = False

    def __post_init__(self) -> None:
        read_fields(self, TRAINING_OPTIONS)


# "tuned" was chosen on validation rows of the training split (tests/benchmarks/presets.py and ir_presets.py).
FAST = {"convolution": "graphconv", "epochs": 40, "learning_rate": 1e-2, "schedule": "one_cycle"}
TUNED = {**FAST, "pooling": "sum", "batch_size": 64, "weight_decay": 0.3}
PRESETS: dict[str, dict[str, Any]] = {"paper": {}, "tuned": TUNED}
IR_PRESETS: dict[str, dict[str, Any]] = {"paper": {}, "tuned": FAST}  # for op-level graphs


def configure(
    preset: str, overrides: dict[str, Any], presets: Mapping[str, dict[str, Any]] = PRESETS
) -> tuple[NetworkConfig, TrainingConfig]:
    """Return the two configurations of a preset with some fields replaced; unknown names are an error."""
    if preset not in presets:
        raise ValueError(f"preset={preset!r}; choose from {', '.join(presets)}")
    chosen = {**presets[preset], **overrides}
    if unknown := sorted(set(chosen) - set(OPTIONS)):
        raise ValueError(f"unknown options {unknown}; choose from {sorted(OPTIONS)}")
    network = NetworkConfig(**{name: value for name, value in chosen.items() if name in NETWORK_OPTIONS})
    return network, TrainingConfig(**{name: value for name, value in chosen.items() if name in TRAINING_OPTIONS})


def fit(
    space: SequenceSpace, table: Table, target: Target | str, seed: int = 0, preset: str = "paper",
    progress: bool = True, **overrides: Any,
) -> Predictor:  # fmt: skip
    """Train one predictor of `target`, a label or an equation over labels of `table` (paper, Equations 3 and 4).

    Args:
        seed: of the initial weights and of the order of the batches.
        preset: "paper", or "tuned" (chosen on a validation split of training data, for a fraction of the cost).
        **overrides: any field of `NetworkConfig` or `TrainingConfig`.

    `ValueError` for unknown options, fewer than 2 architectures, a constant or extreme target, training that diverges.
    """
    if len(table) < FEW_ROWS:
        logger.warning("fitting on %d rows; the book measures predictors from %d rows on", len(table), FEW_ROWS)
    return fit_many(space, table, [target], seed, preset, progress, **overrides)[0]


@plain_torch(gradients=True)
def fit_many(
    space: SequenceSpace, table: Table, targets: Sequence[Target | str], seed: int | Sequence[int] = 0,
    preset: str = "paper", progress: bool = True, **overrides: Any,
) -> list[Predictor]:  # fmt: skip
    """Train one predictor per target in one pass, as `fit` does but for rounding, which training amplifies.

    Targets may repeat, each with a seed of its own; the order of the batches is that of the first seed.
    """
    course = Course.of(table, targets, seed, preset, configure(preset, overrides))
    try:
        for group in space.scoring_groups:
            group.count_contents()
    except SpaceError as error:
        logger.warning("modules of this space cannot be scored (%s)", error)
    graphs = layer_graphs(space, table.architectures)
    stack = course.train(LayerEncoder(space), graphs, progress)
    hops, depths = _hop_moments(stack, graphs), np.array([a.depths for a in table.architectures])
    units = [_unit_target_moments(space, depths, row) for row in course.raw]
    return course.predictors(stack, [Moments(*both) for both in zip(hops, units, strict=True)])


@dataclass(frozen=True)
class Course:
    """What P predictors are to learn, and how: equations with their values raw [P, N], means and sds (ddof 1) [P]."""

    table: Labelled
    equations: tuple[Target, ...]
    raw: npt.NDArray[np.float64]
    means: npt.NDArray[np.float64]
    sds: npt.NDArray[np.float64]
    seeds: tuple[int, ...]  # of the initial weights, [P]; the first also orders the batches
    preset: str
    network: NetworkConfig
    training: TrainingConfig

    @classmethod
    def of(
        cls, table: Labelled, targets: Sequence[Target | str], seed: int | Sequence[int], preset: str,
        configs: tuple[NetworkConfig, TrainingConfig],
    ) -> "Course":  # fmt: skip
        """Evaluate the targets; raises `ValueError` for fewer than 2 rows, and for a constant or extreme target."""
        equations = tuple(t if isinstance(t, Target) else Target(t) for t in targets)
        raw = np.stack([table.evaluate(target) for target in equations])
        if raw.shape[1] < 2:
            raise ValueError(f"training needs at least 2 architectures, given {raw.shape[1]}")
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            means, sds = raw.mean(axis=1), raw.std(axis=1, ddof=1)
        for target, row, mean, sd in zip(equations, raw, means, sds, strict=True):
            if row.min() == row.max():
                raise ValueError(f"target {target} has the same value ({row[0]}) for all {len(row)} training rows")
            if not (np.isfinite(mean) and SMALLEST_SD <= sd < np.inf):
                limits = f"{row.min():g} to {row.max():g}, too far or too near for its mean and standard deviation"
                raise ValueError(f"target {target} goes from {limits}; scale it, best to between 0.001 and 1,000")
        seeds = seed if isinstance(seed, Sequence) else [seed] * len(equations)
        if len(seeds) != len(equations):
            raise ValueError(f"{len(seeds)} seeds for {len(equations)} targets; give one for all, or one for each")
        return cls(table, equations, raw, means, sds, tuple(map(read_seed, seeds)), preset, *configs)

    def train(self, encoder: Encoder[Any], graphs: Any, progress: bool, loss: HeadLoss | None = None) -> Network:
        """Train the P networks side by side on the graphs of the table's rows; `loss`: of the head, if not squared."""
        stack = Network(encoder, self.network, self.seeds)
        standardised = torch.from_numpy((self.raw - self.means[:, None]) / self.sds[:, None]).float()
        train_network(stack, graphs, standardised, self.training, self.seeds[0], progress, loss)
        return stack

    def predictors(self, stack: Network, moments: Sequence[Moments | None]) -> list[Predictor]:
        """Return the members of a trained stack, which remember how they were made."""
        provenance = {"preset": self.preset, "training": asdict(self.training), "data": self.table.describe(),
                      TRAINED_ON: " ".join(sorted(self.table.digests())), "torch": torch.__version__}  # fmt: skip
        members = enumerate(zip(self.equations, self.means, self.sds, moments, self.seeds, strict=True))
        return [Predictor(member_of(stack, n), str(target), float(mean), float(sd), those, provenance | {"seed": seed})
                for n, (target, mean, sd, those, seed) in members]  # fmt: skip


def train_network(
    network: Network, graphs: Any, targets: Tensor, config: TrainingConfig, seed: int, progress: bool = False,
    loss_of_head: HeadLoss | None = None,
) -> None:  # fmt: skip
    """Train P stacked networks in place on standardised targets [P, N]; the order of batches depends on the seed."""
    steps = config.epochs * -(-len(graphs) // config.batch_size)
    parameters = list(network.parameters())
    weights = _in_one_tensor(parameters)
    optimiser = torch.optim.AdamW([weights], lr=config.learning_rate, weight_decay=config.weight_decay, fused=True)
    one_cycle, rate = config.schedule == "one_cycle", config.learning_rate
    scheduler = OneCycleLR(optimiser, rate, total_steps=steps + 1) if one_cycle else None
    rng = np.random.default_rng([seed, 1])
    network.train()
    if config.frozen_statistics:
        network.norms.eval()
    for epoch in progress_bar(range(config.epochs), desc="training", unit="epoch", disable=not progress):
        order = torch.from_numpy(rng.permutation(len(graphs)))
        batches = graphs.take(order).split(config.batch_size)
        for batch, truth in zip(batches, torch.split(targets[:, order], config.batch_size, dim=1), strict=True):
            predicted, norms = network(batch)
            if not torch.isfinite(norms).all():
                raise ValueError(f"training diverged in epoch {epoch + 1}: norms are not finite; lower learning_rate")
            error = loss_of_head(predicted, truth) if loss_of_head else (predicted - truth).square().mean(1)
            loss = (error + config.rank_weight * rank_loss(norms, truth, config.rank_loss)).sum()
            gradients = torch.autograd.grad(loss, parameters)
            joined = torch.cat([g.flatten(1) for g in gradients], dim=1)  # [P, numbers], each row of its own norm
            weights.grad = joined * (config.gradient_clip / (joined.norm(dim=1, keepdim=True) + 1e-6)).clamp(max=1.0)
            optimiser.step()
            if scheduler:
                scheduler.step()
        if not torch.isfinite(loss):
            raise ValueError(f"training diverged in epoch {epoch + 1}: the loss is {loss.item()}; lower learning_rate")
    network.eval()


def _in_one_tensor(parameters: Sequence[nn.Parameter]) -> nn.Parameter:
    """Return the parameters of P stacked networks side by side, [P, numbers], of which they become views.

    An optimiser then takes one step instead of one for every parameter.
    """
    weights = nn.Parameter(torch.cat([p.detach().flatten(1) for p in parameters], dim=1))
    views = torch.split(weights.detach(), [p[0].numel() for p in parameters], dim=1)
    for parameter, view in zip(parameters, views, strict=True):
        parameter.data = view.view(parameter.shape)
    return weights


def member_of(stack: Network, place: int) -> Network:
    """Take one predictor's network out of a stack, as a stack of one."""
    single = Network(stack.encoder, stack.config, seeds=[0])
    single.load_state_dict({name: tensor[[place]].clone() for name, tensor in stack.state_dict().items()})
    return single.eval()


def _hop_moments(network: Network, graphs: LayerGraphs) -> npt.NDArray[np.float64]:
    """Mean and standard deviation (ddof 1) over all nodes of the L1 norm of their embeddings, [P, hops + 1, 2]."""
    with torch.inference_mode():
        norms = [[h.abs().sum(2) for h in network.node_embeddings(batch)] for batch in graphs.split(1024)]
    hops = torch.stack([torch.cat(parts, dim=1) for parts in zip(*norms, strict=True)], dim=1).double()
    return torch.stack([hops.mean(2), hops.std(2)], dim=2).numpy()


def _unit_target_moments(
    space: SequenceSpace, depths: npt.NDArray[np.int64], target: npt.NDArray[np.float64]
) -> dict[tuple[int, int], tuple[float, float]]:
    """Mean and standard deviation (ddof 0) of the target over architectures whose scoring group has a given depth."""
    moments = {}
    for number, group in enumerate(space.scoring_groups):
        layers = depths[:, group.units].sum(1)
        for depth in np.unique(layers):
            chosen = target[layers == depth]
            moments[number, int(depth)] = (float(chosen.mean()), float(chosen.std()))
    return moments
