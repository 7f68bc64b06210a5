"""The gallery: the committed sweep, its figure and its table; and what does not belong together."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from autobuild_book.pages.gallery import gallery
from autobuild_book.runs.sweeps import plan_sweep

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "book" / "gallery"

pytestmark = pytest.mark.skipif(not (FOLDER / "comparison.csv").is_file(), reason="the sweep has not run yet")


def test_the_committed_sweep_is_the_one_on_the_page() -> None:
    settings = ["architectures=150,600", "seed=0..2"]
    plan = plan_sweep("00_method", settings, "quick", folder=ROOT / "notebooks")
    committed = json.loads((FOLDER / "sweep.json").read_text())
    assert committed == {"notebook": plan.notebook, "profile": plan.profile, "runs": plan.runs}
    assert all(f"--set {setting}" in (ROOT / "book" / "gallery.md").read_text() for setting in settings)


def test_the_figure_and_the_table_come_from_it_and_are_always_the_same() -> None:
    made = gallery(FOLDER)
    table = pd.read_csv(FOLDER / "comparison.csv")
    assert made["gallery_table.md"].splitlines()[0].count("|") == len(table.columns) and "<svg" in made["gallery.svg"]
    assert len(made["gallery_table.md"].splitlines()) == len(table) + 2 and made == gallery(FOLDER)


@pytest.mark.parametrize("wrong", ["fewer", "other", "empty"])
def test_a_table_of_other_runs_is_refused(tmp_path: Path, wrong: str) -> None:
    shutil.copytree(FOLDER, tmp_path / "gallery")
    table = pd.read_csv(FOLDER / "comparison.csv")
    changed = {"fewer": table[1:], "other": table.replace(table.run[0], "seed-9")}
    changed |= {"empty": table.assign(srcc_head=None)}
    changed[wrong].to_csv(tmp_path / "gallery" / "comparison.csv", index=False)
    with pytest.raises(ValueError, match=r"comparison\.csv: .* sweep\.json"):
        gallery(tmp_path / "gallery")
