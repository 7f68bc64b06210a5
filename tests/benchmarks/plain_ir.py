"""The plain way to compute the IR predictor: PyTorch Geometric layers over every node of every graph."""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch_geometric.data import Data
from torch_geometric.loader import DataLoader
from torch_geometric.nn import GATv2Conv, GraphConv, global_add_pool, global_mean_pool

from autobuild_lib.graphs import IRGraph
from autobuild_lib.graphs.ir import ATTRIBUTES, PLACES, SHAPES
from autobuild_lib.losses import rank_loss
from autobuild_lib.predictor import Network


class PlainIRNetwork(nn.Module):
    """FE-MLP, GATv2 message passing and head, written layer by layer (paper preset)."""

    def __init__(self, operations: Sequence[str], width: int = 32, hops: int = 4, convolution: str = "gatv2") -> None:
        super().__init__()
        self.places = [PLACES[name] for name in operations]
        shapes, attributes = nn.Linear(SHAPES, 3), nn.Linear(ATTRIBUTES, 3)
        embeddings = {"operation": nn.Embedding(len(operations), 3), "shapes": shapes, "attributes": attributes}
        scores = {name: nn.Linear(3, 1) for name in embeddings}
        self.features = nn.ModuleDict({"embeddings": nn.ModuleDict(embeddings), "scores": nn.ModuleDict(scores)})
        layer = {"gatv2": GATv2Conv, "graphconv": GraphConv}[convolution]
        self.convolutions = nn.ModuleList(layer(i, o) for i, o in itertools.pairwise([3] + [width] * hops))
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) for _ in range(hops))
        self.head = nn.ModuleList(nn.Linear(width, width) for _ in range(4))
        self.output = nn.Linear(width, 1)
        self.pool = global_mean_pool

    def forward(self, data: Data) -> tuple[Tensor, Tensor]:
        """Return predictions [graphs] and the norms of the graph embeddings, [hops + 1, graphs]."""
        columns = []
        for name, values in (("operation", data.rows), ("shapes", data.shapes), ("attributes", data.attributes)):
            columns.append(self.features["scores"][name](self.features["embeddings"][name](values)).abs())
        h = torch.cat(columns, dim=1)
        pooled = [self.pool(h, data.batch)]
        for hop, (convolution, norm) in enumerate(zip(self.convolutions, self.norms, strict=True)):
            new = norm(convolution(h, data.edge_index)).relu()
            h = new + h if hop > 0 else new
            pooled.append(self.pool(h, data.batch))
        x = self.head[1](self.head[0](pooled[-1])).relu()
        x = self.head[3](self.head[2](x)).relu()
        return self.output(x).squeeze(1), torch.stack([embedding.abs().sum(1) for embedding in pooled])

    def data(self, graphs: Sequence[IRGraph], targets: Sequence[float] | None = None) -> list[Data]:
        """One `Data` object per graph, with numbers as exact as the network's."""
        exact = self.output.weight.dtype
        rows = {place: row for row, place in enumerate(self.places)}
        return [
            Data(
                rows=torch.tensor([rows[int(place)] for place in graph.operations]),
                shapes=torch.from_numpy(graph.shapes).to(exact),
                attributes=torch.from_numpy(graph.attributes).to(exact),
                edge_index=torch.from_numpy(graph.edges),
                y=torch.tensor([0.0 if targets is None else targets[number]]),
                num_nodes=len(graph),
            )
            for number, graph in enumerate(graphs)
        ]

    def train_epochs(self, data: Sequence[Data], epochs: int, batch: int = 128, rate: float = 1e-4) -> None:
        """Train in the given order, as the paper preset does."""
        optimiser = torch.optim.AdamW(self.parameters(), lr=rate, weight_decay=1e-5)
        loader = DataLoader(list(data), batch_size=batch, shuffle=False)
        self.train()
        for _ in range(epochs):
            for part in loader:
                predicted, norms = self(part)
                loss = nn.functional.mse_loss(predicted, part.y) + rank_loss(norms[None], part.y[None])[0]
                optimiser.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(self.parameters(), 5.0)
                optimiser.step()


OUR_NAMES = {"lin_l": "source", "lin_r": "target", "att": "attention", "lin_rel": "neighbour", "lin_root": "root"}


def plain_twin(network: Network) -> tuple[PlainIRNetwork, dict[str, tuple[nn.Parameter, nn.Parameter]]]:
    """A plain network with the weights of a stack of one, and (ours, plain) parameters by our names."""
    config, own = network.config, dict(network.named_parameters())
    plain = PlainIRNetwork(network.encoder.operations, config.width, config.hops, config.convolution)
    plain.pool = {"mean": global_mean_pool, "sum": global_add_pool}[config.pooling]
    pairs = {}
    for public, parameter in plain.named_parameters():
        name = ".".join(OUR_NAMES.get(part, part) for part in public.split("."))
        name = name.removesuffix(".weight") if name.endswith("root.weight") else name
        pairs[name] = own.pop(name), parameter
        with torch.no_grad():
            parameter.copy_(like(pairs[name][0], parameter, name))
    assert not own
    return plain, pairs


def like(ours: Tensor, public: Tensor, name: str) -> Tensor:
    """Our tensor in the shape of the public one: linear layers are kept transposed."""
    is_linear = name.endswith(("weight", "root")) and "norms" not in name and "embeddings.operation" not in name
    return ours[0].T if is_linear else ours.reshape(public.shape)
