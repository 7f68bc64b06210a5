"""The whole chapter, on the bundled table and on labels as the authors released them."""

import json
from pathlib import Path

import pandas as pd
import pytest

from autobuild_book.chapters.panoptic.choice import REGIONS
from autobuild_book.runs.tables import faults

ROOT = Path(__file__).resolve().parents[4]


@pytest.mark.slow
@pytest.mark.parametrize("source", ["released", "bundled"])
def test_the_notebook(cache: Path, tmp_path: Path, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the authors' format everything runs but what needs measuring; on the bundled table nothing new is measured."""
    papermill = pytest.importorskip("papermill")
    monkeypatch.setenv("AUTOBUILD_DATA", str(cache.parent))
    given = {"profile": "quick", "epochs": 1, "tuned_epochs": 1, "seeds": 1, "sizes": [20], "hosts": 1, "budget": 0}
    given |= {"data": "released:ofa_mbv3_pan_seg" if source == "released" else "bundled", "out": str(tmp_path / "out")}
    papermill.execute_notebook(ROOT / "notebooks" / "05_panoptic.ipynb", tmp_path / "done.ipynb", given,
                               kernel_name="python3", progress_bar=False, cwd=ROOT)  # fmt: skip
    folder = tmp_path / "out" / "05_panoptic"
    record = json.loads((folder / "metrics.json").read_text())
    assert record["data"][0]["kind"] == ("released" if source == "released" else "measured here")
    built = pd.read_csv(folder / "built.csv")
    assert set(built["region"]) == set(REGIONS) and len(built) == 3 * 5 * built["group"].nunique()
    assert not list(folder.rglob("final.csv")) and not faults(folder / "metrics.json", record)
    if source == "released":
        assert record["metrics"]["verdict"] == "undecided" and built["group"].nunique() == 4
        assert record["metrics"]["agreement"] == []
