"""Evaluators for tests, in a module of their own so that other processes can import them."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import autobuild_lib as ab


def worth(architecture: ab.Architecture) -> dict[str, float]:
    """Two labels that pull against each other, as accuracy and latency do; plain Python, the same everywhere."""
    code = architecture.code
    acc = sum((i % 7 + 1) * value for i, value in enumerate(code)) / (10 + sum(code))
    return {"acc": acc, "latency": sum((i % 3 + 1) * value * value for i, value in enumerate(code)) / 3}


def worthy(evaluator: Any) -> Any:
    """Say that an evaluator gives what `worth` gives, however it is asked."""
    evaluator.fingerprint = "worth"
    return evaluator


@worthy
def label(architectures: list[ab.Architecture]) -> pd.DataFrame:
    return pd.DataFrame([worth(one) for one in architectures])


def fails(architecture: ab.Architecture) -> bool:
    return sum(architecture.code) % 5 == 0


@worthy
def label_or_fail(architectures: list[ab.Architecture]) -> pd.DataFrame:
    """Raises for about every fifth architecture."""
    for one in architectures:
        if fails(one):
            raise RuntimeError(f"diverged\nat layer {sum(one.code)}")
    return label(architectures)


@worthy
@dataclass(frozen=True)
class Slow:
    """Takes a while, and notes every architecture it begins with in a file of its own."""

    calls: Path
    seconds: float

    def __call__(self, architectures: list[ab.Architecture]) -> pd.DataFrame:
        with self.calls.open("a") as file:
            file.writelines(f"{one}\n" for one in architectures)
        time.sleep(self.seconds)
        return label(architectures)


@worthy
def die(architectures: list[ab.Architecture]) -> pd.DataFrame:
    """What a process does that runs out of memory."""
    os._exit(1)


def not_a_table(architectures: list[ab.Architecture]) -> np.ndarray:
    return np.zeros(len(architectures))
