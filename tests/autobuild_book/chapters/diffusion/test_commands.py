"""The commands `autobuild task diffusion ...`."""

import argparse
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from autobuild_book.chapters.diffusion import bundled_rows, choice, commands, pictures
from autobuild_book.chapters.diffusion.task import measuring, metrics
from autobuild_book.chapters.diffusion.task.measuring import Job, Measurement, rows_to_csv, sample_architectures
from autobuild_book.chapters.shared.few_labels import EFFECT, NORM
from autobuild_book.cli import tasks
from autobuild_lib.storage import replace_text


def run(*arguments: object) -> None:
    parser = argparse.ArgumentParser()
    tasks.add_tasks(parser)
    given = parser.parse_args(["diffusion", *map(str, arguments)])
    given.run(given)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What `measure` was called with."""
    found: list[tuple[Any, ...]] = []

    def measure(architectures: Any, seeds: Any, out: Any, **options: Any) -> list[int]:
        found.append((architectures, seeds, out, options))
        return [0] * (len(architectures) * len(seeds))

    monkeypatch.setattr(measuring, "measure", measure)
    return found


def test_measure_a_sample(calls: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("measure", "--sample", 5, "--out", tmp_path / "rows.csv")
    assert calls == [(sample_architectures(5), [0, 1], tmp_path / "rows.csv", {"half": "labels", "workers": 1})]
    assert capsys.readouterr().out == f"10 rows of 5 architectures are in {tmp_path / 'rows.csv'}\n"


def test_measure_a_file(calls: list[Any], tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("\n".join(map(str, sample_architectures(2))))
    options = ["--seeds", 3, 4, 5, "--half", "final", "--workers", 2, "--out", tmp_path / "rows.csv"]
    run("measure", "--architectures", tmp_path / "mine.txt", *options)
    assert calls == [(sample_architectures(2), [3, 4, 5], tmp_path / "rows.csv", {"half": "final", "workers": 2})]


def test_a_place_that_cannot_be_written_is_refused_before_the_work(calls: list[Any], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="cannot write into"):
        run("measure", "--sample", 1, "--out", tmp_path / "file" / "rows.csv")
    assert calls == []


@pytest.mark.parametrize(
    "wrong",
    ["measure --out o", "measure --sample 0 --out o", "measure --sample 1", "measure --sample 1 --seeds -1 --out o",
     "measure --sample 1 --workers 0 --out o", "measure --sample 1 --half test --out o", "table", "features", "",
     "measure --sample 1 --architectures a --out o"],
)  # fmt: skip
def test_wrong_usage(calls: list[Any], wrong: str) -> None:
    with pytest.raises(SystemExit) as stop:
        run(*wrong.split())
    assert stop.value.code == 2 and calls == []


def test_the_table_joins_the_manifest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = []
    for i, architecture in enumerate(sample_architectures(4)):
        keys = [Job(architecture, seed).key for seed in (0, 1)]
        rows += [Measurement(*k, i + 0.1 * s * i, 0.1 * i + s, 1.0 * i - s * i, 10 * i, 5, 1.0, "m")
                 for s, k in enumerate(keys)]  # fmt: skip
    replace_text(tmp_path / "rows.csv", rows_to_csv(rows))
    (tmp_path / "manifest.json").write_text(json.dumps({"other": {"rows": 1}}))
    run("table", "--rows", tmp_path / "rows.csv", "--folder", tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert list(manifest) == ["other", "diffusion_unets"] and manifest["other"] == {"rows": 1}
    assert manifest["diffusion_unets"]["rows"] == 4 and (tmp_path / "diffusion_unets.csv").is_file()
    out = capsys.readouterr().out
    assert "(4 architectures)" in out and "shared_seeds" in out and "log_distance" in out


def test_features_are_trained_into_the_file_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "train_features", lambda path: path.write_text("weights"))
    run("features", "--out", tmp_path / "f.safetensors")
    assert (tmp_path / "f.safetensors").read_text() == "weights"


def test_choices_are_written_for_people_and_for_measure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = list(map(str, sample_architectures(2)))
    rows = [("s", "g", 0, texts[1]), ("s", "h", 0, texts[0]), ("t", "g", 0, texts[1])]
    chosen = pd.DataFrame(rows, columns=bundled_rows.CHOICE)
    asked = []
    monkeypatch.setattr(commands.data, "load", lambda name: name)
    monkeypatch.setattr(choice, "choose_from", lambda *arguments: (asked.append(arguments), chosen)[1])
    run("choose", "--out", tmp_path / "made")
    assert asked == [("diffusion_unets", choice.SEEDS, choice.STEPS, tmp_path / "made" / "predictors")]
    assert pd.read_csv(tmp_path / "made" / "choices.csv").equals(chosen)
    listed = measuring.read_architectures(tmp_path / "made" / "choices.txt")
    assert list(map(str, listed)) == [texts[1], texts[0]]
    assert "3 choices, 2 different architectures" in capsys.readouterr().out


def test_what_was_built_joins_the_entry_of_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(bundled_rows, "write_finals", lambda *arguments: (asked.append(arguments), {"b.csv": "12"})[1])
    entries = {"other": {"rows": 1}, "diffusion_unets": {"rows": 2, "beside": {"a.csv": "34", "b.csv": "old"}}}
    (tmp_path / "manifest.json").write_text(json.dumps(entries))
    run("built", "--choices", "c.csv", "--rows", "r.csv", "--folder", tmp_path)
    assert asked == [(Path("c.csv"), Path("r.csv"), tmp_path)]
    entries["diffusion_unets"]["beside"] = {"a.csv": "34", "b.csv": "12"}
    assert json.loads((tmp_path / "manifest.json").read_text()) == entries


def test_pictures_are_of_the_first_choices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = sample_architectures(2)
    rows = [(choice.AS_BEST, NORM, 0, str(one)), (choice.AS_BEST, EFFECT, 0, str(two)),
            (choice.AS_BEST, choice.BEST, 0, str(two)), (choice.ANY, NORM, 0, str(two))]  # fmt: skip
    asked = []
    monkeypatch.setattr(bundled_rows, "final_choices", lambda: pd.DataFrame(rows, columns=bundled_rows.CHOICE))
    monkeypatch.setattr(pictures, "draw_pictures", lambda *arguments: (asked.append(arguments), {})[1])
    monkeypatch.setattr(pictures, "write_pictures", lambda *arguments: (asked.append(arguments), {"p": "1"})[1])
    (tmp_path / "manifest.json").write_text(json.dumps({"diffusion_unets": {}}))
    run("pictures", "--seed", 103, "--folder", tmp_path)
    assert asked == [([two, one], 103), ({}, 103, tmp_path)], "each architecture is trained once"
