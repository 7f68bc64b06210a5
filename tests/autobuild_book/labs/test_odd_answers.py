"""Every check of every lab with a zoo of odd answers: it says what is right or gives a hint, and nothing else."""

import contextlib
import datetime
import functools
import inspect
import itertools
import math
import warnings
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings, strategies as st

import autobuild_lib as ab
from autobuild_book.labs import answers, embeddings, importances, modules, regions
from autobuild_book.labs.notebooks import Checks, Undefined
from autobuild_book.labs.verdicts import AnswerError, Right


class Odd:
    """Whatever is done with it raises an error of its own."""

    def _raise(self, *_: object) -> NoReturn:
        raise KeyError("two\nlines")

    __repr__ = __str__ = __iter__ = __len__ = __bool__ = __float__ = __array__ = __getitem__ = _raise  # type: ignore[assignment]
    __eq__ = __hash__ = __call__ = __lt__ = __contains__ = _raise  # type: ignore[assignment]


def circular() -> list[Any]:
    made: list[Any] = []
    made.append(made)
    return made


def deep() -> list[Any]:
    made: list[Any] = [1.0]
    for _ in range(10_000):
        made = [made]
    return made


def leaves(*_: object) -> NoReturn:
    raise SystemExit(3)


def broken(*_: object) -> NoReturn:
    raise type("Odd", (Exception,), {"__str__": lambda self: 1 / 0})


def objects(*values: object) -> Any:
    made = np.empty(len(values), object)
    for place, value in enumerate(values):
        made[place] = value
    return made


FRAME = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", None]})
ZOO: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "dots": lambda: ...,
    "True": lambda: True,
    "3": lambda: 3,
    "huge": lambda: 10**400,
    "NaN": lambda: math.nan,
    "infinite": lambda: math.inf,
    "complex": lambda: 2j,
    "text": lambda: "acc",
    "no text": lambda: "",
    "long text": lambda: "(" * 9000,
    "formula": lambda: "acc / 0",
    "names": lambda: "A|B|C|D|E",
    "bytes": lambda: b"1",
    "signalling": lambda: Decimal("sNaN"),
    "date": lambda: datetime.date(2026, 1, 1),
    "path": lambda: Path("a"),
    "nothing": list,
    "one": lambda: [1],
    "ragged": lambda: [[0.1], [0.2, 0.3]],
    "five": lambda: [1, 2, 3, 4, 5.0],
    "with None": lambda: [1, None],
    "with dots": lambda: [..., 1],
    "mixed": lambda: [1, "a", [2]],
    "generator": lambda: (x for x in (1, 2)),
    "endless": itertools.count,
    "range": lambda: range(10**9),
    "set": lambda: {1, 2},
    "no keys": dict,
    "keys": lambda: {"a": 1, (1, 2): [3]},
    "odd keys": lambda: {Odd: Odd()},
    "booleans": lambda: np.array([True] * 7),
    "complexes": lambda: np.ones(3, complex),
    "dates": lambda: np.array(["2026-01-01"], "M8[D]"),
    "durations": lambda: np.ones(5, "m8[s]"),
    "objects": lambda: objects(1, Odd()),
    "0-d": lambda: np.array(3.0),
    "empty": lambda: np.zeros((0, 3)),
    "masked": lambda: np.ma.masked_array([1.0, 2], [True, False]),
    "records": lambda: np.zeros(2, [("x", float)]),
    "texts": lambda: np.array(["a", "b"]),
    "matrix": lambda: np.ones((2, 2, 2)),
    "gradient": lambda: torch.ones(5, requires_grad=True),
    "0-d gradient": lambda: torch.tensor(2.0, requires_grad=True) * 2,
    "bfloat16": lambda: torch.ones(1, dtype=torch.bfloat16),
    "meta": lambda: torch.ones(2, device="meta"),
    "sparse": lambda: torch.eye(2).to_sparse(),
    "complex tensor": lambda: torch.ones(2, dtype=torch.complex64),
    "tensors": lambda: [torch.ones(1, requires_grad=True), torch.ones(2)],
    "frame": lambda: FRAME,
    "no frame": pd.DataFrame,
    "series": lambda: FRAME["b"],
    "column": lambda: FRAME["a"],
    "marks": lambda: pd.Series([True, False]),
    "index": lambda: FRAME.index,
    "missing": lambda: pd.Series([pd.NA, 1], dtype="Int64"),
    "category": lambda: pd.Categorical(["a"]),
    "object": Odd,
    "objects listed": lambda: [Odd()],
    "itself": circular,
    "deep": deep,
    "class": lambda: Odd,
    "module": lambda: np,
    "raises": lambda: broken,
    "exits": lambda: leaves,
    "returns odd": lambda: lambda *_: Odd(),
    "returns text": lambda: lambda *_: "no",
    "returns many": lambda: lambda *_: np.ones(3),
    "returns gradient": lambda: lambda *_: torch.ones(2, requires_grad=True),
    "needs more": lambda: lambda a, b, c, d, e: 1,
    "space": lambda: ab.spaces.ofa_pn(),
    "network": lambda: ab.spaces.ofa_mbv3().sample(np.random.default_rng(0)),
    "other network": lambda: ab.spaces.ofa_pn().sample(np.random.default_rng(0)),
    "mapping": lambda: {(0, 3): (1.0, 2.0)},
    "undefined": lambda: Undefined("loss"),
    "target": lambda: ab.Target("acc"),
}


