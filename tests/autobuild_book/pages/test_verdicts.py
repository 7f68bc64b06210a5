"""The page of verdicts: a table, and what unfolds about each claim."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from autobuild_book.pages import claims, elsewhere, states, verdicts
from autobuild_book.pages.executed import Executed
from autobuild_book.pages.numbers import MARGIN, WIDTH, Number, drawing, from_check, from_difference, from_estimate
from tests.helpers.small_book import remove, write_small_book

ROOT = Path(__file__).resolve().parents[3]
NOTEBOOKS = ROOT / "notebooks"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository in which the chapters with claims have run."""
    write_small_book(tmp_path)
    return tmp_path


class TestVerdicts:
    def table(self, root: Path) -> str:
        return verdicts.verdicts(states.read_chapters("quick", root), elsewhere.read_elsewhere(root))

    def about(self, root: Path, name: str) -> str:
        """What unfolds about a claim."""
        return self.table(root).split(f"{{dropdown}} {name}: ")[1].split("````")[0]

    def test_a_row_has_number_interval_data_verdict_and_links(self, repository: Path) -> None:
        first = self.about(repository, "C1")
        assert "hop 1 beats hop 0: +0.5 [+0.1, +0.9] (holds)" in first
        assert "**partly**. Data: surrogate.\n" in first and "figure-srcc-by-hop" in first
        assert f"Rule: {claims.CLAIMS[0].rule}" in first and "Beside the rule" not in first
        assert "/artifacts/book/01_predictor_srcc.ipynb#verdict-on-claim-c1" in first

    def test_a_claim_that_trained_networks_judge_has_both_verdicts(self, repository: Path) -> None:
        first, second = (self.about(repository, name) for name in ("C1", "C2"))
        assert "paper's preset: not supported**" in first
        assert first.count("trained: +0.5 [+0.1, +0.9] (fails)") == 1
        assert "same rule: partly" in first
        assert "trained networks" not in second
        row = self.table(repository).split("\n* - ")[2].splitlines()
        assert row[1:3] == ["  - [partly]{.verdict .partly}", "  - [not supported]{.verdict .not-supported}"]

    def test_it_begins_with_what_held(self, repository: Path) -> None:
        first = "Of 7 claims: *supported* 2 (C5, C7); *partly* 2 (C1, C4); *not supported* 1 (C2); *undecided* 1 (C3); "
        assert self.table(repository).startswith(f"{first}*{states.NOT_RUN_HERE}* 1 (C6). ")

    def test_quick_verdicts_are_not_to_be_quoted(self, repository: Path) -> None:
        assert verdicts._weight("quick") in self.table(repository).splitlines()[0]
        assert "quote" in verdicts._weight("quick") and "quote" not in verdicts._weight("standard")

    def test_estimates_and_checks_of_panels_are_written_out(self, repository: Path) -> None:
        text = self.table(repository)
        judged, beside = self.about(repository, "C4").split("Beside the rule:")
        assert "ofa_pn gpu: 1 of 3 regions (fails)" in judged
        assert "share, mean over 6 panels: 0.500 [0.250, 0.750]" in beside and "share: unknown" in text
        assert re.search("additive ridge, .*: supported", beside)

    def test_a_claim_whose_chapter_has_no_results(self, repository: Path) -> None:
        assert self.table(repository).count(f"**{states.NOT_RUN_HERE}**") == 1  # C6
        remove(repository, "04_pareto_regions")
        text = self.table(repository)
        assert text.count(f"**{states.NOT_RUN_HERE}**") == 3 and "figure-clusters-first" not in text
        assert f"*{states.NOT_RUN_HERE}* 3 (C4, C5, C6)" in text
        assert "{doc}`/artifacts/book/04_pareto_regions`" in text

    def test_sentences_are_quoted(self, repository: Path) -> None:
        judged, beside = self.about(repository, "C7").split("Beside the rule:")
        assert "It wins by 0.1 [0.05, 0.15]." in judged and "**supported**" in judged
        assert "It loses." in beside
        assert "It ties." in beside and re.search("effect score, .*: not supported", beside)

    def test_claims_are_numbered_and_have_one_row_each(self, repository: Path) -> None:
        assert [claim.name for claim in claims.CLAIMS] == [f"C{n}" for n in range(1, 8)]
        assert len(re.findall(r"^\* - \{ref\}`C\d ", self.table(repository), re.MULTILINE)) == 7

    @pytest.mark.parametrize("claim", claims.CLAIMS, ids=lambda claim: claim.name)
    def test_sections_and_figures_are_in_the_notebooks(self, claim: claims.Claim) -> None:
        text = (NOTEBOOKS / f"{claim.notebook}.py").read_text()
        assert re.search(rf"^# #+ {re.escape(claim.section)}$", text, re.MULTILINE)
        assert f"# name: {claim.figure}\n" in text


