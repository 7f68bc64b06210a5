"""What the recipe for ranks owes to each of its parts, measured on validation rows of training sets.

A training set is drawn, seven tenths of it are learnt from, and the rest is ranked. No other row of a table is seen.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import torch

from autobuild_book.chapters.shared.models.features import GRAF
from autobuild_book.chapters.shared.models.learners import FOREST_CANDIDATES, Forest
from autobuild_book.chapters.shared.models.on_features import FeatureModel
from autobuild_book.chapters.shared.models.on_ranks import OnRanks
from autobuild_book.chapters.shared.models.registry import FORESTS, MEMBER
from autobuild_book.chapters.shared.splits import drawn_rows
from autobuild_book.chapters.trained.effects import GRAPHS, trained_table
from autobuild_book.chapters.trained.pair_losses import lambdarank, ranknet, squared_and_lambdarank
from autobuild_book.measured.parts import key_of
from autobuild_book.measured.sections import Section
from autobuild_lib import data
from autobuild_lib.data.table import Table
from autobuild_lib.engine.layers import LayerEncoder
from autobuild_lib.engine.passing import Messages, Pooling
from autobuild_lib.graphs import LayerGraphs
from autobuild_lib.spaces import Codes, SequenceSpace
from autobuild_lib.statistics import srcc
from autobuild_lib.targets import Target
from autobuild_lib.torch_settings import one_thread, plain_torch
from autobuild_lib.training import Course, HeadLoss, configure

MEMBERS = 5
LEARNT = 0.7  # of the rows that are drawn
SEED = 1000  # of the first draw: none that any other section takes
Predictions = np.ndarray[Any, np.dtype[np.float64]]
FIRST = 5  # networks that somebody would evaluate
COLUMNS = ["source", "variant", "size", "seed", "member", "ensemble", "better"]


class BothWays(LayerEncoder):
    """Layers that read those after them, too."""

    def graphs(self, inputs: Codes, hops: int) -> LayerGraphs:
        """Return the graphs of some codes, each edge in both directions."""
        graphs = super().graphs(inputs, hops)
        node = torch.repeat_interleave(graphs.degrees)
        source, other = node - graphs.steps, graphs.steps != 0
        reader, read = torch.cat([node, source[other]]), torch.cat([source, node[other]])
        order = torch.argsort(2 * reader + (reader != read), stable=True)  # a node's own entry comes first
        degrees = torch.bincount(reader, minlength=len(graphs.kind))
        return replace(graphs, degrees=degrees, steps=(reader - read)[order])


class Leaves(LayerEncoder):
    """Layers that nobody reads are all that the head sees."""

    def structure(self, graphs: LayerGraphs, hops: int) -> tuple[list[Messages], list[Pooling]]:
        """Return what nodes read, and which nodes the graphs have: at the last hop the leaves alone."""
        messages, poolings = super().structure(graphs, hops)
        sources = torch.repeat_interleave(graphs.degrees) - graphs.steps
        is_read = torch.zeros(len(graphs.kind), dtype=torch.bool)
        is_read[sources[graphs.steps != 0]] = True
        leaves = (~is_read).nonzero().flatten()
        counts = torch.bincount(torch.repeat_interleave(graphs.lengths)[leaves], minlength=len(graphs))
        return messages, [*poolings[:-1], Pooling.of(counts, leaves, torch.ones(len(leaves)))]


def without_links(table: Table) -> Table:
    """Return the same rows in a space without links, where a network's structure is a feature of all its layers."""
    space = table.space
    names = [name for name, _ in space.links]
    path = SequenceSpace(space.name, space.units, dict(space.layer_features), {"structure": names})
    records = []
    for architecture, label in zip(table.architectures, table.labels["acc"], strict=True):
        written = path.architecture(architecture.to_lists(), structure=architecture.global_features["links"])
        records.append((written, {"acc": float(label)}))
    return data.from_records(path, records)


@dataclass(frozen=True)
class Variant:
    """One way to train: what differs from the recipe.

    loss: of the head, if not squared errors. It leaves scales free, so members are standardised before their mean.
    """

    options: dict[str, Any]
    target: str = "ranks(acc)"
    encoder: Callable[[SequenceSpace], LayerEncoder] = LayerEncoder
    table: Callable[[Table], Table] = lambda table: table
    loss: HeadLoss | None = None


VARIANTS = {
    "the recipe": Variant({}),
    "accuracy instead of ranks": Variant({}, "acc"),
    "ranking loss, weight 1 (the paper's)": Variant({"rank_weight": 1.0}),
    "ranking loss, weight 0.1": Variant({"rank_weight": 0.1}),
    "pairs instead of squared errors": Variant({}, loss=ranknet),
    "LambdaRank instead of squared errors": Variant({}, loss=lambdarank),
    "LambdaRank beside squared errors": Variant({}, loss=squared_and_lambdarank),
    "40 epochs": Variant({"epochs": 40}),
    "160 epochs": Variant({"epochs": 160}),
    "batches of 16": Variant({"batch_size": 16}),
    "batches of 64": Variant({"batch_size": 64}),
    "GATv2 (the paper's)": Variant({"convolution": "gatv2"}),
    "mean pooling (the paper's)": Variant({"pooling": "mean"}),
    "two hops": Variant({"hops": 2}),
    "links in both directions": Variant({}, encoder=BothWays),
    "only leaves are read": Variant({}, encoder=Leaves),
    "structure as a feature, no links": Variant({}, table=without_links),
}


