"""Choices: read as they were written, refused where they are none, and counted where two runs make the same."""

from pathlib import Path

import pandas as pd
import pytest

import autobuild_lib as ab
from autobuild_book.chapters.shared import choices

CHOICE = ["region", "group", "place", "architecture"]


def test_choices_are_read_as_they_were_written(toy: ab.SequenceSpace, tmp_path: Path) -> None:
    first, second = map(str, list(toy)[:2])
    chosen = pd.DataFrame([("s", "a", 0, second), ("s", "b", 0, first), ("t", "a", 0, second)], columns=CHOICE)
    assert choices.write_choices(chosen, tmp_path, "chosen") == 2
    assert choices.read_choices(tmp_path / "chosen.csv", CHOICE, toy).equals(chosen)
    assert (tmp_path / "chosen.txt").read_text() == f"{second}\n{first}\n"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("region,group\nlight,norm\n", r"chosen\.csv: columns region, group"),
        ("region,group,place,architecture\n", r"chosen\.csv: columns region, group, place, architecture"),
        ("region,group,place,architecture\nlight,norm,0,e9_k3\n", r"chosen\.csv, row 2"),
    ],
)
def test_a_choice_that_is_none(toy: ab.SequenceSpace, tmp_path: Path, text: str, place: str) -> None:
    (tmp_path / "chosen.csv").write_text(text)
    with pytest.raises(ValueError, match=place):
        choices.read_choices(tmp_path / "chosen.csv", CHOICE, toy)


def test_the_same_choice_counts_wherever_it_stands() -> None:
    ours = pd.DataFrame([("s", "a", 0, "x"), ("s", "a", 1, "y"), ("s", "b", 0, "x")], columns=CHOICE)
    theirs = pd.DataFrame([("s", "a", 0, "y"), ("s", "a", 1, "z"), ("t", "b", 0, "x")], columns=CHOICE)
    shared = choices.count_shared(ours, theirs, ["region", "group"])
    assert shared.to_numpy().tolist() == [["s", "a", 1, 2], ["s", "b", 0, 1]]
    assert choices.count_shared(ours, theirs[:0], ["group"])["same"].tolist() == [0, 0]