@pytest.fixture(scope="module")
def parts() -> tuple[ab.data.Table, ab.data.Table]:
    train, test = ab.data.load("ofa_mbv3").split(0.9, seed=3)
    return train.take(range(64)), test.take(range(16))


@pytest.fixture(scope="module")
def arguments(parts: tuple[ab.data.Table, ab.data.Table]) -> dict[str, Any]:
    """What checks are given beside answers, by the names of their parameters."""
    train, test = parts
    predictor = ab.fit(train.space, train, importances.Lab().right_target, preset="tuned", epochs=1, progress=False)
    corpus = ab.score_units(predictor, progress=False)
    networks = test.architectures[:4]
    return {
        "norms": predictor.norms(networks),
        "targets": [1.0, 3.0, 2.0, 4.0],
        "train": train,
        "test": test,
        "table": ab.data.load("ofa_mbv3"),
        "predictor": predictor,
        "feature": "e",
        "network": networks[0],
        "budget": 7.0,
        "networks": networks,
        "corpus": corpus,
        "norm": corpus,
        "effect": corpus,
        "region": "fast",
        "chosen": networks,
    }


def checks(lab: Checks) -> list[Callable[..., Right]]:
    """The checks as they are without the guard that `answers.check` puts around them."""
    methods = [value for _, value in inspect.getmembers(type(lab), inspect.isfunction) if hasattr(value, "__wrapped__")]
    return [functools.partial(method.__wrapped__, lab) for method in methods]


def name_of(check: Callable[..., Right]) -> str:
    return str(getattr(check, "func", check).__name__)


LABS = {
    "embeddings": (embeddings.Lab(), 8),
    "importances": (importances.Lab(), 7),
    "modules": (modules.Lab(), 6),
    "regions": (regions.Lab(), 6),
}
ANSWERED = {"answer", "function", "train", "test", "predictor", "region", "chosen"}  # what students write themselves


@pytest.mark.parametrize("lab", LABS)
def test_every_odd_answer_gets_a_hint(lab: str, arguments: dict[str, Any]) -> None:
    module, count = LABS[lab]
    assert len(checks(module)) == count
    for check, (name, make) in itertools.product(checks(module), ZOO.items()):
        first = next(iter(inspect.signature(check).parameters))
        ends_well(check, arguments | {first: make()}, name)


def ends_well(check: Callable[..., Right], values: dict[str, Any], name: str) -> None:
    parameters = inspect.signature(check).parameters
    place, hint = f"{name_of(check)}({name})", "it is right"
    try:
        with warnings.catch_warnings(action="error"):
            assert isinstance(check(*(values[parameter] for parameter in parameters)), Right), place
    except AnswerError as error:
        hint = str(error)
    except BaseException as error:
        raise AssertionError(f"{place} raised {type(error).__name__}") from error
    assert 10 < len(hint) < 700 and "\n" not in hint, f"{place}: {hint}"


@pytest.mark.parametrize("name", ["None", "dots", "3", "text", "frame", "object", "raises", "gradient", "itself"])
def test_odd_arguments_beside_the_answer_get_a_hint(name: str, arguments: dict[str, Any]) -> None:
    for module, _ in LABS.values():
        for check in (getattr(module, name_of(unwrapped)) for unwrapped in checks(module)):
            parameters = list(inspect.signature(check).parameters)
            usual = arguments | {parameters[0]: [1.0]}
            for other in ANSWERED.intersection(parameters[1:]):
                ends_well(check, usual | {other: ZOO[name]()}, f"{other}={name}")


def test_right_answers_with_a_gradient_are_right(arguments: dict[str, Any]) -> None:
    norms, targets = arguments["norms"], arguments["targets"]
    losses = [ab.losses.rank_loss(level[None], np.array(targets)) for level in norms]
    lab = embeddings.Lab()
    assert lab.losses_by_hop(torch.tensor(losses, requires_grad=True), norms, targets)
    assert lab.losses_by_hop([torch.tensor(loss, requires_grad=True) for loss in losses], norms, targets)
    narrowest = np.diff(np.sort(lab.values)).min()
    assert lab.largest_strength(torch.tensor(narrowest, dtype=torch.bfloat16, requires_grad=True))
    predictor, train, test = (arguments[name] for name in ("predictor", "train", "test"))
    right = torch.tensor(ab.evaluate(predictor, test).srcc.to_numpy(), requires_grad=True)
    assert importances.Lab().srcc_by_hop(right, predictor, train, test)


def test_predictors_of_another_space_or_without_provenance(parts: tuple[ab.data.Table, ab.data.Table]) -> None:
    other = ab.data.load("ofa_pn").take(range(64))
    strange = ab.fit(other.space, other, "acc", preset="tuned", epochs=1, progress=False)
    with pytest.raises(AnswerError, match="ofa_pn"):
        importances.Lab().predictor(strange, parts[1])


LEAVES = st.one_of(
    st.none(), st.just(...), st.booleans(), st.integers(), st.floats(), st.complex_numbers(), st.text(max_size=3)
)
ANSWERS = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=1), inner, max_size=2)
)


@settings(max_examples=50)
@given(ANSWERS)
def test_numbers_are_read_or_explained(answer: Any) -> None:
    for form in (answer, (answer,), objects(answer), pd.Series(objects(answer))):
        with contextlib.suppress(AnswerError):
            assert answers.numbers(form, 2, ["a", "b"]).dtype == np.float64
