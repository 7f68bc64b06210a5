"""The neighbours that can be fitted, by name; each is a model of the registry that all chapters share."""

from typing import Any, Protocol

from autobuild_book.chapters.neighbours.arch2vec import ARCH2VEC, ARCH2VEC_RIDGE
from autobuild_book.chapters.neighbours.assessor import ASSESSOR, ASSESSOR_ALONE
from autobuild_book.chapters.neighbours.causal import CARL, CARL_ALONE
from autobuild_book.chapters.neighbours.comparator import CTNAS
from autobuild_book.chapters.neighbours.convolutions import GCN
from autobuild_book.chapters.neighbours.gates import GATES
from autobuild_book.chapters.neighbours.kernel_process import WL_KERNEL
from autobuild_book.chapters.neighbours.language_former import LEDG
from autobuild_book.chapters.neighbours.network_graphs import NETWORK_GRAPHS, NETWORK_GRAPHS_OF_CHOICES
from autobuild_book.chapters.neighbours.positions import GCN_EMBEDDED, POSITIONS, POSITIONS_EMBEDDED
from autobuild_book.chapters.neighbours.siblings import NN_FORMER
from autobuild_book.chapters.shared.lookup import look_up
from autobuild_book.chapters.shared.models.base import Model


class Neighbour(Model, Protocol):
    """A model that says what it is."""

    def describe(self) -> dict[str, Any]:
        """Return name, paper, idea, how ours differs from the original, and settings."""


_ALL: tuple[Neighbour, ...] = (
    GCN,
    GATES,
    ARCH2VEC,
    ARCH2VEC_RIDGE,
    CTNAS,
    GCN_EMBEDDED,
    POSITIONS,
    POSITIONS_EMBEDDED,
    NETWORK_GRAPHS,
    NETWORK_GRAPHS_OF_CHOICES,
    NN_FORMER,
    WL_KERNEL,
    ASSESSOR,
    ASSESSOR_ALONE,
    CARL,
    CARL_ALONE,
    LEDG,
)
NEIGHBOURS: dict[str, Neighbour] = {model.name: model for model in _ALL}


def find_neighbour(name: str) -> Neighbour:
    """Return a neighbour; an unknown name is a `ValueError` that lists them."""
    return look_up("neighbour", name, NEIGHBOURS)
