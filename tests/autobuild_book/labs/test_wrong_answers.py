"""Wrong answers of students: none earns a point, most get a hint that names the mistake, and none another mistake's."""

from collections import Counter
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

import autobuild_lib as ab
from autobuild_book.labs import embeddings, importances, modules, regions
from autobuild_book.labs.answers import UNKNOWN
from autobuild_book.labs.verdicts import AnswerError
from tests.helpers import independent_answers, wrong_answers, wrong_readings
from tests.helpers.wrong_answers import Wrong

LEAST_NAMED = 0.8  # of all wrong answers
FEWEST = {"lab1": 90, "lab2": 60, "lab3": 60, "lab4": 60}
GROUPS = {
    "norms": "no ranks", "large strength": "no ranks", "hard": "too hard", "small strength": "too hard",
    "unsorted": "another gap", "second": "another gap", "cluster's budget": "budget",
    "reversed": "other order", "sorted": "other order",
    "correlation of norms": "other correlation", "correlation of hard ranks": "other correlation",
}  # fmt: skip


@pytest.fixture(scope="session")
def every(
    made: SimpleNamespace, drawn: list[ab.Architecture], batch: tuple[Any, Any],
    lab1: embeddings.Lab, lab2: importances.Lab, lab3: modules.Lab, lab4: regions.Lab,
) -> dict[str, tuple[Any, list[Wrong]]]:  # fmt: skip
    aimed = SimpleNamespace(**vars(made) | {"predictor": made.aimed})
    return {
        "lab1": (lab1, [*wrong_answers.of_lab1(lab1, batch)]),
        "lab2": (lab2, [*wrong_readings.of_lab2(lab2, made)]),
        "lab3": (lab3, [*wrong_readings.of_lab3(lab3, aimed)]),
        "lab4": (lab4, [*wrong_answers.of_lab4(lab4, drawn)]),
    }


@pytest.fixture(scope="session")
def independent(
    made: SimpleNamespace, drawn: list[ab.Architecture],
    lab1: embeddings.Lab, lab2: importances.Lab, lab3: modules.Lab, lab4: regions.Lab,
) -> list[tuple[Any, list[Wrong]]]:  # fmt: skip
    aimed = SimpleNamespace(**vars(made) | {"predictor": made.aimed})
    return [
        (lab1, [*independent_answers.of_lab1(lab1)]),
        (lab2, [*independent_answers.of_lab2(lab2, made)]),
        (lab3, [*independent_answers.of_lab3(lab3, aimed)]),
        (lab4, [*independent_answers.of_lab4(lab4, drawn)]),
    ]


def judged(lab: Any, answers: list[Wrong]) -> Iterator[tuple[Wrong, AnswerError]]:
    for wrong in answers:
        try:
            getattr(lab, wrong.check)(*wrong.arguments)
        except AnswerError as error:
            yield wrong, error
        else:
            pytest.fail(f"{wrong.check} takes {wrong.mistake!r} for right")


def kind(wrong: Wrong, error: AnswerError) -> str:
    if not error.mistake:
        return "not named"
    return "named" if error.mistake in (wrong.mistake, GROUPS.get(wrong.mistake)) else "misleading"


@pytest.mark.parametrize("name", FEWEST)
def test_hints_name_the_mistake(name: str, every: dict[str, tuple[Any, list[Wrong]]]) -> None:
    kinds = [(kind(wrong, error), wrong, error) for wrong, error in judged(*every[name])]
    counts = Counter(each for each, _, _ in kinds)
    print(f"{name}: {len(kinds)} wrong answers, {counts['named'] / len(kinds):.0%} of hints name the mistake")
    for each, wrong, error in kinds:
        if each != "named":
            print(f"  {each}: {wrong.check}, {wrong.mistake!r}: {error.mistake!r} {error}")
    assert len(kinds) >= FEWEST[name]
    assert not counts["misleading"]
    assert counts["named"] >= LEAST_NAMED * len(kinds)


def test_hints_name_the_mistakes_of_an_independent_list(independent: list[tuple[Any, list[Wrong]]]) -> None:
    kinds = [(kind(wrong, error), wrong.check, wrong.mistake, error)
             for lab, answers in independent for wrong, error in judged(lab, answers)]  # fmt: skip
    counts = Counter(each for each, *_ in kinds)
    print(f"{len(kinds)} wrong answers, {counts['named'] / len(kinds):.0%} of hints name the mistake")
    print(*(each for each in kinds if each[0] != "named"), sep="\n")
    assert len(kinds) >= 60 and not counts["misleading"]
    assert counts["named"] >= LEAST_NAMED * len(kinds)


@pytest.mark.parametrize("name", FEWEST)
def test_a_hint_is_a_line_and_no_error(name: str, every: dict[str, tuple[Any, list[Wrong]]]) -> None:
    for wrong, error in judged(*every[name]):
        hint = str(error)
        assert 8 <= len(hint) < 400 and "\n" not in hint and UNKNOWN not in hint, f"{wrong.check}: {hint}"
        assert wrong.mistake == "error" or "Error" not in hint, f"{wrong.check}: {hint}"


@pytest.mark.parametrize("seed", range(1, 8))
def test_other_seeds_have_other_numbers_and_the_same_hints(
    seed: int, batch: tuple[Any, Any], drawn: list[ab.Architecture]
) -> None:
    first, last = embeddings.Lab(seed), regions.Lab(seed)
    for lab, answers in ((first, wrong_answers.of_lab1(first, batch)), (last, wrong_answers.of_lab4(last, drawn))):
        kinds = Counter(kind(*each) for each in judged(lab, list(answers)))
        assert not kinds["misleading"] and kinds["named"] >= LEAST_NAMED * kinds.total()
