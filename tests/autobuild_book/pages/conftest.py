"""What the tests of pages share: of the trained tables only two small ones, as others take seconds to read."""

from collections.abc import Iterator

import pytest

from autobuild_book.chapters.board import tables
from autobuild_book.pages import trained_clouds

SMALL = ("nas-bench-graph:proteins", "panoptic")


@pytest.fixture(autouse=True, scope="module")
def small_tables() -> Iterator[None]:
    few = tuple(tables.find_table(name) for name in SMALL)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "TABLES", few)
        trained_clouds.clouds.cache_clear()
        yield
    trained_clouds.clouds.cache_clear()
