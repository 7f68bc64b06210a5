"""What a model puts first, and networks by how often they repeat a layer."""

import numpy as np
import pytest

import autobuild_lib as ab
from autobuild_book.chapters.board import measuring
from autobuild_book.chapters.board.first_choices import by_repeats, first_choices
from autobuild_book.chapters.board.newcomer import MarginalMeans
from autobuild_book.chapters.board.tables import BoardTable, load

TINY = ab.SequenceSpace("tiny", [ab.Unit(1, 2)], {"op": ["a", "b"]})


def test_networks_by_repeats_by_hand() -> None:
    networks = [("a", 9.0), ("b", 5.0), ("a,a", 6.0), ("a,b", 7.0), ("b,a", 4.0), ("b,b", 1.0)]
    table = ab.data.from_records(TINY, [(TINY.parse(text), {"y": y}) for text, y in networks])
    groups = by_repeats(table, "y")
    assert groups.networks.to_dict() == {1: 4, 2: 2}
    assert groups.best.to_dict() == {1: 0.25, 2: 0} and groups.worst.to_dict() == {1: 0, 2: 0.5}


@pytest.mark.parametrize("lower", [False, True])
def test_the_first_choice_is_the_one_that_the_board_judges(trained: BoardTable, lower: bool) -> None:
    board = BoardTable(trained.name, trained.targets[:1], lower)
    rows = [row for job in measuring.plan([board], [MarginalMeans()], [100], [0, 1]) for row in job.rows()]
    choices = first_choices(board, MarginalMeans(), 100, [0, 1])
    assert choices["rank"].tolist() == [row.rank for row in rows]
    table = load(board.name)
    labels = dict(zip(map(str, table.architectures), table.labels[board.targets[0]], strict=True))
    assert np.allclose(choices.label, [labels[network] for network in choices.network])
