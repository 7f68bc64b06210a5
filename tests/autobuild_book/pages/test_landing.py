"""What the landing page shows and says."""

from pathlib import Path

import pytest

from autobuild_book.pages import landing, states
from tests.helpers.small_book import change, curves, remove, write_small_book

MODELS = {name: level for level, name in enumerate(landing.LINES, 1)}
TRAINED = landing.TRAINED


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    write_small_book(tmp_path)
    return tmp_path


def text_of(repository: Path) -> str:
    return landing.landing(states.read_chapters("quick", repository))


def test_curves_are_averaged_over_the_data_sets_that_all_have_a_size() -> None:
    means = landing.mean_curves(curves()).set_index(["model", "size"])
    assert set(means.index) == {(model, size) for model in MODELS for size in (100, 300)}
    for model, level in MODELS.items():
        row = means.loc[(model, 300)]
        assert row["mean"] == pytest.approx(level / 10 + 0.05)
        half = 12.7062 * 0.05  # t of one degree, times s / sqrt 2
        assert row["high"] == pytest.approx(min(1, row["mean"] + half), rel=1e-4)  # a correlation ends at 1


def test_the_verdicts_on_trained_networks_come_first(repository: Path) -> None:
    first, *others = text_of(repository).split("\n- ")[1:]
    assert "paper's preset, 0 of 1" in first and "C1 *not supported*" in first and "(trained)" in first
    assert "*supported* 2 (C5, C7)" in others[0] and "(verdicts)" in others[0]
    assert "{doc}`/artifacts/book/06_diffusion_unets`: *supported*" in others[1] and len(others) == 2


def test_leads_are_quoted_from_the_metrics(repository: Path) -> None:
    change(repository, TRAINED, lambda r: r["metrics"].update(lead="0.05 [0.03, 0.07]", tuned="0.08 [0.07, 0.09]"))
    text = text_of(repository)
    assert 0 < text.index("0.05 [0.03, 0.07]") < text.index("0.08 [0.07, 0.09]")


def test_the_picture_is_described_by_what_it_shows(repository: Path) -> None:
    names = [name for name, _, _ in landing.LINES.values()]
    text = text_of(repository)
    assert "is the highest line" in text and f"{names[-1][1:]} is the" in " ".join(text.split())
    assert f"and {names[0]} the lowest" in " ".join(text.split())
    assert "{figure} /artifacts/book/landing.png" in text


def test_without_the_chapter_there_is_no_picture(repository: Path) -> None:
    remove(repository, TRAINED)
    text = text_of(repository)
    assert "{figure}" not in text and "(trained)" not in text and "(verdicts)" in text
