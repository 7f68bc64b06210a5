"""How searches of the chapter move: stages with the structure as one more, and regularised evolution for one label."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from autobuild_book.chapters.shared.tournaments import Tournaments
from autobuild_lib.search import Mutation
from autobuild_lib.search.mutations import choose_stages
from autobuild_lib.spaces import Codes, SequenceSpace
from autobuild_lib.spaces.layout import LINKS
from autobuild_lib.units.reduced import GroupContents, ReducedSpace

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class StructureMutation:
    """Stage-level mutation where the structure is one more stage; every choice of a stage is equally likely.

    contents: modules of every unit. heads: codes of the structures, [structures, head width].
    """

    contents: ReducedSpace
    heads: Codes
    probability: float = 0.5

    @classmethod
    def full(cls, space: SequenceSpace) -> "StructureMutation":
        """All structures and modules of a space."""
        return cls.of([ReducedSpace.full(space, **{LINKS: name}) for name, _ in space.links])

    @classmethod
    def of(cls, spaces: Sequence[ReducedSpace]) -> "StructureMutation":
        """All structures of some reduced spaces, and in every unit all of their modules."""
        heads = list(dict.fromkeys(space.head for space in spaces))
        first, *others = (tuple(group.codes for group in space.groups) for space in spaces)
        units = zip(first, *others, strict=True)
        groups = [np.unique(np.concatenate(codes), axis=0) for codes in units]
        contents = tuple(GroupContents(codes, np.zeros(len(codes))) for codes in groups)
        some = ReducedSpace(spaces[0].space, heads[0], contents)
        return cls(some, np.array([np.frombuffer(head, np.uint8) for head in heads]))

    @property
    def space(self) -> SequenceSpace:
        """The space that the codes belong to."""
        return self.contents.space

    @property
    def sizes(self) -> npt.NDArray[np.int64]:
        """How many structures there are, and how many modules in every unit."""
        return np.array([len(self.heads), *map(len, self.contents.groups)])

    def sample(self, rng: np.random.Generator, size: int) -> Codes:
        """Draw architectures, uniformly."""
        return self._at(rng.integers(self.sizes, size=(size, len(self.sizes))))

    def mutate(self, rng: np.random.Generator, codes: Codes) -> Codes:
        """Return a changed copy of each architecture [N, code_width]: at least one stage gets another choice."""
        sizes, width = self.sizes, self.heads.shape[1]
        structures = (codes[:, None, :width] == self.heads[None]).all(2).argmax(1)
        same_head = np.hstack([np.tile(self.heads[0], (len(codes), 1)), codes[:, width:]])
        places = np.column_stack([structures, self.contents.positions(same_head)])
        chosen = choose_stages(rng, len(codes), np.where(sizes > 1, self.probability, 0.0))
        others = (places + 1 + rng.integers(np.maximum(sizes - 1, 1), size=places.shape)) % sizes
        return self._at(np.where(chosen, others, places))

    def _at(self, places: npt.NDArray[np.int64]) -> Codes:
        codes = self.contents.at(places[:, 1:])
        codes[:, : self.heads.shape[1]] = self.heads[places[:, 0]]
        return codes


def regularised_evolution(
    mutation: Mutation, values: Callable[[Codes], Array], rng: np.random.Generator, budget: int,
    population: int = 50, tournament: int = 10,
) -> Codes:  # fmt: skip
    """Search for the highest value by aging evolution (Real et al., 2019), and return all that it evaluated, in order.

    Starts with a random population. Then, again and again, the best of a random tournament is mutated, and the oldest
    member of the population makes room. Nothing is evaluated twice: a repeat of an earlier network is drawn anew.

    Args:
        mutation: how to draw and to change.
        values: of networks given by their codes, [N]; the search maximises them. NaN never wins.
        rng: of all draws.
        budget: number of evaluations; population, tournament: sizes.
    """
    search = Tournaments(
        draw=lambda rng: mutation.sample(rng, 1),
        change=lambda rng, parent: mutation.mutate(rng, parent),
        key=lambda code: mutation.space.canonical_codes(code).tobytes(),
        value=lambda code: float(values(code)[0]),
        population=population,
        rivals=tournament,
    )
    return np.concatenate(search.run(rng, budget))
