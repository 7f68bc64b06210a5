"""Lab 3: score modules and build a network for a budget between the ends of the frontier."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch

from autobuild_book.dominance import best_within
from autobuild_book.labs import judging
from autobuild_book.labs.answers import check, filled_in, instance, listed, numbers
from autobuild_book.labs.hints import MODULES as HINTS
from autobuild_book.labs.notebooks import Checks
from autobuild_book.labs.verdicts import AnswerError, Array, Mistake, Right, compare, require
from autobuild_lib.graphs import layer_graphs_from_codes
from autobuild_lib.predictor import Predictor
from autobuild_lib.spaces import SpaceError
from autobuild_lib.units.corpus import UnitCorpus
from autobuild_lib.values import shown

CHOICES = (2, 3, 4, 5)  # of an expansion or a kernel, in exercise 1
SMALLEST_K = range(13, 25)  # in exercise 4: below, K is also what the mistake 3 ** K leads to
UNITS = 5
K = 3  # best modules of each unit, in exercises 5 and 6


@dataclass(frozen=True)
class Unit:
    """A unit of exercise 1: its numbers of layers, and what each layer chooses from."""

    fewest: int
    most: int
    expansions: int
    kernels: int


class Lab(Checks):
    """The checks of lab 3, and what its exercises are about."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__(seed)
        rng = np.random.default_rng(seed)
        self.table = judging.table(seed)
        fewest = int(rng.integers(2, 4))
        self.unit_of_exercise_1 = Unit(fewest, fewest + 2, *(int(n) for n in rng.choice(CHOICES, 2, replace=False)))
        self.unit = int(rng.integers(1, UNITS - 1))  # of exercise 2; units count from 0
        self.module = ",".join(f"e{rng.choice([3, 4, 6])}_k{rng.choice([3, 5, 7])}" for _ in range(3))
        self.more_than = round_number(rng, int(rng.choice(SMALLEST_K)))  # in exercise 4

    def module_norms(self, predictor: Predictor) -> Array:
        """Return the L1 norm of the last layer's embedding in the isolated module, at every hop: [hops + 1]."""
        space = predictor.space
        group = space.scoring_groups[self.unit]
        codes = group.isolated(group.parse([self.module]), bytes(len(space.global_features)))
        with torch.no_grad():
            levels = predictor.network.node_embeddings(layer_graphs_from_codes(space, codes))
            return torch.stack([level[0, -1].abs().sum() for level in levels]).double().numpy()

    def target_moments(self, predictor: Predictor) -> Array:
        """Return mean and standard deviation of the target by unit and number of layers: [units, layers, 2]."""
        require(predictor.moments is not None, "This predictor has no moments: train it with ab.fit.", "form")
        units: Mapping[tuple[int, int], tuple[float, float]] = predictor.moments.units  # type: ignore[union-attr]
        moments = np.full((*(1 + np.max(list(units), axis=0)), 2), np.nan)
        for place, pair in units.items():
            moments[place] = pair
        return moments

    def frontier(self) -> judging.Frontier:
        """Return the frontier of the table: accuracy against GPU latency."""
        return judging.frontier(self.seed)

    def budget(self, norm: UnitCorpus, effect: UnitCorpus) -> float:
        """Return the GPU latency, in ms, half way between the clusters of two scores, to two digits."""
        return round(float(np.mean([_cluster(corpus)["latency_gpu"].mean() for corpus in (norm, effect)])), 2)

    @check
    def contents(self, answer: Any) -> Right:
        """Check exercise 1: the number of contents of a unit."""
        unit = self.unit_of_exercise_1
        depths, choices = range(unit.fewest, unit.most + 1), unit.expansions * unit.kernels

        def over(layers: range, choices: int = choices) -> int:
            return sum(choices**layer for layer in layers)

        right = over(depths)
        mistakes = [
            Mistake("deepest", choices**unit.most),
            Mistake("shallowest", choices**unit.fewest),
            Mistake("added", choices * sum(depths)),
            Mistake("all units", UNITS * right),
            Mistake("all units", right**UNITS),
            Mistake("any depth", over(range(1, unit.most + 1))),
            Mistake("any depth", over(range(unit.most + 1))),
            Mistake("one choice", over(depths, unit.expansions)),
            Mistake("one choice", over(depths, unit.kernels)),
            Mistake("one power", sum(unit.expansions**layers * unit.kernels for layers in depths)),
            Mistake("one power", sum(unit.expansions * unit.kernels**layers for layers in depths)),
            Mistake("sum of powers", over(depths, unit.expansions) + over(depths, unit.kernels)),
            Mistake("sum of choices", over(depths, unit.expansions + unit.kernels)),
            Mistake("product of depths", choices ** sum(depths)),
            Mistake("power turned round", sum(layers**choices for layers in depths)),
            Mistake("last left out", over(range(unit.fewest, unit.most))),
            Mistake("one layer", choices),
        ]
        real = sum(9**layers for layers in (2, 3, 4))
        praise = f"The real units, of 2 to 4 layers with 3 x 3 choices, have {real:,}: {UNITS * real:,} modules in all."
        return compare(numbers(answer, 1), right, praise, mistakes, HINTS["contents"], 1e-9)

    @check
    def score(self, answer: Any, predictor: Any) -> Right:
        """Check exercise 2: the norm score of the module, in units of the target."""
        filled_in(answer)
        instance(predictor, Predictor, "a predictor")
        units, layers = self.target_moments(predictor), self.module.count(",") + 1
        norms, hop, moments = self.module_norms(predictor), layers - 1, predictor.moments.hops

        def by(hop: int = hop, unit: int = self.unit, depth: int = layers, of_hop: int | None = None) -> float:
            centre, spread = moments[hop if of_hop is None else of_hop]
            mean, sd = units[unit, depth]
            return float((norms[hop] - centre) / spread * sd + mean)

        mean, sd = units[self.unit, layers]
        centre, spread = moments[hop]
        z = (norms[hop] - centre) / spread
        mistakes = [
            Mistake("hop n", by(layers)),
            Mistake("last hop", by(len(norms) - 1)),
            Mistake("hop 0", by(0)),
            Mistake("hop 1", by(1)),
            Mistake("moments of another hop", by(of_hop=layers)),
            *(Mistake("moments of another hop", by(of_hop=other)) for other in (0, 1)),
            *(Mistake("moments of another hop", by(other, of_hop=hop)) for other in (1, layers)),
            *(Mistake("printed moments", by(norm_of, 0, 4, of_hop=1)) for norm_of in range(len(norms))),
            Mistake("parentheses", (norms[hop] - centre / spread) * sd + mean),
            Mistake("parentheses", z * (sd + mean)),
            Mistake("parentheses", norms[hop] - centre / spread * sd + mean),
            Mistake("sign", -z * sd + mean),
            Mistake("one step", z),
            Mistake("norm", norms[hop]),
            *(Mistake("another unit", by(unit=self.unit + step)) for step in (-1, 1)),
            Mistake("swapped", z * mean + sd),
            Mistake("swapped", (norms[hop] - spread) / centre * mean + sd),
            Mistake("swapped", (norms[hop] - spread) / centre * sd + mean),
            *(Mistake("another depth", by(depth=depth)) for depth in (layers - 1, layers + 1)),
            Mistake("not centred", norms[hop] / spread * sd + mean),
            Mistake("no mean", z * sd),
            Mistake("divided", z / sd + mean),
            Mistake("mean subtracted", z * sd - mean),
            Mistake("mean of hops", np.mean([by(each) for each in range(len(norms))])),
            Mistake("variance", (norms[hop] - centre) / spread**2 * sd + mean),
        ]
        hints = {name: hint.format(unit=self.unit) for name, hint in HINTS["score"].items()}
        praise = "In units of the target, it competes with modules of any size."
        return compare(numbers(answer, 1), by(), praise, mistakes, hints, 1e-4)

    @check
    def best_modules(self, answer: Any, corpus: Any) -> Right:
        """Check exercise 3: for each unit a module of the highest score, as texts; of equal scores any will do."""
        filled_in(answer)
        instance(corpus, UnitCorpus, "a corpus, which ab.score_units returns")
        space, table = corpus.space, corpus.table
        texts = _texts(answer)
        count = len(space.scoring_groups)
        scores = [rows.set_index("module")["score"] for _, rows in table.groupby("unit")]
        if len(texts) != count:
            best = sorted(table.nlargest(len(texts), "score")["module"]) if texts else None
            over_all = sorted(texts) == best
            wrong = "These are the best of all modules; ask for the best" if over_all else "Give one module"
            raise AnswerError(f"{wrong} of each of the {count} units.", "over all units" if over_all else "count")
        plain = [text.replace(" ", "") for text in texts]
        for unit, text in enumerate(plain):
            try:
                space.scoring_groups[unit].parse([text])
            except SpaceError as error:
                raise AnswerError(f"{shown(text)} is not a module of unit {unit}: {error}", "form") from None
            require(text in scores[unit].index, f"{shown(text)} is not how the corpus writes a module.", "form")
        ranks = [1 + int((unit > unit[text]).sum()) for unit, text in zip(scores, plain, strict=True)]
        if max(ranks) > 1:
            raise AnswerError(*_wrong_modules(plain, ranks, scores, table))
        return Right("With K = 1, these five modules are a whole network.")

    @check
    def smallest_k(self, answer: Any) -> Right:
        """Check exercise 4: the smallest K whose reduced space of five units has more than so many networks."""
        value, limit = numbers(answer, 1)[0], self.more_than
        root = limit ** (1 / UNITS)
        require(abs(value - root) > 1e-3 or value == int(value), f"K is a whole number; {value:g} is not.", "fraction")
        require(value == int(value), f"K is a whole number; {value:g} is not.", "fraction")
        right = 1 + int(root)
        to_the_power = {base: int(np.floor(np.log(limit) / np.log(base))) for base in (3, UNITS)}
        mistakes = [
            Mistake("too small", right - 1),
            Mistake("not smallest", right + 1),
            Mistake("5 ** K", to_the_power[UNITS] + 1),
            Mistake("5 ** K", to_the_power[UNITS]),
            Mistake("3 ** K", to_the_power[3] + 1),
            Mistake("3 ** K", to_the_power[3]),
            *(Mistake("5 * K", limit / UNITS + more) for more in (0, 1)),
            *(Mistake("one unit less", int(limit ** (1 / 4)) + more) for more in (0, 1)),
            Mistake("square root", int(limit ** (1 / 2)) + 1),
            Mistake("networks", right**UNITS),
        ]
        try:
            praise = f"{right} ** {UNITS} = {right**UNITS:,}: few enough to label every one."
            return compare(np.array([value]), right, praise, mistakes, HINTS["smallest_k"], 1e-9)
        except AnswerError as error:
            networks = int(value) ** UNITS if 0 < value < 10**6 else 0
            size = f"more than {limit:,}, but so has a smaller K" if networks > limit else f"not more than {limit:,}"
            hint = f"{value:g} ** {UNITS} is {networks:,}, {size}. " if networks else ""
            raise AnswerError(
                f"{hint}{error if error.mistake or not networks else ''}".strip(), error.mistake
            ) from None

    @check
    def latencies(self, answer: Any, norm: Any, effect: Any) -> Right:
        """Check exercise 5: the mean GPU latency, in ms, of the 243 networks from either score's three best modules."""
        means = numbers(answer, 2, ["norm", "effect"])
        for corpus in (norm, effect):
            instance(corpus, UnitCorpus, "a corpus, which ab.score_units returns")
        clusters = [_cluster(corpus) for corpus in (norm, effect)]
        right = np.array([cluster["latency_gpu"].mean() for cluster in clusters])
        accuracies = np.array([cluster["acc"].mean() for cluster in clusters])
        mistakes = [
            Mistake("swapped", right[::-1]),
            Mistake("median", [cluster["latency_gpu"].median() for cluster in clusters]),
            Mistake("smallest", [cluster["latency_gpu"].min() for cluster in clusters]),
            Mistake("largest", [cluster["latency_gpu"].max() for cluster in clusters]),
            Mistake("accuracy", accuracies),
            Mistake("accuracy", 100 * accuracies),
            *(Mistake("device", [cluster[name].mean() for cluster in clusters])
              for name in ("latency_cpu", "latency_npu")),
            Mistake("sum", [cluster["latency_gpu"].sum() for cluster in clusters]),
            *(Mistake("another K", [_cluster(corpus, k)["latency_gpu"].mean() for corpus in (norm, effect)])
              for k in (1, 2, 4)),
            *(Mistake("same score", [mean, mean]) for mean in right),
        ]  # fmt: skip
        praise = f"On average {right[0]:.2f} ms and {100 * accuracies[0]:.1f} % by norm, "
        praise += f"{right[1]:.2f} ms and {100 * accuracies[1]:.1f} % by effect."
        return compare(means, right, praise, mistakes, HINTS["latencies"], 1e-4)

    @check
    def built(self, answer: Any, budget: Any) -> Right:
        """Check exercise 6: any network within the budget, in ms, that is more accurate than the table's best there."""
        networks = judging.read_networks(answer)
        limit = numbers(budget, 1)[0]
        require(
            len(networks) == 1, f"Give one network; your answer has {len(networks)}. Label them and choose.", "count"
        )
        labels, to_beat = judging.label(networks).iloc[0], best_within(self.frontier().points, limit)
        reached = f"{100 * labels['acc']:.2f} % at {labels['latency_gpu']:.2f} ms"
        of_the_table = f"the best of the table within {limit:.2f} ms has {100 * to_beat:.2f} %"
        if labels["latency_gpu"] > limit:
            raise AnswerError(f"Your network ({reached}) is beyond the budget of {limit:.2f} ms.", "beyond")
        if labels["acc"] > to_beat:
            return Right(f"{reached}; {of_the_table}.")
        require(
            networks[0] not in self.table.architectures,
            f"Your network ({reached}) is one of the table.",
            "of the table",
        )
        raise AnswerError(f"Your network has {reached}; {of_the_table}. Mix modules of both clusters: some large, "
                          "some small.", "not accurate")  # fmt: skip


