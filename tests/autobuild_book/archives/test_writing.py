"""Archives hold what runs left and were made of, the same bytes each time, and no folder of the machine."""

import hashlib
import json
import zipfile
from pathlib import Path

import pytest
from rocrate.rocrate import ROCrate

from autobuild_book.archives import verifying, writing
from tests.helpers.small_book import DIGEST, change, fail


def texts(archive: Path) -> dict[str, str]:
    with zipfile.ZipFile(archive) as opened:
        return {name: opened.read(name).decode() for name in opened.namelist()}


def test_an_archive_has_no_problems_and_lists_all_files(runs: Path, archive: Path) -> None:
    assert verifying.problems(archive) == []
    files = texts(archive)
    assert {"01_predictor_srcc.ipynb", "01_predictor_srcc/ranks.csv", "README.md"} < files.keys()
    metrics = json.loads(files["04_pareto_regions/metrics.json"])
    assert metrics["notebook"] == "04_pareto_regions" and metrics["sources"] == DIGEST
    assert files["01_predictor_srcc/ranks.csv"].encode() == (runs / "01_predictor_srcc" / "ranks.csv").read_bytes()


def test_another_program_reads_what_each_run_was_made_of(archive: Path, tmp_path: Path) -> None:
    crate = ROCrate(archive)
    assert "MIT" in crate.license["name"] and "2403.13293" in crate.root_dataset["citation"].id
    assert crate.root_dataset["datePublished"].startswith("2026-01-02T03:04:05")
    action = crate.get("#run-01_predictor_srcc")
    assert {file.id for file in action["result"]} >= {"01_predictor_srcc.ipynb", "01_predictor_srcc/ranks.csv"}
    assert [len(table["sha256"]) for table in action["object"]] == [64]
    assert {tool["name"] for tool in action["instrument"]} == {"autobuild-book", "torch", "python"}
    assert "Linux, 2 cores" in action["description"] and "tuned_seeds 2" in action["description"]
    (ranks,) = (file for file in action["result"] if file.id.endswith("ranks.csv"))
    assert ranks["sha256"] == hashlib.sha256(b"x\n1\n2\n").hexdigest() and ranks["contentSize"] == "6"


def test_the_same_runs_make_the_same_bytes(runs: Path, archive: Path, tmp_path: Path) -> None:
    lines = writing.write(runs, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == archive.read_bytes()
    assert lines[-1] == f"sha256 {hashlib.sha256(archive.read_bytes()).hexdigest()}"


def test_no_folder_of_the_machine_gets_in(runs: Path, tmp_path: Path) -> None:
    table = tmp_path / "private place" / "mine.csv"
    path = runs / "01_predictor_srcc.ipynb"
    notebook = json.loads(path.read_text())
    notebook["metadata"]["papermill"]["parameters"] |= {"data": str(table)}
    notebook["metadata"]["papermill"]["input_path"] = str(Path.home() / "clone" / "01_predictor_srcc.ipynb")
    path.write_text(json.dumps(notebook))
    change(tmp_path, "01_predictor_srcc", lambda record: record["parameters"].update(data=str(table)))
    (runs / "01_predictor_srcc" / "ranks.csv").write_text(f"file\n{table}\n{runs}/x\n")
    writing.write(runs, tmp_path / "out.zip")
    files = texts(tmp_path / "out.zip")
    assert files["01_predictor_srcc/ranks.csv"] == "file\nmine.csv\nx\n"
    everything = "".join(files.values())
    assert not [place for place in (tmp_path, Path.home()) if f"{place}/" in everything]
    assert verifying.problems(tmp_path / "out.zip") == []


def test_what_failed_is_left_out_and_said(runs: Path, tmp_path: Path) -> None:
    (runs / "03_subgraph_ranking" / "metrics.json").unlink()
    fail(tmp_path, "01_predictor_srcc")
    lines = writing.write(runs, tmp_path / "out.zip")
    assert [line for line in lines if line.startswith("left out: 03_subgraph_ranking")]
    assert not [name for name in texts(tmp_path / "out.zip") if "01_pred" in name or "03_sub" in name]


def test_runs_of_a_sweep_keep_their_folders(runs: Path, tmp_path: Path) -> None:
    writing.write(runs.parent, tmp_path / "out.zip")
    assert "quick/01_predictor_srcc/metrics.json" in texts(tmp_path / "out.zip")


def test_a_folder_without_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no notebook"):
        writing.write(tmp_path, tmp_path / "out.zip")
    assert not (tmp_path / "out.zip").exists()
