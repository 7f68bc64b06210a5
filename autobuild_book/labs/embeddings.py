"""Lab 1: reading embeddings, soft ranks and the ranking loss by hand."""

from typing import Any

import numpy as np
import numpy.typing as npt

from autobuild_book.labs import usual
from autobuild_book.labs.answers import call, check, numbers, read_numbers
from autobuild_book.labs.hints import EMBEDDINGS as HINTS
from autobuild_book.labs.notebooks import Checks
from autobuild_book.labs.usual import ENOUGH, FEATURES
from autobuild_book.labs.verdicts import AnswerError, Right, compare, name_of_mistake, require


class Lab(Checks):
    """The checks of lab 1, and what its exercises are about."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__(seed)
        material = usual.material(seed)
        self.categories, self.nodes, self.values = material.categories, material.nodes, material.values
        self.norms, self.targets, self._pairs = material.norms, material.targets, material.pairs

    @check
    def node_embedding(self, answer: Any) -> Right:
        """Check exercise 1: the hop-0 embedding of a node, three numbers in the order of the table."""
        right, mistakes = usual.node_embeddings(self.categories)
        praise = "Each coordinate belongs to one feature, and depends on the value of that feature only."
        return compare(numbers(answer, 3, FEATURES), right, praise, mistakes, HINTS["node_embedding"], places=FEATURES)

    @check
    def graph_norm(self, answer: Any) -> Right:
        """Check exercise 2: the L1 norm of a graph embedding, the mean over nodes."""
        praise = (
            "Without negative entries this is also the mean of the nodes' own norms: length adds up over a network."
        )
        right, mistakes = usual.graph_norms(self.nodes)
        return compare(numbers(answer, 1), right, praise, mistakes, HINTS["graph_norm"])

    @check
    def hard_ranks(self, answer: Any) -> Right:
        """Check exercise 3: the ranks of five values, 1 for the smallest."""
        right, mistakes = usual.hard_ranks(self.values)
        praise = "Moving a value a little changes no rank: hard ranks have no gradient."
        return compare(numbers(answer, 5), right, praise, mistakes, HINTS["hard_ranks"])

    @check
    def soft_rank_pair(self, function: Any) -> Right:
        """Check exercise 4: a function of a, b and the strength that returns the soft ranks of (a, b)."""
        ranks = np.array([numbers(call(function, *pair), 2) for pair in self._pairs])
        right, mistakes = usual.soft_ranks_of_pairs(self._pairs)
        wrong = np.flatnonzero(~np.isclose(ranks, right.reshape(-1, 2), atol=1e-3).all(axis=1))
        first = int(wrong[0]) if len(wrong) else 0
        try:
            praise = "Inside the segment both ranks move with the values, and this is what gives a gradient."
            return compare(ranks.ravel(), right, praise, mistakes, HINTS["soft_rank_pair"], 5e-4)
        except AnswerError as error:
            case = f"For a, b, strength = {self._pairs[first]} you return {ranks[first].round(4).tolist()}"
            total = ranks[first].sum()
            why = "which is not the nearest" if abs(total - 3) < 1e-3 else f"which adds up to {total:.3g}; 1 + 2 is 3"
            require(error.mistake, f"{case}, {why}.")
            raise

    @check
    def largest_strength(self, answer: Any) -> Right:
        """Check exercise 5: the largest strength at which the soft ranks of the five values are hard."""
        right, mistakes = usual.strengths(self.values)
        is_printed = name_of_mistake(numbers(answer, 1), usual.printed(self.values)[1]) == "printed"
        require(not is_printed, HINTS["largest_strength"]["printed"], "printed")
        praise = "All gaps between neighbours must be at least the strength; the narrowest decides."
        return compare(numbers(answer, 1), right, praise, mistakes, HINTS["largest_strength"])

    @check
    def ranking_loss(self, answer: Any) -> Right:
        """Check exercise 6: the ranking loss of one hop for five networks."""
        right, mistakes = usual.losses(self.norms, self.targets)
        return compare(
            numbers(answer, 1),
            right,
            "Networks in the wrong order make most of this loss.",
            mistakes,
            HINTS["ranking_loss"],
        )

    @check
    def better_norms(self, answer: Any) -> Right:
        """Check exercise 7: any five positive norms whose ranking loss is at most `ENOUGH`."""
        norms = numbers(answer, 5)
        require((norms > 0).all(), "Norms are lengths: all of them must be above 0.", "negative")
        require(np.ptp(norms) > 1e-6, "All your norms are equal, and equal norms rank nothing.", "equal")
        order = np.argsort(self.targets)
        steps = np.diff(norms[order])
        require(
            (steps >= 0).any(),
            "Your norms fall as the targets rise: a better network needs a longer norm.",
            "descending",
        )
        wrong = np.flatnonzero(steps <= 0)
        if len(wrong):
            low, high = order[wrong[0]], order[wrong[0] + 1]
            raise AnswerError(
                f"Network {high} has a higher target than network {low} (counted from 0), but no higher norm: "
                f"{norms[high]:g} and {norms[low]:g}.", "order",
            )  # fmt: skip
        loss = usual.loss_of(norms, self.targets)
        if loss <= ENOUGH:
            return Right(
                f"The loss is {loss:.6f}. In norms that lie close together, spacing counts and not only order."
            )
        lies = f"The order is right, but the loss is {loss:.4f}"
        require((steps < 1).any(), f"{lies}: norms at least 1 apart have the soft ranks 1, 2, ..., evenly spaced. "
                "The targets are not.", "far apart")  # fmt: skip
        raise AnswerError(f"{lies}: their soft ranks do not follow the gaps between the targets.", "spacing")

    @check
    def losses_by_hop(self, answer: Any, norms: npt.ArrayLike, targets: npt.ArrayLike) -> Right:
        """Check exercise 8: the ranking loss at every hop, for norms [hops + 1, n] and targets [n]."""
        levels, values = np.asarray(norms, np.float64), np.asarray(targets, np.float64)
        right, mistakes = usual.losses_by_hop(levels, values)
        asked = f"Give the loss of each hop: {len(levels)} numbers, from hop 0 on."
        losses = read_numbers(answer)
        require(len(losses) != 1, f"That is one number; its mean over hops is what training sees. {asked}", "count")
        praise = f"Hop {int(right.argmin())} has the lowest loss here, {right.min():.3f}."
        places = [f"The loss of hop {hop}" for hop in range(len(levels))]
        return compare(numbers(losses, len(levels)), right, praise, mistakes, HINTS["ranking_loss"], places=places)
