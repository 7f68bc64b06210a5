"""The rule of claim C7, and the words for how far networks are apart."""

import math

import numpy as np
import pandas as pd
import pytest

from autobuild_book.chapters.diffusion import verdict
from autobuild_book.chapters.diffusion.bundled_rows import CHOICE
from autobuild_book.chapters.diffusion.choice import ANY, AS_BEST, BEST, MOST_MACS
from autobuild_book.chapters.diffusion.final import against_group, values_by_seed
from autobuild_book.chapters.diffusion.task.measuring import sample_architectures
from autobuild_book.chapters.shared.few_labels import EFFECT, NORM, RIDGE
from tests.helpers.unet_tables import unet_row

TEXTS = list(map(str, sample_architectures(3)))
CHOSEN = pd.DataFrame(
    [(AS_BEST, NORM, 0, TEXTS[0]), (AS_BEST, NORM, 1, TEXTS[1]), (AS_BEST, BEST, 0, TEXTS[2])], columns=CHOICE
)


def judged(*p_values: float, group: str = NORM, sign: float = -1.0) -> pd.DataFrame:
    rows = [(AS_BEST, group, place, "x", sign * 0.1, p) for place, p in enumerate(p_values)]
    return pd.DataFrame(rows, columns=[*CHOICE, "difference", "p"])


@pytest.mark.parametrize(
    ("p_values", "text"),
    [
        ((0.02, 0.9), "supported"),  # 0.02 is 0.04 after Holm's correction
        ((0.9, 0.02), "supported"),
        ((0.03, 0.9), "not supported"),  # 0.03 is 0.06
        ((0.03, 0.04), "not supported"),
        ((0.04,), "supported"),
        ((float("nan"),), "not supported"),
        ((), "undecided"),
    ],
)
def test_verdict(p_values: tuple[float, ...], text: str) -> None:
    found = verdict.judge(judged(*p_values))
    assert found.word == text and len(found.checks) == len(p_values)
    assert verdict.judge(judged(*p_values), EFFECT).word == "undecided"


def test_other_settings_do_not_count() -> None:
    assert verdict.judge(judged(0.001).assign(setting=ANY)).word == "undecided"
    assert verdict.judge(judged(0.001, group=RIDGE)).word == "undecided"


@pytest.mark.parametrize("shift", [0.0, 0.05, 0.1, 0.2])
def test_for_two_networks_the_verdict_is_what_the_interval_says(shift: float) -> None:
    """Holm at 5 % one-sided over two is the better one's two-sided 95 % interval."""
    rng = np.random.default_rng(int(100 * shift))
    for _ in range(50):
        noisy = [unet_row(TEXTS[n], s, float(rng.normal(-shift * (n < 2), 0.1))) for n in range(3) for s in range(5)]
        comparison = against_group(values_by_seed(CHOSEN, noisy))
        own = comparison[comparison["group"] == NORM]
        assert (verdict.judge(comparison).word == "supported") == (own["high"].min() < 0)


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [(-0.3, -0.1, "beats"), (0.1, 0.3, "loses to"), (-0.1, 0.1, "cannot be told from"), (math.nan, math.nan, "cannot")],
)
def test_the_sentence_says_plainly_who_wins(low: float, high: float, text: str) -> None:
    row = (AS_BEST, NORM, 0, "x", 9_400_000, -0.2, low, high)
    frame = pd.DataFrame([row], columns=[*CHOICE, "macs", "difference", "low", "high"])
    expected = f"The network built by norm score (no larger than the best) with 9.4 million MACs {text}"
    assert verdict.sentence(frame).startswith(expected)
    both = verdict.sentence(pd.concat([frame.assign(place=1, high=-0.1), frame]))
    assert "Of the 2 networks built" in both and f"number 1 with 9.4 million MACs {text}" in both
    assert "and number 2 with 9.4 million MACs beats" in both
    missing = verdict.sentence(frame, MOST_MACS)
    assert "most MACs" in missing and "not been measured" in missing
