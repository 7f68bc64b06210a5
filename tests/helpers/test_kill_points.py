"""The helper that kills a piece of work: which file operations count."""

import os
from pathlib import Path

from tests.helpers.kill_points import killed_at_each_point


def test_what_the_work_has_not_opened_is_closed_all_the_same(tmp_path: Path) -> None:
    opened_before = [*os.pipe()]

    def work() -> None:
        os.close(opened_before.pop())
        os.mkdir(tmp_path / "made")

    assert [*killed_at_each_point(work)] == [0] and (tmp_path / "made").is_dir() and not opened_before


def test_what_the_work_has_opened_counts_once_more_when_it_is_closed(tmp_path: Path) -> None:
    assert [*killed_at_each_point(lambda: os.close(os.open(tmp_path, os.O_RDONLY)))] == [0, 1]
