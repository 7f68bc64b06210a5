"""Equations on the page are read and refused as by `ab.Target`: in the same words, and with the same values."""

import keyword
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

pytest.importorskip("playwright", reason="make check-book installs it")

from playwright.sync_api import Page

import autobuild_lib as ab
from autobuild_lib.surrogate import LABELS
from tests.browser.book import browser_page
from tests.browser.play_site import write_site

pytestmark = pytest.mark.browser

READ = """(texts) => texts.map((text) => {
  try { const target = new play.Target(text); return [target.canonical, ...target.labels]; }
  catch (error) { if (error instanceof play.TargetError) return error.message; throw error; } })"""
VALUES = """([texts, columns]) => texts.map((text) => {
  try { return Array.from(new play.Target(text).evaluate(columns)); }
  catch (error) { if (error instanceof play.TargetError) return error.message; throw error; } })"""
GOOD = [
    "acc", " acc\t", "power(acc, 20) / latency_gpu", "np.power(100, acc) / (np.log10(latency_gpu + 1) + 1)",
    "-acc ** -2",
    "(-acc) ** 2", "acc ** 2 ** 3", "(acc ** 2) ** 3", "acc - (latency_gpu - 1)", "+ - + acc",
    "min(acc, 1, latency_cpu)",
    "1e5 * acc", "0.00001 * acc", "1_000 * acc", "0x1F + acc", "1e16 * acc", "123456789012345678 * acc", "ranks(acc)",
    "`top 1` * 2", "`a``b` + acc", "`np`", "`if`", "abs(-acc)", "sqrt(acc) + exp(acc) + log2(acc)", "(((acc)))",
    "acc*1.50",
]  # fmt: skip
BAD = [
    "", "   ", "1 + 2", "acc +", "(acc", "acc)", "acc acc", "(acc acc)", "power(acc)", "power(acc, 2, 3)",
    "min(acc)", "log()",
    "log(acc, x=2)", "acc ^ 2", "acc[0]", "'acc'", "acc.real", "np.sin(acc)", "sin(acc)", "log", "np", "_acc",
    "__import__('os')",
    "acc // 2", "not acc", "acc if acc else 1", "acc if acc", "acc and acc", "acc is not acc", "True", "None * acc",
    "1j * acc",
    "acc, acc", "(acc, 1)", "()", "*acc", "log(*acc)", "log(**acc)", "log(**acc, 1)", "(*acc)", "(**acc)",
    "01 * acc", "1__0",
    "0b2", "0o8", "0x", "1x", "1e+", "1e999 * acc", "9" * 400 + "*acc", "a..b", "...", "print acc", "(c c)", "acc # 1",
    "`acc", "``", "` acc`", "`a`b", "a`b`", "`a`(b)", "\u0430cc", "acc × 2", "acc\n+", "(" * 201 + "acc" + ")" * 201,
    "+".join(["acc"] * 60), "-" * 60 + "acc", "acc * " * 200 + "1", "acc +" * 250 + "1", "acc!", '"' + "'", "\x00",
    "acc\u2028",
]  # fmt: skip
PIECES = [
    *LABELS, "x", "np", "log", "min", "power", "np.log", "ranks", "`top 1`", "1", "2.5", "1e5", "01", "0x1F", "1_0",
    "3x", "+", "-",
    "*", "/", "**", "//", "(", ")", "(", ")", ",", ".", " ", " ", " ", "not ", "if", "or", "lambda", "await", "é", "_",
    "c ", "print ", "0xdef", *(f" {word} " for word in keyword.kwlist),
]  # fmt: skip
# Every keyword alone, in the places of a label and of an operator, and where it touches a number or a name.
AROUND = ["{}", "{} acc", "acc * {}", "acc {} latency_gpu", "log({} acc)", "(acc, {})", "np.{}", "2{}", "0x1{} acc",
          "acc{}", "{}2 + acc", "`{}` + acc", "{}\n{}", "acc {} acc else acc"]  # fmt: skip
OPERATORS = st.sampled_from([" + ", "-", "*", " / ", " ** "])


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    site: Path = write_site(tmp_path_factory.mktemp("site"))
    with browser_page() as opened:
        opened.goto(site.as_uri(), wait_until="load")
        opened.wait_for_selector(".play-unit")
        yield opened


def read(expression: str) -> list[str] | str:
    try:
        target = ab.Target(expression)
    except ValueError as error:
        return str(error)
    return [target.canonical, *target.labels]


def same(here: Any, there: Any) -> bool:
    """Whether two results agree; what is no Python at all, newer Pythons may say in other words, at another place."""
    if sys.version_info < (3, 12) or isinstance(there, list) or "not an equation" not in there:
        return bool(here == there)
    return isinstance(here, str) and "not an equation" in here


def check(page: Page, expressions: list[str]) -> None:
    for expression, here in zip(expressions, page.evaluate(READ, expressions), strict=True):
        assert same(here, read(expression)), (expression, here, read(expression))


def test_good_equations_are_read_alike(page: Page) -> None:
    assert all(isinstance(read(expression), list) for expression in GOOD)
    check(page, GOOD)


def test_bad_equations_are_refused_in_the_same_words(page: Page) -> None:
    assert all(isinstance(read(expression), str) for expression in BAD)
    check(page, BAD)


@pytest.mark.parametrize("word", [*keyword.kwlist, *keyword.softkwlist])
def test_keywords_are_read_or_refused_alike(page: Page, word: str) -> None:
    check(page, [text.replace("{}", word) for text in AROUND])


def grown(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    binary = st.tuples(children, OPERATORS, children).map("".join)
    return (
        binary
        | children.map("({})".format)
        | children.map("-{}".format)
        | children.map("np.log10({})".format)
        | (st.tuples(children, children).map(lambda both: f"power({both[0]}, {both[1]})"))
    )


EQUATIONS = st.recursive(st.sampled_from([*LABELS, "100", "2.5", "1e-7", "`top 1`"]), grown, max_leaves=12)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    equation = draw(EQUATIONS)
    place = draw(st.integers(0, len(equation)))
    return equation[:place] + draw(st.sampled_from(PIECES)) + equation[place + draw(st.integers(0, 2)) :]


ANY = st.lists(st.sampled_from(PIECES), max_size=10).map("".join)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(expressions=st.lists(EQUATIONS | damaged() | ANY, min_size=30, max_size=60))
def test_any_equation_is_read_or_refused_alike(page: Page, expressions: list[str]) -> None:
    check(page, expressions)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(expressions=st.lists(EQUATIONS | EQUATIONS.map("ranks({})".format), min_size=10, max_size=20))
def test_values_and_what_is_not_finite_agree(page: Page, expressions: list[str]) -> None:
    table = ab.surrogate.ofa_pn().predict(ab.data.load("ofa_pn").architectures[:40])
    columns = {name: column.tolist() for name, column in table.items()}
    for expression, here in zip(expressions, page.evaluate(VALUES, [expressions, columns]), strict=True):
        assert agree(here, evaluated(expression, table)), (expression, here)


def evaluated(expression: str, table: pd.DataFrame) -> Any:
    try:
        return ab.Target(expression).evaluate(table)
    except ValueError as error:
        return str(error)


def agree(here: Any, there: Any) -> bool:
    if isinstance(there, str):
        return bool(here == there)
    return bool(np.allclose(here, there, rtol=1e-9, atol=1e-12))
