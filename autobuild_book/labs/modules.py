"""Checks of lab 3: score modules and build a network that beats the table."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch

from autobuild_book.chapters.shared.dominance import dominates
from autobuild_book.labs.answers import (
    AnswerError,
    Array,
    Mistake,
    Right,
    check,
    compare,
    filled_in,
    listed,
    numbers,
    require,
)
from autobuild_book.labs.judging import beats_the_table, costs_of, frontier, label, read_networks
from autobuild_lib.graphs import layer_graphs_from_codes
from autobuild_lib.predictor import Predictor
from autobuild_lib.spaces import SpaceError
from autobuild_lib.units.corpus import UnitCorpus
from autobuild_lib.values import shown

UNIT, MODULE = 2, "e6_k7,e3_k3,e4_k5"  # of exercise 2; units count from 0
MORE_THAN = 1_000_000  # networks, in exercise 4


def module_norms(predictor: Predictor, unit: int, module: str) -> Array:
    """Return the L1 norm of the last layer's embedding in an isolated module, at every hop: [hops + 1]."""
    space = predictor.space
    group = space.scoring_groups[unit]
    graphs = layer_graphs_from_codes(space, group.isolated(group.parse([module]), bytes(len(space.global_features))))
    with torch.no_grad():
        levels = [h[0, -1].abs().sum() for h in predictor.network.node_embeddings(graphs)]
    return torch.stack(levels).double().numpy()


@check
def contents(answer: Any) -> Right:
    """Check exercise 1: the number of contents of a unit of two to four layers with nine choices each."""
    mistakes = [
        Mistake(9**4, "That counts modules of four layers only; a unit may also have two or three."),
        Mistake(9 * 9, "That counts modules of two layers only; a unit may also have three or four."),
        Mistake(9 * (2 + 3 + 4), "Choices of one layer multiply with those of the next: 9 x 9 for two layers."),
        Mistake(5 * 7371, "That is all five units together; the exercise asks for one."),
        Mistake(7371 + 9, "A unit has at least two layers."),
        Mistake(3**2 + 3**3 + 3**4, "A layer chooses an expansion and a kernel: nine choices, not three."),
    ]
    return compare(numbers(answer, 1), 7371, "Five such units give 36,855 modules, scored one by one.", mistakes, 1e-9)


@check
def score(answer: Any, predictor: Predictor) -> Right:
    """Check exercise 2: the norm score of `MODULE` in unit `UNIT`, in units of the target."""
    moments, layers = predictor.moments, MODULE.count(",") + 1
    if moments is None:
        raise AnswerError("This predictor has no moments of its training split: train it with ab.fit.")
    norms, hop = module_norms(predictor, UNIT, MODULE), layers - 1

    def by(hop: int, unit: int = UNIT, depth: int = layers) -> float:
        centre, spread = moments.hops[hop]
        mean, sd = moments.units[unit, depth]
        return float((norms[hop] - centre) / spread * sd + mean)

    mean, sd = moments.units[UNIT, layers]
    z = (norms[hop] - moments.hops[hop, 0]) / moments.hops[hop, 1]
    mistakes = [
        Mistake(by(hop + 1), "You used hop 3. A module of n layers is what the last layer sees after n - 1 hops."),
        Mistake(by(len(norms) - 1), "You used the last hop. A module of n layers belongs to hop n - 1."),
        Mistake(by(0), "You used hop 0, which sees the last layer only."),
        Mistake(z, "That is the first standardisation; bring it to the scale of the target with the unit's moments."),
        Mistake(norms[hop], "That is the bare norm: standardise it twice."),
        Mistake(by(hop, UNIT - 1), "These are the target moments of unit 1; units count from 0."),
        Mistake(by(hop, UNIT + 1), "These are the target moments of unit 3; units count from 0."),
        Mistake(z * mean + sd, "Mean and standard deviation are swapped in the second step: z * sd + mean."),
        *(Mistake(by(hop, depth=n), f"These are the target moments of {n} layers; this module has 3.") for n in (2, 4)),
    ]
    praise = "In units of the target, it competes with modules of any size."
    return compare(numbers(answer, 1), by(hop), praise, mistakes, 1e-4)


@check
def best_modules(answer: Any, corpus: UnitCorpus) -> Right:
    """Check exercise 3: for each unit a module of the highest score, as texts; of equal scores any will do."""
    space, table = corpus.space, corpus.table
    count = len(space.scoring_groups)
    texts = _texts(filled_in(answer))
    require(len(texts) == count, f"Give one module for each of the {count} units; your answer has {len(texts)}.")
    for unit, text in enumerate(texts):
        scores = table[table["unit"] == unit].set_index("module")["score"]
        try:
            space.scoring_groups[unit].parse([plain := text.replace(" ", "")])
        except SpaceError as error:
            raise AnswerError(f"{shown(text)} is not a module of unit {unit}: {error}") from None
        require(plain in scores.index, f"{shown(text)} is not how the corpus writes a module.")
        rank, score = int((scores > scores[plain]).sum()) + 1, scores[plain]
        lowest = rank > 1 and score == scores.min()
        require(not lowest, f"{text} has the lowest score of unit {unit}: sort the other way round.")
        require(rank == 1, f"{text} is number {rank:,} of unit {unit}, with a score of {score:.4g}; the best has "
                f"{scores.max():.4g}. Are your modules in the order of the units?")  # fmt: skip
    return Right("With K = 1, these five modules are a whole network.")


