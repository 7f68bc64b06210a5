"""A small table of both families."""

import pytest

from autobuild_book.chapters.operations import hop_zero
from autobuild_lib.data import IRTable


@pytest.fixture(scope="module")
def table() -> IRTable:
    return hop_zero.load_graphs("bundled", "acc", 60)[0]
