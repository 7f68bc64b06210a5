"""Operation embeddings in two models: the neural predictor, and a perceptron that reads nodes position by position."""

from dataclasses import replace

from torch import Tensor, nn

from autobuild_book.chapters.neighbours.convolutions import GCN
from autobuild_book.chapters.neighbours.graphs import Graphs, Vocabulary
from autobuild_book.chapters.neighbours.learning import About, Choices, GraphModel, Recipe

PAPER = "Chatzianastasis et al., Graph-based Neural Architecture Search with Operation Embeddings, ICCV Workshops 2021"
LEARNT = About(
    PAPER,
    "an operation is a learnt vector, the same at all positions, in place of a one-hot code",
    "in predictors that learn from labels, where the paper has graph autoencoders; 16 numbers an operation",
)
EMBEDDING = (("embedding", 16),)


class Perceptron(nn.Module):
    """Two hidden layers on what stands at each position, one after the other; edges are not seen."""

    def __init__(self, words: Vocabulary, nodes: int, embedding: int = 0, width: int = 64) -> None:
        super().__init__()
        self.choices = Choices(words, embedding)
        inputs = nodes * self.choices.width
        self.head = nn.Sequential(
            nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1)
        )

    def forward(self, graphs: Graphs) -> Tensor:
        """Graphs [N] -> scores [N]."""
        return self.head(self.choices(graphs).flatten(1)).squeeze(-1)  # type: ignore[no-any-return]


POSITIONS = GraphModel(
    "positions, one-hot",
    About(
        "White et al., A Study on Encodings for Neural Architecture Search, NeurIPS 2020",
        "a perceptron on the one-hot codes of all positions, side by side",
        "two layers of 64; a baseline for the embeddings",
    ),
    Perceptron,
    Recipe(),
)
POSITIONS_EMBEDDED = replace(POSITIONS, name="positions, embedded", about=LEARNT, options=EMBEDDING)
GCN_EMBEDDED = replace(GCN, name="neural predictor, embedded", about=LEARNT, options=EMBEDDING)
