"""Which tables of trained networks are here."""

import shutil
from pathlib import Path

import pytest

from autobuild_book.chapters.trained import sources


def test_what_is_not_here_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AUTOBUILD_DATA", str(tmp_path))
    states = sources.present().set_index("source").state
    assert states["nas-bench-graph:cora"] == sources.HERE and "fetch help-ofa" in states["help-ofa:v100_32"]


def test_a_cut_download_is_not_here(monkeypatch: pytest.MonkeyPatch, datasets: Path, tmp_path: Path) -> None:
    monkeypatch.setenv("AUTOBUILD_DATA", str(tmp_path))
    shutil.copytree(datasets / "help-ofa", tmp_path / "help-ofa", copy_function=shutil.copyfile)
    assert sources.present().set_index("source").state["help-ofa"] == sources.HERE == "here"
    path = tmp_path / "help-ofa" / "ofa_archs.pt"
    path.write_bytes(path.read_bytes()[:300])
    states = sources.present().set_index("source").state
    assert states["help-ofa"] == states["help-ofa:v100_1"]
    assert states["help-ofa"] == "damaged, ofa_archs.pt: run `autobuild data fetch help-ofa`"


def test_what_is_here_is_here(monkeypatch: pytest.MonkeyPatch, datasets: Path) -> None:
    monkeypatch.setenv("AUTOBUILD_DATA", str(datasets))
    table = sources.present().set_index("source")
    assert (table.state == sources.HERE).all() and table.networks["accel-nasbench"] == 5125
