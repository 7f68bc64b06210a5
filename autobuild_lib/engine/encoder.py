"""What a network asks of its encoder: how inputs become graphs, and what each hop needs to know about them."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Generic, Self, TypeVar

import torch
from torch import nn

from autobuild_lib.engine.passing import Messages, Pooling

Input = TypeVar("Input")  # of a predictor


class Encoder(ABC, Generic[Input]):
    """How inputs become graphs, and with which layers a network reads them."""

    FORMATS: ClassVar[tuple[str, ...]]  # names of saved predictors, from the first version on
    CHUNK: ClassVar[int]  # inputs evaluated at once, few enough for the processor's cache
    categories: Any  # channels of hop 0

    @abstractmethod
    def features(self, seeds: Sequence[torch.Generator]) -> nn.Module:
        """Return an untrained hop 0."""

    @abstractmethod
    def read(self, inputs: Sequence[Input]) -> Any:
        """Check inputs; what is returned can be cut, and goes to `graphs`."""

    @abstractmethod
    def graphs(self, inputs: Any, hops: int) -> Any:
        """Return the graphs of what `read` returned; `take` takes some of them, and `split` makes batches."""

    def values(self, graphs: Any) -> Any:
        """Return what hop 0 reads."""
        return graphs

    @abstractmethod
    def structure(self, graphs: Any, hops: int) -> tuple[Sequence[Messages], Sequence[Pooling]]:
        """Return what rows read at hops 1 to `hops` of a batch, and which rows the graphs have at hops 0 to `hops`."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Return what tells this encoder from others, fit for JSON."""

    @classmethod
    @abstractmethod
    def from_json(cls, config: Mapping[str, Any]) -> Self:
        """Read what `to_json` gave, from a configuration that may have more."""
