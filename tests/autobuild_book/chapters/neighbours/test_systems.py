"""The list of systems: what it says of each can be looked up, and names models that exist."""

import re
from pathlib import Path

import pytest

from autobuild_book.chapters.neighbours import systems
from autobuild_book.chapters.neighbours.contests import MODELS
from autobuild_book.chapters.neighbours.registry import NEIGHBOURS

ROOT = Path(__file__).resolve().parents[4]
EVERY = (*systems.SYSTEMS, systems.AUTOBUILD)


@pytest.mark.parametrize("system", EVERY, ids=lambda system: system.name)
def test_a_system_stands_in_the_bibliography_under_its_year(system: systems.System) -> None:
    entries = re.findall(r"@\w+\{(\w+),(.*?)\n\}", (ROOT / "book" / "references.bib").read_text(), re.DOTALL)
    assert re.search(rf"year\s*= \{{{system.year}\}}", dict(entries)[system.key])


@pytest.mark.parametrize("system", EVERY, ids=lambda system: system.name)
def test_a_system_names_models_and_a_verdict(system: systems.System) -> None:
    assert set(system.models) <= set(MODELS) and system.family in systems.FAMILIES
    assert system.verdict in (systems.FAITHFUL, systems.SMALLER, systems.DIFFERS) and system.why and system.shares


def test_every_model_belongs_to_a_system() -> None:
    named = [model for system in systems.SYSTEMS for model in system.models]
    assert set(NEIGHBOURS) == set(named) and len(named) == len(set(named))


def test_every_system_has_a_section_of_the_notebook() -> None:
    text = (ROOT / "notebooks" / "13_neighbours.py").read_text(encoding="utf-8")
    assert all(f"`{system.key}`" in text for system in systems.SYSTEMS)
    assert set(re.findall(r'standing\("(.*?)"\)', text)) == {system.name for system in systems.SYSTEMS}


def test_systems_are_looked_up_by_name() -> None:
    assert systems.find_system("GATES").key == "ning2020generic"
    with pytest.raises(ValueError, match=r"'gates'.*GATES"):
        systems.find_system("gates")
    assert list(systems.overview(systems.SYSTEMS).index) == [system.name for system in systems.SYSTEMS]
