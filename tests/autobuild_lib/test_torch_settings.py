"""Results do not depend on what the caller has set in PyTorch."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

import autobuild_lib as ab
from autobuild_lib.surrogate import bundled
from autobuild_lib.torch_settings import one_thread


def test_the_number_of_threads_comes_back() -> None:
    before = torch.get_num_threads()
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before


@contextmanager
def default_dtype(kind: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(kind)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


SETTINGS: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "inference mode": torch.inference_mode,
    "no gradients": lambda: torch.set_grad_enabled(False),
    "64 bits": lambda: default_dtype(torch.float64),
    "16 bits": lambda: default_dtype(torch.bfloat16),
    "device meta": lambda: torch.device("meta"),
    "device cpu": lambda: torch.device("cpu"),
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
}


SPACE = ab.SequenceSpace("small", [ab.Unit(1, 2), ab.Unit(1, 1)], {"kernel": [3, 5], "op": ["a", "b"]})
MBV3 = ab.spaces.ofa_mbv3().sample(np.random.default_rng(0), 2)
OPTIONS: dict[str, Any] = {"epochs": 1, "width": 8, "hops": 2, "progress": False}


def everything(folder: Path) -> list[object]:
    """Train, save, open, predict, score and label; return all numbers."""
    drawn = list(dict.fromkeys(SPACE.sample(np.random.default_rng(0), 60)))
    predictor = ab.fit(SPACE, ab.data.from_records(SPACE, [(a, {"acc": sum(a.code)}) for a in drawn]), "acc", **OPTIONS)
    predictor.save(folder)
    opened = ab.load(folder)
    scores = [ab.score_units(opened, kind, hosts=2, progress=False).table.score for kind in ("norm", "effect")]
    labels = bundled.load_from("ofa_mbv3", bundled.FILES).predict(MBV3)
    graphs = [ab.graphs.ir_graph(one) for one in MBV3]
    table = ab.data.make_ir_table(graphs, labels, families=["ofa"] * 2, names=["a", "b"])
    of_graphs = ab.fit_ir(table, "acc", **OPTIONS)
    of_graphs.save(folder)
    assert all(weight.requires_grad and not weight.is_inference() for weight in opened.network.parameters())
    parts = [predictor.predict(drawn), opened.norms(drawn), *scores, labels, ab.load(folder).predict(graphs),
             of_graphs.operation_importance().importance]  # fmt: skip
    return [np.asarray(part).tolist() for part in parts]


def test_results_do_not_depend_on_what_the_caller_has_set(tmp_path: Path) -> None:
    expected = everything(tmp_path)
    for name, setting in SETTINGS.items():
        with setting():
            assert everything(tmp_path) == expected, name
            assert torch.ones(1).dtype == torch.get_default_dtype()
        assert torch.is_grad_enabled() and torch.get_default_dtype() == torch.float32
