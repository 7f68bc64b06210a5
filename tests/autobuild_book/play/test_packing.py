"""Networks as the page computes with them: a plain reading of the packed numbers gives what the library gives."""

import base64
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import autobuild_lib as ab
from autobuild_book.play import packing
from autobuild_lib.data import Table
from autobuild_lib.predictor import Network

Array = npt.NDArray[np.float64]


def plain(shape: dict[str, Any], numbers: Array, codes: npt.NDArray[np.int64]) -> tuple[float, list[float]]:
    """Prediction and norms of one path of layers [nodes, categories], straight from the equations."""
    rest = iter(numbers)
    take = lambda *size: np.array([next(rest) for _ in range(int(np.prod(size)))]).reshape(size)  # noqa: E731
    width = shape["width"]
    x = np.stack([take(size)[codes[:, c]] for c, (_, size) in enumerate(shape["categories"])], axis=1)
    pooled = [x.mean(0) if shape["mean"] else x.sum(0)]
    for hop in range(shape["hops"]):
        left, right = np.split(x @ take(x.shape[1], 2 * width), 2, axis=1)
        rows = []
        moved, attention, scale = (take(width) for _ in range(3)) if shape["attends"] else (None, None, None)
        offset = take(width)
        for v in range(len(x)):
            if not shape["attends"]:
                rows.append(left[v] + (right[v - 1] if v else 0) + offset)
                continue
            sources = [v, v - 1] if v else [v]
            sums = [left[u] + right[v] + moved for u in sources]
            logits = np.array([attention @ np.where(s > 0, s, 0.2 * s) for s in sums])
            weights = np.exp(logits) / np.exp(logits).sum()
            rows.append(weights @ left[sources] * scale + offset)
        new = np.array(rows)
        x = np.where(new > 0, new, shape["slope"] * new) + (x if hop else 0)
        pooled.append(x.mean(0) if shape["mean"] else x.sum(0))
    hidden = np.maximum(pooled[-1] @ take(width, width) + take(width), 0)
    last = hidden @ take(width, width) + take(width)
    prediction = np.where(last > 0, last, shape["slope"] * last) @ take(width) + take(1)[0]
    assert next(rest, None) is None, "all numbers are read"
    return float(prediction), [float(np.abs(p).sum()) for p in pooled]


def check(network: Network, architectures: list[ab.Architecture], place: int) -> None:
    codes = network.encoder.read(architectures)
    predicted, norms = network.run(codes)
    shape, numbers = packing.description(network), packing.numbers(network, place)
    for row, code in enumerate(codes):
        nodes = network.encoder.space.nodes(code[None])
        prediction, plainly = plain(shape, numbers, nodes)
        assert prediction == pytest.approx(predicted[place, row], rel=1e-4, abs=1e-5)
        assert plainly == pytest.approx(norms[place, :, row], rel=1e-4)


@pytest.mark.parametrize("place", [0, 3])
def test_surrogates_sum_neighbours(place: int) -> None:
    surrogate = ab.surrogate.ofa_pn()
    rng = np.random.default_rng(0)
    check(surrogate.network, [surrogate.space.sample(rng) for _ in range(3)], place)


@pytest.mark.parametrize("convolution", ["gatv2", "graphconv"])
@pytest.mark.parametrize("pooling", ["mean", "sum"])
def test_a_predictor_of_any_units_in_a_row(toy_table: Table, convolution: str, pooling: str) -> None:
    options = {"convolution": convolution, "pooling": pooling, "width": 6, "hops": 3, "epochs": 2, "progress": False}
    predictor = ab.fit(toy_table.space, toy_table, "additive", **options)
    check(predictor.network, list(toy_table.architectures[:3]), 0)


def test_what_the_page_cannot_compute_is_refused(toy_table: Table) -> None:
    for options in ({"activation": "gelu"}, {"pooling": "max"}, {"residual": False}):
        predictor = ab.fit(toy_table.space, toy_table, "additive", epochs=1, width=4, progress=False, **options)
        with pytest.raises(ValueError, match=str(next(iter(options.values())))):
            packing.description(predictor.network)


def test_texts_hold_numbers_of_four_bytes() -> None:
    assert np.array_equal(np.frombuffer(base64.b64decode(packing.as_text([1.5, -2.0])), "<f4"), [1.5, -2.0])
