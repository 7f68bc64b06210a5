"""A notebook of an archive runs again, and its tables are compared with those that it made then."""

import json
import zipfile
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from autobuild_book.archives import rerunning, writing
from autobuild_lib.released.checksums import sha256_of
from tests.helpers.commands import Run, assert_refused

CODE = """
import pandas as pd
from autobuild_book.runs.recording import Run
run = Run.start("20_small", globals())
run.table("same", lambda: pd.DataFrame({"x": [seed]}))
run.table("other", lambda: pd.DataFrame({"x": [seed + 0.5], "y": ["b"]}))
run.table("new", lambda: pd.DataFrame({"x": [1]}))
run.finish(srcc=seed / 10)
run.provenance()
"""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of one run, in which one table was another and one was not made."""
    root = tmp_path_factory.mktemp("runs")
    cells = [nbformat.v4.new_code_cell('profile = "quick"\nseed = 1\nout = "."'), nbformat.v4.new_code_cell(CODE)]
    cells[0].metadata["tags"] = ["parameters"]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), root / "20_small.ipynb")
    from autobuild_book.chain import job

    out = root / "out"
    words = json.dumps({"profile": "quick", "seed": 7, "out": str(out)})
    assert job.main(["20_small", words, str(root / "20_small.ipynb")]) == 0
    pd.DataFrame({"x": [7.25], "y": ["a"]}).to_csv(out / "20_small" / "other.csv", index=False)
    (out / "20_small" / "new.csv").unlink()
    record = json.loads((metrics := out / "20_small" / "metrics.json").read_text())
    del record["tables"]["new"]
    record["tables"]["other"]["sha256"] = sha256_of(out / "20_small" / "other.csv")
    metrics.write_text(json.dumps(record))
    writing.write(out, root / "out.zip")
    return root / "out.zip"


@pytest.mark.slow
def test_tables_are_compared(archive: Path, tmp_path: Path) -> None:
    lines, same = rerunning.rerun(archive, "20_small", out := tmp_path / "again")
    assert lines[:2] == ["new.csv: was not there", "other.csv: differs in x, y (by at most 0.25)"]
    assert lines[2].startswith("1 of 3 tables") and lines[3].startswith("1 of 1 metrics") and not same
    assert pd.read_csv(out / "20_small" / "same.csv").x.tolist() == [7]  # with the archive's parameters
    assert (out / "20_small.ipynb").is_file() and (out / "archived" / "20_small" / "other.csv").is_file()


@pytest.mark.slow
def test_what_cannot_be_rerun_is_refused(archive: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="choose from 20_small"):
        rerunning.rerun(archive, "21_none", tmp_path / "none")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()
    with pytest.raises(ValueError, match="holds files"):
        rerunning.rerun(archive, "20_small", tmp_path / "full")
    assert [path.name for path in tmp_path.iterdir()] == ["full"]


class TestTables:
    def compare(self, folder: Path, then: str | None, now: str | None) -> list[str]:
        for name, text in {"then": then, "now": now}.items():
            (folder / name).mkdir()
            if text is not None:
                (folder / name / "t.csv").write_text(text)
        return rerunning.compare_tables(folder / "then", folder / "now", 0.0)[0]

    @pytest.mark.parametrize(
        ("then", "now", "line"),
        [
            ("x\n1\n", "x\n1\n", "1 of 1"),
            ("x\n1\n", None, "t.csv: was not made"),
            ("x\n1\n", "x\n1\n2\n", "t.csv: differs: 1 rows"),
            ("x\n1\n", "y\n1\n", "t.csv: differs: "),
            ("x\n1\n", "x\n1.0\n", "t.csv: differs in x (by at most 0)"),
            ("x\n1\n", "x\r\n1\n", "t.csv: differs in its form"),
            ("x,y\n1,a\n", "x,y\n1,b\n", "t.csv: differs in y"),
            ("x\n\n", "x\nb\n", "t.csv: differs"),
            ("", "x\n1\n", "t.csv: differs"),
            ("x\n\xff", "x\n1\n", "t.csv: differs"),
        ],
    )
    def test_how_they_differ(self, tmp_path: Path, then: str, now: str | None, line: str) -> None:
        assert self.compare(tmp_path, then, now)[0].startswith(line)

    @pytest.mark.parametrize(
        ("now", "alike"), [("x,y\n1.004,a\n", True), ("x,y\n1.02,a\n", False), ("x,y\n1,b\n", False)]
    )
    def test_numbers_of_another_machine_may_differ_a_little(self, tmp_path: Path, now: str, alike: bool) -> None:
        self.compare(tmp_path, "x,y\n1,a\n", now)
        folders = tmp_path / "then", tmp_path / "now"
        assert rerunning.compare_tables(*folders, 0.01)[1] == alike
        assert not rerunning.compare_tables(*folders, 0.0)[1]


METRICS = {"srcc": 0.5, "rows": [{"verdict": "supported", "n": 3}], "none": None}


@pytest.mark.parametrize(
    ("now", "tolerance", "different"),
    [
        (METRICS, 0.0, []),
        (METRICS | {"srcc": 0.502}, 0.01, []),
        (METRICS | {"srcc": 0.5000001}, 0.0, ["srcc"]),
        (METRICS | {"srcc": 0.52}, 0.01, ["srcc"]),
        (METRICS | {"rows": [{"verdict": "undecided", "n": 3}]}, 0.01, ["rows[0].verdict"]),
        (METRICS | {"more": 1}, 0.0, ["more"]),
        ({"srcc": 0.5, "none": None}, 0.0, ["rows[0].verdict", "rows[0].n"]),
        (METRICS | {"none": 0.0}, 0.01, ["none"]),
    ],
)
def test_metrics_are_compared(now: dict[str, object], tolerance: float, different: list[str]) -> None:
    lines, same = rerunning.compare_metrics(METRICS, now, tolerance)
    assert [line.split()[1].rstrip(":") for line in lines[:-1]] == different and same == (not different)


class TestCommands:
    def test_a_table_that_no_run_wrote_so_is_not_archived(self, run: Run, runs: Path) -> None:
        folder = runs / "01_predictor_srcc"
        record = json.loads((folder / "metrics.json").read_text())
        record["tables"] = {"ranks": {"sha256": sha256_of(folder / "ranks.csv"), "rows": 2}}
        (folder / "metrics.json").write_text(json.dumps(record))
        assert run("archive", runs)[0] == 0
        (folder / "stray.csv").write_text("x\n1\n")
        assert_refused(run("archive", runs), "stray.csv: not listed")
        (folder / "stray.csv").unlink()
        (folder / "ranks.csv").write_text("x\n1\n3\n")
        assert_refused(run("archive", runs), "ranks.csv: changed since")
        (folder / "ranks.csv").unlink()
        assert_refused(run("archive", runs), "ranks.csv: missing")

    def test_a_folder_is_no_archive(self, run: Run, runs: Path) -> None:
        assert_refused(run("verify", runs), "a folder")

    def test_archive_and_verify(self, run: Run, runs: Path) -> None:
        code, out, _ = run("archive", runs)
        assert code == 0 and "quick.crate.zip" in out and "sha256 " in out
        assert run("verify", runs.with_name("quick.crate.zip"))[0] == 0
        assert_refused(run("verify", runs / "none.zip"), "none.zip")
        assert_refused(run("archive", runs / "none"), "none")
        assert_refused(run("verify", runs.with_name("quick.crate.zip"), "--rerun", "01"), "--out")

    def test_every_problem_is_printed(self, run: Run, archive: Path, tmp_path: Path) -> None:

        (path := tmp_path / "x.zip").write_bytes(archive.read_bytes())
        with zipfile.ZipFile(path, "a") as opened:
            opened.writestr("one", b"")
            opened.writestr("two", b"")
        code, out, err = run("verify", path)
        assert code == 1 and len(out.splitlines()) == 2 and err.count("\n") == 1
