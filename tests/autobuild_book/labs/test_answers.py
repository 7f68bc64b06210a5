"""Answers of students: numbers in any form are read, and anything else gets one line that helps."""

import warnings
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from IPython.core.formatters import DisplayFormatter

from autobuild_book.labs import answers, verdicts
from autobuild_book.labs.verdicts import AnswerError, Mistake, Right
from tests.helpers.refusals import refused

DOTS = ...


class TestAnswers:
    @pytest.mark.parametrize(
        "answer",
        [
            [1, 2.5],
            (1, 2.5),
            np.array([1, 2.5]),
            np.array([[1.0], [2.5]]),
            pd.Series([1, 2.5], index=["x", "y"]),
            pd.DataFrame({"x": [1, 2.5]}),
            torch.tensor([1, 2.5], requires_grad=True),
            [torch.tensor(1.0), torch.tensor(2.5)],
            {"b": 2.5, "a": 1},
            [Fraction(1), Decimal("2.5")],
        ],
        ids=lambda answer: type(answer).__name__,
    )
    def test_numbers_may_come_in_any_form(self, answer: Any) -> None:
        assert answers.numbers(answer, 2, ["a", "b"]).tolist() == [1, 2.5]

    @pytest.mark.parametrize("answer", [3, 3.0, np.float32(3), np.array(3), torch.tensor(3), [3], Fraction(3)])
    def test_one_number_too(self, answer: Any) -> None:
        assert answers.numbers(answer, 1).tolist() == [3]

    @pytest.mark.parametrize(
        ("answer", "hint"),
        [
            (DOTS, "no answer yet"),
            (None, "no answer yet"),
            ([1, DOTS], "no answer yet"),
            ([1], "asks for 2 numbers; your answer has 1"),
            ("1, 2", "not a number or a list"),
            ({1, 2}, "not a number or a list"),
            ([1, [2, 3]], "not a number or a list"),
            (len, "not a number or a list"),
            ([1, 2j], "not a number or a list"),
            ([1, float("nan")], "nan, which is not a finite number"),
            ({"a": 1}, "needs the keys a, b"),
        ],
    )
    def test_anything_else_is_explained(self, answer: Any, hint: str) -> None:
        refused(hint, answers.numbers, answer, 2, ["a", "b"])

    def test_an_unknown_mistake_is_named_by_its_place(self) -> None:
        refused("Number 2 of 3, 9, is too high.", verdicts.compare, np.array([1, 9.0, 3]), [1, 2, 3], "")

    def test_a_right_answer_says_so(self) -> None:
        assert repr(verdicts.compare(np.array([1.001]), 1, "Fine.")) == "Correct. Fine."

    def test_a_notebook_shows_the_hint_alone(self) -> None:
        assert AnswerError("Try again.")._render_traceback_() == ["Not yet. Try again."]

    def test_a_notebook_prints_what_is_right(self, capsys: pytest.CaptureFixture[str]) -> None:
        """The value of a check cell would be partial credit to nbgrader; it must not have one."""
        assert DisplayFormatter().format(Right("Fine.")) == ({}, {})
        assert capsys.readouterr().out == "Correct. Fine.\n"

    def test_warnings_of_a_students_function_are_not_shown(self) -> None:
        def noisy(number: int) -> int:
            warnings.warn("a warning in a test is an error", stacklevel=1)
            return number

        assert answers.call(noisy, 3) == 3

    def test_errors_in_a_students_function_name_its_arguments(self) -> None:
        def broken(a: float) -> float:
            return a / 0

        refused("broken(2.0) raised ZeroDivisionError", answers.call, broken, 2.0)
        refused("returned None. Does your function end with return?", answers.call, lambda a: None, 1)
        refused("is not a function", answers.call, 3.0, 1)
        refused("no answer yet", answers.call, lambda a: ..., 1)


RIGHT, WRONG, OTHER = np.array([0.0977]), Mistake("wrong", 0.1234), Mistake("other", 0.1236)


class TestMistakes:
    @pytest.mark.parametrize(
        ("answer", "mistake"),
        [
            (0.1234, "wrong"),
            (0.1236, "other"),
            (0.123, "wrong"),
            (0.12, ""),
            (0.1, "rounded"),
            (-0.0977, "sign"),
            (9.77, "percent"),
        ],
    )
    def test_a_mistake_is_named_where_rounding_tells_it_from_others(self, answer: float, mistake: str) -> None:
        hints = {"wrong": "Wrong.", "other": "Other."}
        with pytest.raises(AnswerError) as caught:
            verdicts.compare(np.array([answer]), RIGHT, "", [WRONG, OTHER], hints)
        assert caught.value.mistake == mistake

    def test_mistakes_of_a_group_are_named_together_where_they_are_equal(self) -> None:
        pair = [Mistake("first", 2.5, "both"), Mistake("second", 2.5, "both")]
        assert verdicts.name_of_mistake(np.array([2.5]), pair) == "both"
        assert verdicts.name_of_mistake(np.array([2.5]), [*pair, Mistake("third", 2.5)]) == ""
        assert verdicts.apart([1.0], pair) and not verdicts.apart([2.5], pair)

    @pytest.mark.parametrize("answer", [[6.25144, 9.20688], [6.2514, 9.2069], [6.251436, 9.206879]])
    def test_a_mistake_close_to_the_right_numbers_is_named_by_its_digits(self, answer: list[float]) -> None:
        means, medians = [6.25120, 9.20702], Mistake("median", [6.2514362, 9.2068791])
        with pytest.raises(AnswerError, match=r"^Medians\.$") as caught:
            verdicts.compare(np.array(answer), means, "", [medians], {"median": "Medians."}, 1e-4)
        assert caught.value.mistake == "median"

    @pytest.mark.parametrize("answer", [[6.2512, 9.20702], [6.251, 9.207], [6.25121, 9.207021], [6.2513, 9.207]])
    def test_right_numbers_with_a_mistake_close_by_are_right(self, answer: list[float]) -> None:
        means, medians = [6.25120, 9.20702], Mistake("median", [6.2514362, 9.2068791])
        for numbers in (answer, np.array(means, np.float32).astype(float)):
            assert verdicts.compare(np.array(numbers), means, "", [medians], {"median": "Medians."}, 1e-4)

    def test_a_mistake_that_changes_nothing_is_none(self) -> None:
        same = Mistake("sorted", [1.0, 2.0, 3.0])
        assert verdicts.compare(np.array([1.0, 2.0, 3.0]), [1, 2, 3], "", [same])

    @pytest.mark.parametrize("answer", [0.0977, 0.098, 0.09769])
    def test_three_digits_are_right(self, answer: float) -> None:
        assert verdicts.compare(np.array([answer]), RIGHT, "")