class TestNumbers:
    def run(self, **metrics: object) -> Executed:
        return Executed("name", Path("name"), {}, {"metrics": metrics})

    @pytest.mark.parametrize(
        ("value", "number"),
        [
            ("+0.12 [-0.5, 0.75], p = 0.03", ("0.12", -0.5, 0.75)),
            (".5 [.25, 1]", ("0.50", 0.25, 1.0)),
            ("3 of 6", None),
            ("0.46 (-0.12 to 0.91)", None),
        ],
    )
    def test_a_check_is_read(self, value: str, number: tuple[str, float, float] | None) -> None:
        rows = [{"check": "other", "value": "1 [0, 2]"}, {"check": "head beats hop 4", "value": value}]
        read = from_check("gain", "head beats", 0)(self.run(checks=rows))
        assert (read and (f"{read.value:.2f}", read.low, read.high)) == number

    @pytest.mark.parametrize(("place", "value"), [(0, 3.0), (1, 2.0), (-1, 1.0), (3, None)])
    def test_of_several_estimates_one_is_chosen_by_its_rank(self, place: int, value: float | None) -> None:
        rows = [{"estimate": f"share {n}", "value": n, "low": None, "high": None} for n in (2.0, None, 3.0, 1.0)]
        read = from_estimate("share", "estimates", "share", 0, place)
        assert getattr(read(self.run(estimates=rows)), "value", None) == value
        assert read(self.run()) is None

    def test_the_smallest_difference_of_a_group(self) -> None:
        rows = [{"difference": n, "low": n - 1, "high": n + 1, "group": g} for n, g in ((1, "a"), (-2, "b"), (0, "a"))]
        read = from_difference("difference", "rows", 0, group="a")(self.run(rows=rows))
        assert read == Number("difference", 0, -1, 1, 0)

    @pytest.mark.parametrize(
        ("low", "high", "text"),
        [(-0.05, 0.125, "0.015 [-0.050, 0.125]"), (-0.5, 1.0, "0.01 [-0.50, 1.00]"), (None, None, "0.015")],
    )
    def test_narrow_intervals_have_more_digits(self, low: float | None, high: float | None, text: str) -> None:
        assert str(Number("a", 0.0149, low, high, 0)) == text

    @pytest.mark.parametrize(
        ("number", "ends"),
        [
            (Number("a < b", 1, 0, 2, 0.5), (MARGIN, WIDTH - MARGIN)),
            (Number("a", 3, 2, 4, 0), (WIDTH / 2, WIDTH - MARGIN)),
            (Number("a", 1, None, None, 1), None),
        ],
    )
    def test_the_drawing_is_to_scale_and_has_a_name(self, number: Number, ends: tuple[float, float] | None) -> None:
        picture = ElementTree.fromstring(drawing(number))  # noqa: S314
        lines = [part for part in picture if part.tag.endswith("line") and part.get("class") != "bar"]
        assert [(float(part.attrib["x1"]), float(part.attrib["x2"])) for part in lines] == ([ends] if ends else [])
        assert picture.attrib["role"] == "img" and picture.attrib["aria-label"].startswith(f"{number.name}: ")
