"""Committed rows are those of the plan, whole and in its order."""

from types import ModuleType

import pytest

from autobuild_book.chapters.trained import regions, scores, search


@pytest.mark.parametrize(
    ("module", "names"),
    [
        (scores, ("source", "size", "model", "seed")),
        (regions, ("source", "size", "seed", "recipe")),
        (search, ("seed", "source", "recipe")),
    ],
    ids=["scores", "regions", "search"],
)
def test_committed_rows_are_those_of_the_plan(module: ModuleType, names: tuple[str, ...]) -> None:
    rows = module.SECTION.committed()
    committed = list(dict.fromkeys(rows[list(names)].itertuples(index=False, name=None)))
    assert committed == [tuple(getattr(part, name) for name in names) for part in module.plan()]
    assert not rows.duplicated().any()
