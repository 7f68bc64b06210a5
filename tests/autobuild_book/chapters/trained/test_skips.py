"""Skip connections: which network was trained for one that computes the same."""

import numpy as np
import pytest

from autobuild_book.chapters.trained.skips import trained_codes
from tests.helpers.trees import EVERY, SPACE, value


def trained(text: str) -> str:
    return str(SPACE.from_codes(trained_codes(SPACE, SPACE.to_codes([SPACE.parse(text)])))[0])


@pytest.mark.parametrize(
    ("text", "of"),
    [
        ("0123|a|skip|b|c", "0123|skip|a|b|c"),  # in a chain it only moves to the front
        ("0123|a|b|c|skip", "0123|skip|a|b|c"),
        ("0123|skip|a|b|c", "0123|skip|a|b|c"),
        ("0112|a|skip|b|c", "0122|skip|a|b|c"),  # c reads a, not the skip, and so is b's sibling
        ("0000|a|b|c|skip", "0111|skip|a|b|c"),  # hands on nothing but the input
        ("0122|a|b|c|skip", "0122|a|b|c|skip"),  # joins c: what b gives goes on beside what c makes of it
        ("0123|a|skip|skip|b", "0123|skip|skip|a|b"),
        ("0011|skip|a|b|c", "0111|skip|a|b|c"),
    ],
)
def test_by_hand(text: str, of: str) -> None:
    assert trained(text) == str(SPACE.canonical(SPACE.parse(of)))


def test_what_was_trained_stands_for_itself_and_has_the_same_operations() -> None:
    codes = trained_codes(SPACE, EVERY)
    np.testing.assert_array_equal(trained_codes(SPACE, codes), codes)
    np.testing.assert_array_equal(SPACE.canonical_codes(codes), codes)
    operations = [np.sort(rows[:, [codec.start + 1 for codec in SPACE.codecs]]) for rows in (EVERY, codes)]
    np.testing.assert_array_equal(*operations)


def test_networks_that_compute_the_same_are_trained_once() -> None:
    """The oracle: the terms that reach the output, and the number of skips."""
    codes = trained_codes(SPACE, EVERY)
    names = SPACE.from_codes(codes)
    by_value: dict[tuple[tuple[str, ...], int], set[str]] = {}
    for architecture, name in zip(SPACE.from_codes(EVERY), names, strict=True):
        by_value.setdefault((value(architecture), str(architecture).count("skip")), set()).add(str(name))
    assert all(len(same) == 1 for same in by_value.values()) and len(by_value) == len(set(map(str, names)))
