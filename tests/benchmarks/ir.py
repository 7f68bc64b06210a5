"""The IR predictor on classes of equal neighbourhoods, against the plain computation on every node."""

import functools
from typing import Any

import torch
from torch_geometric.data import Batch

import autobuild_lib as ab
from autobuild_lib.data import IRTable
from autobuild_lib.engine.neighbourhoods import Neighbourhoods, neighbourhoods
from autobuild_lib.engine.operations import OperationEncoder
from autobuild_lib.graphs import OPERATIONS
from autobuild_lib.predictor import Network
from autobuild_lib.torch_settings import one_thread
from autobuild_lib.training import Course, configure, train_network
from tests.benchmarks.plain_ir import like, plain_twin
from tests.benchmarks.timing import timed

SIZES = (1000, 2000, 4000, 6000)
TOLERANCE = 1e-4
CONFIG, EPOCH = ab.NetworkConfig(), ab.TrainingConfig(epochs=1)


@functools.cache
def checked_table() -> IRTable:
    """Both families in one table, on which the two computations have been found to agree."""
    table = ab.data.ir_table([ab.data.load("ofa_mbv3"), ab.data.load("ofa_pn")], progress=False)
    check_same(table.split(0.5)[0].take(range(128)))
    return table


def ir_training(size: int) -> dict[str, Any]:
    """One epoch of the paper preset on `size` graphs; finding their classes, done once, is timed by itself."""
    whole = checked_table()
    table = whole if size == len(whole) else whole.split(size / len(whole))[0]
    wanted = Course.of(table, ["acc"], 0, "paper", configure("paper", {})).standardised
    network = new_network()
    plain, _ = plain_twin(network)
    data = plain.data(table.graphs, wanted[0].tolist())
    found: list[Neighbourhoods] = []
    grouping = timed(lambda: found.append(neighbourhoods(table.graphs, CONFIG.hops)))
    with one_thread():  # which is the fastest for either: more threads wait for each other
        ours = min(timed(lambda: train_network(network, found[0], wanted, EPOCH, 0)) for _ in range(3))
        baseline = timed(lambda: plain.train_epochs(data, 1))
    return {
        "name": f"one epoch of an IR predictor on {size:,} graphs",
        "ours_s": ours,
        "baseline_s": baseline,
        "grouping_s": grouping,
        "nodes": sum(map(len, table.graphs)),
        "classes": found[0].classes,
    }


def new_network() -> Network:
    """An untrained network for the operations of both OFA families."""
    return Network(OperationEncoder(OPERATIONS), CONFIG, [0])


def check_same(table: IRTable) -> None:
    """Raise `AssertionError` unless outputs, gradients and batch statistics of one batch agree to `TOLERANCE`.

    The plain network computes in double precision, since it is the less exact of the two otherwise.
    """
    network = new_network().train()
    plain, pairs = plain_twin(network)
    plain.double().train()
    ours, norms = network(neighbourhoods(table.graphs, CONFIG.hops))
    theirs, levels = plain(Batch.from_data_list(plain.data(table.graphs)))
    same(ours[0], theirs)
    same(norms[0], levels)
    (ours.square().sum() + norms.sum()).backward()
    (theirs.square().sum() + levels.sum()).backward()
    largest = max(float(public.grad.abs().max()) for _, public in pairs.values() if public.grad is not None)
    for name, (own, public) in pairs.items():
        assert own.grad is not None and public.grad is not None
        same(like(own.grad, public.grad, name) / largest, public.grad / largest)
    for own, public in zip(network.norms, plain.norms, strict=True):
        same(own.mean[0, 0], public.running_mean)
        same(own.variance[0, 0], public.running_var)


def same(a: torch.Tensor, b: torch.Tensor) -> None:
    """Raise `AssertionError` unless two tensors agree to `TOLERANCE`."""
    torch.testing.assert_close(a, b, rtol=TOLERANCE, atol=TOLERANCE, check_dtype=False)
