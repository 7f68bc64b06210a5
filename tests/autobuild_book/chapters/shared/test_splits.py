"""Tables split for training and testing."""

from pathlib import Path

import pandas as pd
import pytest

import autobuild_lib as ab
from autobuild_book.chapters.shared.splits import load_splits, subset


@pytest.fixture
def toy_csv(toy_table: ab.data.Table, tmp_path: Path) -> Path:
    frame = pd.DataFrame({"architecture": list(map(str, toy_table.architectures))}).join(toy_table.labels)
    frame.to_csv(tmp_path / "toy.csv", index=False)
    return tmp_path / "toy.csv"


def test_load_splits_takes_the_targets_it_has_labels_for(toy_csv: Path, toy: ab.SequenceSpace) -> None:
    (split,) = load_splits(str(toy_csv), ["additive", "speed", "additive / (other + 20)"], toy)
    assert split.targets == ("additive", "additive / (other + 20)")
    assert (len(split.train), len(split.test), split.family) == (135, 15, "toy")
    assert not set(split.train.architectures) & set(split.test.architectures)


def test_load_splits_knows_one_target_by_its_spellings(toy_csv: Path, toy: ab.SequenceSpace) -> None:
    (split,) = load_splits(str(toy_csv), ["additive", " (additive) ", "additive*2.0", "additive * 2"], toy)
    assert split.targets == ("additive", "additive * 2")


def test_load_splits_errors(toy_csv: Path, toy: ab.SequenceSpace) -> None:
    with pytest.raises(ValueError, match=r"labels additive, other; .* \['speed'\]"):
        load_splits(str(toy_csv), ["speed"], toy)
    with pytest.raises(ValueError, match="no target of"):
        load_splits(str(toy_csv), [], toy)
    with pytest.raises(ValueError, match="not an equation"):
        load_splits(str(toy_csv), ["additive +"], toy)
    with pytest.raises(ab.data.DataError, match="needs its search space"):
        load_splits(str(toy_csv), ["additive"])
    with pytest.raises(FileNotFoundError, match="no such data: 'bundle'"):
        load_splits("bundle", ["additive"], toy)


def test_subsets_are_repeatable_distinct_rows_and_differ_between_seeds(toy_table: ab.data.Table) -> None:
    first, again, other = (subset(toy_table, 30, seed).architectures for seed in (1, 1, 2))
    assert first == again and first != other
    assert len(set(first)) == 30 and set(first) <= set(toy_table.architectures)
    small = subset(toy_table, 10, 1)
    rows = [toy_table.architectures.index(a) for a in small.architectures]
    assert rows == sorted(rows)
    pd.testing.assert_frame_equal(small.labels, toy_table.labels.iloc[rows].reset_index(drop=True))
