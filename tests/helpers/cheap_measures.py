"""Cheap measures of architectures, and rounds of given numbers."""

from collections.abc import Mapping

import pandas as pd

import autobuild_lib as ab
from autobuild_book.chapters.machine.latency import LatencyMeter
from autobuild_book.chapters.shared.few_labels import EFFECT, NORM

MBV3 = ab.spaces.ofa_mbv3()
METER = LatencyMeter()
TARGETS = ("1000 / latency", "acc * 100 / latency")
COST = {"identity": 0.2, "mb3_k3": 1.0, "mb6_k5": 2.5}


def toy_latency(architecture: ab.Architecture) -> float:
    """Ten, plus what each layer costs: deeper and wider is slower."""
    total = 10.0
    for unit in architecture.units():
        layers = [layer.rsplit("_ratio", 1) for layer in unit["layers"]]
        total += unit.get("width", 0) / 32 + sum(0.3 + COST[op] * float(ratio) for op, ratio in layers)
    return total


def rounds_of(architectures: list[ab.Architecture], *rows: list[float]) -> pd.DataFrame:
    frames = [
        pd.DataFrame({"architecture": architectures, "round": number, "latency": row})
        for number, row in enumerate(rows, start=1)
    ]
    return pd.concat(frames, ignore_index=True)


def values(groups: Mapping[str, list[list[float]]], target: str = "t") -> pd.DataFrame:
    """Values of networks by group: a list per network with a number per round."""
    rows = [
        (target, group, place, number, value)
        for group, networks in groups.items()
        for place, by_round in enumerate(networks)
        for number, value in enumerate(by_round, start=1)
    ]
    return pd.DataFrame(rows, columns=["target", "group", "place", "round", "value"])


def comparison(**p_values: float) -> pd.DataFrame:
    rows = [(target, NORM, 5.0, 1.0, 9.0, p) for target, p in p_values.items()]
    rows += [(target, EFFECT, -5.0, -9.0, -1.0, 0.99) for target in p_values]
    return pd.DataFrame(rows, columns=["target", "group", "gain", "low", "high", "p"])