def forest_name(forest: Forest) -> str:
    """Return the name that the rows give a forest."""
    registered = ", the registry's" if forest == FORESTS[(GRAF,)] else ""
    return f"forest on ranks: {forest.share_of_columns:g} of the columns, leaves of {forest.fewest_in_leaf}{registered}"


# The candidates of chapter 8: there they were compared on surrogate labels, here on the rows that the recipe saw.
CANDIDATES = {forest_name(forest): forest for forest in FOREST_CANDIDATES}


@dataclass(frozen=True)
class Ablation:
    """One variant, or forest, on one table: rows drawn by a seed, most learnt from, the others ranked."""

    source: str
    variant: str
    size: int
    seed: int

    @property
    def key(self) -> str:
        """Changes with the rows of the table and with the recipe."""
        facts = [self.variant, repr(MEMBER), MEMBERS, self.size, self.seed]
        return key_of("ablation", self.source, trained_table(self.source).sha256, *facts)

    @property
    def estimate(self) -> float:
        """Seconds on one core, roughly."""
        return 0.8 if self.variant in CANDIDATES else 6.0

    def measure(self) -> pd.DataFrame:
        """Return one row: rank correlations of validation rows, the mean over members, and of their mean.

        Its last number, `better`, is of their mean, too: see `share_better`.
        """
        table = trained_table(self.source)
        drawn = table.take(drawn_rows(len(table), self.size, SEED + self.seed))
        order = np.random.default_rng([SEED, self.seed]).permutation(self.size)
        first = round(LEARNT * self.size)
        learnt, others = drawn.take(np.sort(order[:first])), drawn.take(np.sort(order[first:]))
        with one_thread():
            predicted = self.predictions(learnt, others)
        truth = others.evaluate(Target("acc"))
        single = np.mean([srcc(row, truth) for row in predicted])
        joint = predicted.mean(0)
        judged = single, srcc(joint, truth), share_better(joint, truth)
        row = (self.source, self.variant, self.size, self.seed, *judged)
        return pd.DataFrame([row], columns=COLUMNS)

    def predictions(self, learnt: Table, others: Table) -> Predictions:
        """Learn from some rows, and return what each member says of others, [members, N]; a forest is one member."""
        if self.variant in CANDIDATES:
            model = OnRanks(self.variant, FeatureModel(self.variant, (GRAF,), CANDIDATES[self.variant]))
            (fitted,) = model.fit_many(learnt, ["acc"], self.seed)
            return fitted.predict(others.architectures)[None]
        variant = VARIANTS[self.variant]
        return predictions(variant, variant.table(learnt), variant.table(others))


@plain_torch(gradients=True)
def predictions(variant: Variant, learnt: Table, others: Table) -> Predictions:
    """Train the members side by side on some rows, and return what each says of others, [members, N]."""
    config = configure(MEMBER.preset, {**dict(MEMBER.overrides), **variant.options})
    encoder = variant.encoder(learnt.space)
    course = Course.of(learnt, [variant.target] * MEMBERS, range(MEMBERS), MEMBER.preset, config)
    graphs = [encoder.graphs(encoder.read(table.architectures), course.network.hops) for table in (learnt, others)]
    stack = course.train(encoder, graphs[0], False, variant.loss)
    with torch.inference_mode():
        predicted: Predictions = stack(graphs[1])[0].double().numpy()
    return predicted if variant.loss is None else standardised(predicted)


def standardised(predicted: Predictions) -> Predictions:
    """Return predictions [members, N] with mean 0 and standard deviation 1 for each member; constant ones become 0."""
    centred: Predictions = predicted - predicted.mean(1, keepdims=True)
    spread = centred.std(1, keepdims=True)
    centred /= np.where(spread > 0, spread, 1)
    return centred


def share_better(predicted: Predictions, truth: Predictions) -> float:
    """Return the share of networks that are better than the best of the five predicted best."""
    first = np.argsort(-predicted, kind="stable")[:FIRST]
    return float((truth > truth[first].max()).mean())


def plan(sizes: Sequence[int], seeds: Sequence[int]) -> list[Ablation]:
    """Return a part per seed, size, table and variant or forest."""
    sources, names = [f"nas-bench-graph:{name}" for name in GRAPHS], (*VARIANTS, *CANDIDATES)
    return [Ablation(source, name, size, seed)
            for seed in seeds for size in sizes for source in sources for name in names]  # fmt: skip


WHAT = "what the recipe for ranks owes to each of its parts"
SECTION = Section("trained", "ablation", WHAT, plan, (143,), tuple(range(5)))
