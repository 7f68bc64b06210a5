"""An archive of a small book's runs."""

from pathlib import Path

import pandas as pd
import pytest

from autobuild_book.archives import writing
from tests.helpers.small_book import write_small_book


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of runs; the commands work beside it."""
    write_small_book(tmp_path)
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "artifacts" / "quick"
    pd.DataFrame({"x": [1, 2]}).to_csv(folder / "01_predictor_srcc" / "ranks.csv", index=False)
    return folder


@pytest.fixture
def archive(runs: Path) -> Path:
    path = runs.with_name("quick.crate.zip")
    writing.write(runs, path)
    return path