def round_number(rng: np.random.Generator, smallest_k: int) -> int:
    """Return a number of two digits and zeros that is exceeded by the networks of this K, and of no smaller one."""
    low, high = (smallest_k - 1) ** UNITS, smallest_k**UNITS
    step = int(10 ** (len(str(high)) - 2))
    return step * int(rng.integers(low // step + 1, (high - 1) // step + 1))


def _cluster(corpus: UnitCorpus, k: int = K) -> pd.DataFrame:
    return judging.label(list(corpus.top(k)))


def _wrong_modules(texts: list[str], ranks: list[int], scores: list[pd.Series], table: pd.DataFrame) -> tuple[str, str]:
    """Say what is wrong with modules of which some are not the best of their units."""
    if all(unit[text] == unit.min() for unit, text in zip(scores, texts, strict=True)):
        return "These have the lowest scores: sort the other way round.", "lowest"
    if sorted(texts) == sorted(str(unit.idxmax()) for unit in scores):
        return "Your modules are right, but not in the order of the units: unit 0 first.", "order"
    if len(set(texts)) == 1:
        return "One module for all units: the best of each unit is asked for.", "one for all"
    if sorted(texts) == sorted(table.nlargest(len(texts), "score")["module"]):
        return "These are the best of all modules; ask for the best of each unit.", "over all units"
    if all(text == scores[0].sort_values(ascending=False).index[place] for place, text in enumerate(texts)):
        return "These are the best five of unit 0; ask for the best of each unit.", "of unit 0"
    unit = next(place for place, rank in enumerate(ranks) if rank > 1)
    return f"{texts[unit]} is number {ranks[unit]:,} of unit {unit}, by its score.", ""


def _texts(answer: Any) -> list[str]:
    if isinstance(answer, str):
        return answer.split("|")
    if isinstance(answer, pd.DataFrame) and "module" in answer:
        answer = answer["module"]
    hint = "Give modules as texts, such as the column module of the corpus's table has them."
    values = listed(answer.values() if isinstance(answer, Mapping) else answer, hint)
    for value in values:
        require(isinstance(value, str), f"{hint} {shown(value)} is none.", "form")
    return values
