"""The plain way to train the same predictor: PyTorch Geometric layers, a DataLoader, one predictor at a time."""

import itertools

import torch
from torch import Tensor, nn
from torch_geometric.data import Data
from torch_geometric.loader import DataLoader
from torch_geometric.nn import BatchNorm, GATv2Conv, global_mean_pool

from autobuild_lib.graphs import layer_graphs
from autobuild_lib.losses import soft_rank
from autobuild_lib.spaces import Architecture, SequenceSpace
from tests.helpers.edges import edge_index


class PlainPredictor(nn.Module):
    """FE-MLP, GATv2 message passing and head, written layer by layer (paper preset)."""

    def __init__(self, space: SequenceSpace, width: int = 32, hops: int = 4) -> None:
        super().__init__()
        self.scaled = [c.scaled for c in space.categories]
        self.embeddings, self.scores = nn.ModuleList(), nn.ModuleList()
        for category in space.categories:
            continuous = category.scaled is not None
            embedding = nn.Linear(1, category.width) if continuous else nn.Embedding(category.size, category.width)
            self.embeddings.append(embedding)
            self.scores.append(nn.Linear(category.width, 1))
        widths = [len(space.categories)] + [width] * hops
        self.convolutions = nn.ModuleList(GATv2Conv(i, o) for i, o in itertools.pairwise(widths))
        self.norms = nn.ModuleList(BatchNorm(width) for _ in range(hops))
        self.head = nn.Sequential(
            nn.Linear(width, width),
            nn.Linear(width, width),
            nn.ReLU(),
            nn.Linear(width, width),
            nn.Linear(width, width),
        )
        self.out = nn.Linear(width, 1)

    def forward(self, data: Data) -> tuple[Tensor, list[Tensor]]:
        """Return predictions [graphs] and the graph embedding of every hop."""
        columns = []
        for i, (embed, score, scaled) in enumerate(zip(self.embeddings, self.scores, self.scaled, strict=True)):
            codes = data.x[:, i]
            value = embed(codes) if scaled is None else embed(torch.tensor(scaled)[codes][:, None])
            columns.append(score(value).abs())
        h = torch.cat(columns, dim=1)
        pooled = [global_mean_pool(h, data.batch)]
        for hop, (convolution, norm) in enumerate(zip(self.convolutions, self.norms, strict=True)):
            new = norm(convolution(h, data.edge_index)).relu()
            h = new + h if hop > 0 else new
            pooled.append(global_mean_pool(h, data.batch))
        return self.out(self.head(pooled[-1]).relu()).squeeze(1), pooled


def plain_data(space: SequenceSpace, architectures: list[Architecture], targets: Tensor) -> list[Data]:
    """One `Data` object per architecture."""
    data = []
    for architecture, y in zip(architectures, targets, strict=True):
        graph = layer_graphs(space, [architecture])
        data.append(Data(x=graph.codes, edge_index=edge_index(graph), y=y.reshape(1)))
    return data


def train_plain(space: SequenceSpace, data: list[Data], epochs: int, batch: int = 128, seed: int = 0) -> PlainPredictor:
    """Train one predictor as in the paper preset; targets are expected standardised."""
    torch.manual_seed(seed)
    model = PlainPredictor(space)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=1e-5)
    loader = DataLoader(data, batch_size=batch, shuffle=True)
    for _ in range(epochs):
        for part in loader:
            predicted, pooled = model(part)
            loss = nn.functional.mse_loss(predicted, part.y)
            for embedding in pooled:
                ranks = soft_rank(embedding.abs().sum(1)[None])
                loss = loss + (1 - torch.corrcoef(torch.stack([ranks[0], part.y]))[0, 1]) / len(pooled)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimiser.step()
    return model
