"""The verdict on claim C2."""

import pytest

from autobuild_book.chapters.operations.verdict import judge
from tests.helpers.importances import attribution_of, importance_of


@pytest.mark.parametrize(
    ("noise", "sign", "holds", "expected"),
    [
        (0.5, 1.0, [True, True, True], "supported"),
        (0.5, -1.0, [True, True, False], "partly"),
        (4.5, 1.0, [False, True, True], "partly"),
        (1e3, 0.0, [False, False, False], "not supported"),
    ],
)
def test_verdict(noise: float, sign: float, holds: list[bool], expected: str) -> None:
    importance = importance_of(noise)
    verdict = judge(importance, attribution_of(importance, sign))
    checks, text = verdict.checks, verdict.word
    assert (checks.holds.tolist(), text) == (holds, expected)


def test_without_seeds_or_shuffles_nothing_is_decided() -> None:
    for importance in (importance_of(0.5, seeds=1), importance_of(0.5, shuffles=0)):
        verdict = judge(importance, attribution_of(importance, 1.0))
        checks, text = verdict.checks, verdict.word
        assert checks.empty and text == "undecided"