def _texts(answer: Any) -> list[str]:
    if isinstance(answer, str):
        return answer.split("|")
    if isinstance(answer, pd.DataFrame) and "module" in answer:
        answer = answer["module"]
    hint = "Give modules as texts, such as the column module of the corpus's table has them."
    values = listed(answer.values() if isinstance(answer, Mapping) else answer, hint)
    for value in values:
        require(isinstance(value, str), f"{hint} {shown(value)} is none.")
    return values


@check
def smallest_k(answer: Any) -> Right:
    """Check exercise 4: the smallest K whose reduced space of five units has more than a million networks."""
    value = numbers(answer, 1)[0]
    require(value == int(value), f"K is a whole number; {value:g} is not.")
    mistakes = [
        Mistake(9, "You solved 5 ** K. K modules in each of 5 units give K ** 5 networks."),
        Mistake(13, "You solved 3 ** K. K modules in each of 5 units give K ** 5 networks."),
        Mistake(200_001, "You solved 5 * K. The choices of the units multiply: K ** 5."),
        Mistake(200_000, "You solved 5 * K. The choices of the units multiply: K ** 5."),
    ]
    if value in range(1, 1000) and value not in (9, 13, 16):
        hint = "not more than a million." if value**5 <= MORE_THAN else "more than a million, but so has a smaller K."
        raise AnswerError(f"{value:g} ** 5 is {value**5:,.0f}, {hint}")
    return compare(np.array([value]), 16, "16 ** 5 = 1,048,576: few enough to label every one.", mistakes, 1e-9)


@check
def beating(answer: Any) -> Right:
    """Check exercise 5: any network that dominates one on the table's frontier of accuracy and GPU latency."""
    networks = read_networks(answer)
    require(len(networks) == 1, f"Give one network; your answer has {len(networks)}. Label them and choose.")
    (point,) = costs_of(networks)
    best, labels = frontier(), label(networks).iloc[0]
    reached = f"{100 * labels['acc']:.2f} % at {labels['latency_gpu']:.2f} ms"
    require(networks[0] not in best.architectures, f"This network ({reached}) is from the table's frontier itself.")
    if beats_the_table(networks)[0]:
        beaten = best.labels[dominates(point[None], best.points)[0]].iloc[-1]
        return Right(f"{reached} beats {100 * beaten['acc']:.2f} % at {beaten['latency_gpu']:.2f} ms.")
    better = best.labels[dominates(best.points, point[None])[:, 0]]
    if len(better):
        raise AnswerError(
            f"Your network has {reached}. The table has one with {100 * better['acc'].iloc[0]:.2f} % at "
            f"{better['latency_gpu'].iloc[0]:.2f} ms. Label more of your reduced space, and look at both labels."
        )
    raise AnswerError(
        f"Your network has {reached}. Nothing in the table dominates it, but it dominates nothing either: it is new, "
        "at an end or in a gap of the frontier. Aim between the ends."
    )


@check
def latencies(answer: Any, norm: UnitCorpus, effect: UnitCorpus) -> Right:
    """Check exercise 6: the mean GPU latency, in ms, of the 243 networks from either score's three best modules."""
    means = numbers(answer, 2, ["norm", "effect"])
    clusters = [label(list(corpus.top(3))) for corpus in (norm, effect)]
    right = np.array([cluster["latency_gpu"].mean() for cluster in clusters])
    accuracies = np.array([cluster["acc"].mean() for cluster in clusters])
    mistakes = [
        Mistake(right[::-1], "The two are swapped: first the norm score, then the effect score."),
        Mistake([cluster["latency_gpu"].median() for cluster in clusters], "These are medians; the mean is asked for."),
        Mistake(accuracies, "These are accuracies; the exercise asks for latencies."),
        Mistake(100 * accuracies, "These are accuracies; the exercise asks for latencies."),
        *(Mistake([cluster[name].mean() for cluster in clusters], f"These are means of {name}; the GPU is asked for.")
          for name in ("latency_cpu", "latency_npu")),
        Mistake(243 * right, "These are sums over the networks; the mean is asked for."),
    ]  # fmt: skip
    praise = f"On average {right[0]:.2f} ms and {100 * accuracies[0]:.1f} % by norm, "
    praise += f"{right[1]:.2f} ms and {100 * accuracies[1]:.1f} % by effect."
    return compare(means, right, praise, mistakes, 5e-4)
