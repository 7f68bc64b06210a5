"""What a network asks of its encoder: how inputs become graphs, and what each hop needs to know about them."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

import torch
from torch import Tensor, nn

Input = TypeVar("Input")  # of a predictor


class Graphs(Protocol):
    """Graphs that a network takes: any number, in any order, cut into batches."""

    def __len__(self) -> int: ...

    def take(self, graphs: Tensor) -> Self:
        """Return some graphs, in that order."""

    def split(self, size: int) -> Iterable[Self]:
        """Cut into consecutive batches of `size` graphs (the last may be smaller)."""


@dataclass(frozen=True)
class Hop:
    """One hop over a batch of graphs, whose rows are nodes, or classes of equal ones.

    edges: what the encoder's convolutions take beside embeddings. pool: [P, rows, C] -> [P, graphs, C].
    counts: [rows], nodes that each row stands for, one each by default.
    kept: [P, rows of the hop before, C] -> [P, rows, C], the rows' embeddings at the hop before.
    """

    edges: Any
    pool: Callable[[Tensor], Tensor]
    counts: Tensor | None = None
    kept: Callable[[Tensor], Tensor] = lambda h: h


class Encoder(ABC, Generic[Input]):
    """How inputs become graphs, and with which layers a network reads them."""

    FORMATS: ClassVar[tuple[str, ...]]  # names of saved predictors, from the first version on
    CONVOLUTIONS: ClassVar[Mapping[str, Callable[..., nn.Module]]]
    POOLINGS: ClassVar[tuple[str, ...]]
    CHUNK: ClassVar[int]  # inputs evaluated at once, few enough for the processor's cache
    categories: Any  # channels of hop 0

    def check_pooling(self, pooling: str) -> None:
        """Raise `ValueError` for a pooling that is not for these graphs."""
        if pooling not in self.POOLINGS:
            allowed = ", ".join(self.POOLINGS)
            raise ValueError(f"pooling={pooling!r} is not for {type(self).__name__}; choose from {allowed}")

    @abstractmethod
    def features(self, seeds: Sequence[torch.Generator]) -> nn.Module:
        """Return an untrained hop 0."""

    @abstractmethod
    def read(self, inputs: Sequence[Input]) -> Any:
        """Check inputs; what is returned can be cut, and goes to `graphs`."""

    @abstractmethod
    def graphs(self, inputs: Any, hops: int) -> Any:
        """Return the `Graphs` of what `read` returned."""

    def values(self, graphs: Any) -> Any:
        """Return what hop 0 reads."""
        return graphs

    @abstractmethod
    def hops(self, graphs: Any, hops: int, pooling: str) -> Sequence[Hop]:
        """Return what hops 0 to `hops` need to know about a batch."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Return what tells this encoder from others, fit for JSON."""

    @classmethod
    @abstractmethod
    def from_json(cls, config: Mapping[str, Any]) -> Self:
        """Read what `to_json` gave, from a configuration that may have more."""
