"""Commands whose output is not read, not writable, or not there: their files are written all the same."""

import io
import json
import os
import sys
from pathlib import Path

import pytest

import autobuild_lib as ab
from autobuild_book import cli
from autobuild_lib.progress import progress_bar

EVALUATOR = """
import pandas as pd


def count(architectures):
    return pd.DataFrame({"good": [sum(a.depths) for a in architectures], "cost": [1.0] * len(architectures)})
"""
COMMANDS = {
    "score": "score --predictor predictor --out OUT",
    "build": "build --predictor predictor --k 2 --out OUT",
    "search": "search --reduced reduced.json --evaluator patient_count:count --maximise good --minimise cost --start 4 "
    "--rounds 1 --mutations 2 --workers 0 --out OUT",
    "compare": "compare runs --out OUT",
}


@pytest.fixture(scope="module")
def folder(toy: ab.SequenceSpace, toy_table: ab.data.Table, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A predictor, a reduced space, an evaluator and two runs."""
    place = tmp_path_factory.mktemp("streams")
    predictor = ab.fit(toy, toy_table, "additive", epochs=2, progress=False)
    predictor.save(place / "predictor")
    ab.score_units(predictor).top(2).save(place / "reduced.json")
    (place / "patient_count.py").write_text(EVALUATOR)
    for seed in (0, 1):
        run = place / "runs" / f"seed-{seed}" / "01_x" / "metrics.json"
        run.parent.mkdir(parents=True)
        record = {"notebook": "01_x", "parameters": {"seed": seed}, "data": [], "versions": {}, "seconds": 1.0}
        run.write_text(json.dumps(record | {"metrics": {"srcc": seed / 2}}))
    return place


@pytest.fixture
def in_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    return folder


def unread() -> int:
    """A pipe whose reader has gone, as with `| head -1`."""
    reader, writer = os.pipe()
    os.close(reader)
    return writer


def full() -> int:
    return os.open("/dev/full", os.O_WRONLY)


def replace(monkeypatch: pytest.MonkeyPatch, name: str, number: int) -> io.TextIOWrapper:
    """Make a file the standard output or error of this process."""
    stream = io.TextIOWrapper(io.BufferedWriter(io.FileIO(number, "w")), "utf-8", line_buffering=name == "stderr")
    monkeypatch.setattr(sys, name, stream)
    monkeypatch.setattr(sys, f"__{name}__", stream)
    return stream


def written(out: Path) -> bool:
    return (out / "comparison.png" if out.is_dir() else out).stat().st_size > 0


@pytest.mark.parametrize("command", COMMANDS)
class TestStandardOutput:
    def test_a_reader_that_has_gone_is_no_error(
        self, in_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
    ) -> None:
        with replace(monkeypatch, "stdout", unread()):
            code = cli.main(COMMANDS[command].replace("OUT", str(tmp_path / "out")).split())
        assert code == 0 and written(tmp_path / "out")

    def test_a_full_disk_is_one_line_and_the_file_is_there(
        self, in_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
        command: str,
    ) -> None:  # fmt: skip
        with replace(monkeypatch, "stdout", full()):
            code = cli.main(COMMANDS[command].replace("OUT", str(tmp_path / "out")).split())
        assert code == 1 and written(tmp_path / "out")
        assert capsys.readouterr().err.splitlines()[-1].startswith("autobuild: standard output: ")

    def test_streams_that_are_closed_are_no_error(
        self, in_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
    ) -> None:
        for name in ("stdout", "__stdout__", "stderr", "__stderr__"):
            monkeypatch.setattr(sys, name, None)
        assert cli.main(COMMANDS[command].replace("OUT", str(tmp_path / "out")).split()) == 0
        assert written(tmp_path / "out") and sys.stdout is None


@pytest.mark.parametrize("make", [unread, full])
def test_errors_that_cannot_be_shown_are_exit_codes(monkeypatch: pytest.MonkeyPatch, make: object) -> None:
    with replace(monkeypatch, "stderr", make()):  # type: ignore[operator]
        assert cli.main(["score", "--predictor", "nowhere"]) == 1


def test_bars_need_no_standard_error(
    toy: ab.SequenceSpace, toy_table: ab.data.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    assert list(progress_bar(range(3), "counting")) == [0, 1, 2]
    predictor = ab.fit(toy, toy_table, "additive", epochs=1)
    assert len(ab.score_units(predictor))
    with progress_bar(desc="waiting", total=2) as bar:
        bar.update()


def test_only_one_module_makes_bars() -> None:
    folder = Path(ab.__file__).parent
    using = [path.name for path in folder.rglob("*.py") if "tqdm" in path.read_text(encoding="utf-8")]
    assert using == ["progress.py"]
