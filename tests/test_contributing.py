"""CONTRIBUTING.md fits on a screen, and what it points at is there."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
TOPICS = {"target", "search space", "label source", "peer to compare with", "chapter", "figure", "lab"}


def test_it_is_one_screen() -> None:
    assert len(TEXT.splitlines()) <= 50 and max(map(len, TEXT.splitlines())) <= 200


def test_places_exist() -> None:
    places = re.findall(r"\b(?:autobuild_lib|autobuild_book|tests|notebooks|book|labs)/[\w/.]*\w", TEXT)
    patterns = {place: re.sub(r"NN_name|NAME|labN_name", "*", place) for place in places}
    assert len(places) > 20 and not [place for place, pattern in patterns.items() if not list(ROOT.glob(pattern))]


def test_every_kind_of_addition_has_a_row() -> None:
    assert {row.split("|")[1].strip() for row in TEXT.splitlines() if row.startswith("| ")} >= TOPICS
