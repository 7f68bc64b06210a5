"""Verdicts on other processors: kept per run, compared by claim, and told where they differ."""

import re
from pathlib import Path

import pytest

from autobuild_book import cli
from autobuild_book.pages import building, claims, elsewhere
from autobuild_book.pages.states import read_chapters
from autobuild_book.runs.recording import PROFILES
from tests.helpers.small_book import write_small_book

C1, C2 = ("C1", "partly", "hop 4: .5 (fails)"), ("C2", "supported", "tau .61 (holds)")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    write_small_book(tmp_path)
    (tmp_path / "book").mkdir(exist_ok=True)
    return tmp_path


def test_a_run_replaces_its_own_rows_only(tmp_path: Path) -> None:
    (tmp_path / "book").mkdir()
    assert elsewhere.read_elsewhere(tmp_path).empty
    elsewhere.record(tmp_path, "quick", "old, slow", [C1, C2])
    elsewhere.record(tmp_path, "standard", "old, slow", [C1])
    elsewhere.record(tmp_path, "quick", "new", [C1])
    elsewhere.record(tmp_path, "quick", "old, slow", [C2])
    rows = elsewhere.read_elsewhere(tmp_path)
    assert list(rows[["profile", "processor", "claim"]].itertuples(index=False, name=None)) == [
        ("standard", "old, slow", "C1"), ("quick", "new", "C1"), ("quick", "old, slow", "C2")
    ]  # fmt: skip
    (tmp_path / elsewhere.FILE).write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="a, b"):
        elsewhere.read_elsewhere(tmp_path)


def test_the_same_another_verdict_and_nothing_known(tmp_path: Path) -> None:
    (tmp_path / "book").mkdir()
    for processor in ("one", "two"):
        elsewhere.record(tmp_path, "quick", processor, [C1])
    rows = elsewhere.read_elsewhere(tmp_path)
    assert "2 other processors" in elsewhere.note(rows, "quick", "C1", "partly")
    assert elsewhere.note(rows, "standard", "C1", "partly") == elsewhere.note(rows, "quick", "C2", "partly") == ""
    other = elsewhere.note(rows, "quick", "C1", "supported")
    assert "Too close to call" in other and "*partly* on one (hop 4: .5 (fails))" in other


def test_a_verdict_that_changes_is_called_on_its_pages(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(repository)
    assert cli.main(["book", "--profile", "quick", "--record", "this one"]) == 0
    assert "this one" in capsys.readouterr().out
    chapters = read_chapters("quick", repository)
    verdicts = claims.in_short(chapters)
    assert {name: verdict for name, verdict, _ in verdicts}["C1"] == "partly"
    assert claims.close_calls(chapters.executed["01_predictor_srcc"], elsewhere.read_elsewhere(repository)) == []
    elsewhere.record(repository, "quick", "another", [("C1", "not supported", "hop 4: .4 (fails)"), *verdicts[1:]])
    building.collect("quick", repository)
    folder = repository / "artifacts" / "book"
    first, second = ((folder / f"{name}.ipynb").read_text() for name in ("01_predictor_srcc", "02_ir_operations"))
    assert re.search(r"\*partly\* here.*\*not supported\*", first) and "Too close to call" not in second
    table = (folder / "verdicts.md").read_text().split("{dropdown} C1")[1].split("{dropdown} C2")
    assert "**Too close to call**: *not supported* on another (hop 4: .4 (fails))" in table[0]
    assert "2 other processors" in table[1] and "Too close to call" not in table[1]


def test_the_committed_runs_are_of_our_claims_and_profiles() -> None:
    rows = elsewhere.read_elsewhere(Path(__file__).parents[3])
    assert set(rows["profile"]) <= set(PROFILES) and set(rows["verdict"]) <= set(claims.VERDICTS)
    assert set(rows["claim"]) == {claim.name for claim in claims.CLAIMS} and not rows.isna().any().any()
    assert not rows.duplicated(["profile", "processor", "claim"]).any()
