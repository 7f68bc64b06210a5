"""Counts and op-level graphs of networks: from the architecture, or from the module that PyTorch builds."""

from typing import Any

import numpy as np
import torch

import autobuild_lib as ab
from autobuild_book.tracing import ir_from_module
from autobuild_lib import networks
from tests.benchmarks.timing import timed

COUNTED, DRAWN, TRACED = 2000, 200, 3


def _sample(size: int) -> list[ab.Architecture]:
    rng = np.random.default_rng(0)
    return ab.spaces.ofa_mbv3().sample(rng, size) + ab.spaces.ofa_pn().sample(rng, size)


def counts() -> dict[str, Any]:
    """Count parameters of 40 networks: by table, or by building them (without memory for the weights)."""
    few, many = _sample(20), _sample(COUNTED)
    networks.count_parameters(few)

    def build() -> list[int]:
        with torch.device("meta"):
            return [sum(p.numel() for p in networks.build(one).parameters()) for one in few]

    ours = timed(lambda: networks.count_parameters(few))
    rate = len(many) / timed(lambda: networks.count_parameters(many))
    return {"name": f"parameters of {len(few)} networks", "ours_s": ours, "baseline_s": timed(build),
            "ours_per_s": round(rate)}  # fmt: skip


def op_graphs() -> dict[str, Any]:
    """Make the op-level graphs of 6 networks: from the architecture, or as PyTorch exports the module."""
    few, many = _sample(TRACED), _sample(DRAWN)
    with torch.device("meta"):
        modules = [(networks.build(one).eval(), torch.empty(1, 3, 224, 224)) for one in few]
    ours = timed(lambda: [ab.graphs.ir_graph(one) for one in few])
    rate = len(many) / timed(lambda: [ab.graphs.ir_graph(one) for one in many])
    plain = timed(lambda: [ir_from_module(module, image) for module, image in modules])
    return {"name": f"op-level graphs of {len(few)} networks", "ours_s": ours, "baseline_s": plain,
            "ours_per_s": round(rate)}  # fmt: skip
