"""Target equations: values against numpy, canonical names, and a whitelist that lets nothing else through."""

import ast
import itertools
import keyword
import pickle
import re
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings, strategies as st
from scipy.stats import norm

from autobuild_lib.targets import MAX_CHARACTERS, MAX_DEPTH, Target, quoted

LABELS = pd.DataFrame(
    {"acc": [0.75, 0.78, 0.71], "latency_gpu": [20.0, 35.5, 12.25], "fid": [3.0, -4.0, 0.5]}, index=[10, 11, 12]
)
ACC, GPU, FID = (LABELS[name].to_numpy() for name in LABELS)

# The oracle: pairs of a text and a function that computes the same with numpy, never through the library.
Pair = tuple[str, Callable[[], np.ndarray]]
NUMBERS = [("2", 2.0), ("2.0", 2.0), ("2e0", 2.0), ("0.5", 0.5), (".5", 0.5), ("100", 100.0), ("1e2", 100.0), ("0", 0)]
UNARY = {"log": np.log, "log10": np.log10, "log2": np.log2, "exp": np.exp, "sqrt": np.sqrt, "abs": np.abs}
INFIX = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "**": np.power}
SPACE = st.sampled_from(["", " ", "\t", "\n ", "  "])


def leaf(text: str, value: object) -> Pair:
    return text, lambda: value


def unary(name: str, prefix: str, space: str, inner: Pair) -> Pair:
    return f"{prefix}{name}({space}{inner[0]})", lambda: UNARY[name](inner[1]())


def sign(minus: bool, inner: Pair) -> Pair:
    return f"({'-' if minus else '+'}({inner[0]}))", lambda: -inner[1]() if minus else inner[1]()


def infix(operator: str, left: Pair, right: Pair, space: str) -> Pair:
    return f"(({left[0]}){space}{operator}{space}({right[0]}))", lambda: INFIX[operator](left[1](), right[1]())


def extreme(name: str, prefix: str, inner: list[Pair]) -> Pair:
    pick = np.minimum if name == "min" else np.maximum

    def value() -> np.ndarray:
        values = [compute() for _, compute in inner]
        result = values[0]
        for other in values[1:]:
            result = pick(result, other)
        return result

    return f"{prefix}{name}({', '.join(text for text, _ in inner)})", value


def power(prefix: str, base: Pair, exponent: Pair) -> Pair:
    return f"{prefix}power({base[0]},{exponent[0]})", lambda: np.power(base[1](), exponent[1]())


LEAVES = st.sampled_from(
    [leaf(text, np.float64(value)) for text, value in NUMBERS]
    + [leaf(name, LABELS[name].to_numpy()) for name in LABELS]
)
PREFIX = st.sampled_from(["", "np.", "np . "])
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(unary, st.sampled_from(sorted(UNARY)), PREFIX, SPACE, inner),
        st.builds(sign, st.booleans(), inner),
        st.builds(infix, st.sampled_from(sorted(INFIX)), inner, inner, SPACE),
        st.builds(extreme, st.sampled_from(["min", "max"]), PREFIX, st.lists(inner, min_size=2, max_size=4)),
        st.builds(power, PREFIX, inner, inner),
    ),
    max_leaves=12,
)


@settings(deadline=None, max_examples=300)
@given(TREES)
def test_random_equations_agree_with_numpy(pair: Pair) -> None:
    text, compute = pair
    assume(len(text) < 700)
    if not any(name in text for name in LABELS):
        with pytest.raises(ValueError, match="constant"):
            Target(text)
        return
    with np.errstate(all="ignore"):
        expected = compute()
    target = Target(text)
    assert Target(str(target)) == target and Target(str(target)).id == target.id
    if np.isfinite(expected).all():
        np.testing.assert_array_equal(target.evaluate(LABELS), expected)
    else:
        with pytest.raises(ValueError, match="not finite in"):
            target.evaluate(LABELS)


@settings(deadline=None, max_examples=300)
@given(st.text(alphabet=st.sampled_from("acx109._ ()+-*/,npog=[]{}:'\"\\\n\0"), max_size=40) | st.text(max_size=40))
def test_any_text_is_a_target_or_a_one_line_value_error(text: str) -> None:
    message = ""
    try:
        target = Target(text)
    except ValueError as error:
        message = str(error)
    if message:
        assert "\n" not in message and "allowed: " in message
    else:
        assert target.labels and Target(str(target)) == target


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("acc", ACC),
        ("np.power(100,acc)/(np.log10(latency_gpu+1)+1)", 100**ACC / (np.log10(GPU + 1) + 1)),
        ("acc * 100 / latency_gpu", ACC * 100 / GPU),
        ("-acc ** 2", -(ACC**2)),
        ("2 ** -acc ** 2", 2 ** -(ACC**2)),
        ("acc - fid - 1", (ACC - FID) - 1),
        ("acc / latency_gpu * 2", (ACC / GPU) * 2),
        ("+acc - -acc", 2 * ACC),
        ("min(acc, fid, 0.5)", np.array([0.5, -4.0, 0.5])),
        ("max(fid, 0) + abs(fid)", np.array([6.0, 4.0, 1.0])),
        ("max(0, acc)", ACC),
        ("exp(log(acc)) + sqrt(latency_gpu) * log2(8)", ACC + np.sqrt(GPU) * 3),
        ("1_000 * acc + 0x10", 1000 * ACC + 16),
        ("0xdef * acc", 3567 * ACC),
    ],
)
def test_hand_cases(text: str, expected: np.ndarray) -> None:
    values = Target(text).evaluate(LABELS)
    assert values.dtype == np.float64 and values.shape == (3,)
    np.testing.assert_allclose(values, expected, rtol=1e-14)


def test_ranks_are_normal_scores_of_all_rows() -> None:
    values = Target("ranks(acc)").evaluate({"acc": [0.1, 1e9, 7.0, 7.0]})
    np.testing.assert_allclose(values, norm.ppf([0.125, 0.875, 0.5, 0.5]))
    both = Target("ranks(acc) - 2 * ranks(-acc)").evaluate({"acc": [3.0, 1.0]})
    np.testing.assert_allclose(both, 3 * norm.ppf([0.75, 0.25]))


def test_integers_never_grow() -> None:
    with pytest.raises(ValueError, match=r"3 of 3 rows: 10, 11, 12 \(row 10: acc = 0.75 gives inf\)"):
        Target("acc * 9**9**9**9").evaluate(LABELS)
    with pytest.raises(ValueError, match="finite number"):
        Target("acc + 1" + "0" * 400)
    np.testing.assert_array_equal(Target("min(acc, 9**9**9**9)").evaluate(LABELS), ACC)


def test_evaluate_takes_tables_and_mappings_and_leaves_them_alone() -> None:
    target = Target("acc * 2")
    source = {"acc": [1, 2, 3]}
    np.testing.assert_array_equal(target.evaluate(source), [2.0, 4.0, 6.0])
    assert source == {"acc": [1, 2, 3]} and target.evaluate({"acc": []}).shape == (0,)
    plain = Target("acc").evaluate(LABELS)
    plain[:] = 0
    np.testing.assert_array_equal(LABELS["acc"], ACC)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"accuracy": [1.0], "fid": [2.0]}, "no label 'acc'; .*: accuracy, fid"),
        ({}, "available labels: none"),
        ({"acc": [1.0, 2.0], "b": [1.0]}, "differ in length: acc 2, b 1"),
        ({"acc": [[1.0]], "b": [1.0]}, "label 'acc' is not"),
        ({"acc": ["high"], "b": [1.0]}, "label 'acc' is not"),
        ({"acc": [1j], "b": [1.0]}, "label 'acc' is not"),
        ({"acc": 3.0, "b": [1.0]}, "label 'acc' is not"),
    ],
)
def test_unusable_labels(labels: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Target("acc + b").evaluate(labels)


def test_non_finite_rows_are_named() -> None:
    values = np.ones(2000)
    values[[3, 5, 7, 11, 13, 17]] = 0
    with pytest.raises(ValueError, match=r"in 6 of 2000 rows: 3, 5, 7, 11, 13, \.\.\. \(row 3: acc = 0 gives inf\)"):
        Target("1/acc").evaluate({"acc": values})
    with pytest.raises(ValueError, match=r"in 1 of 3 rows: 11 \(row 11: fid = -4 gives nan\)"):
        Target("log(fid)").evaluate(LABELS)


HOSTILE = [
    "acc.__class__", "acc.real", "np", "np.pi * acc", "np.linalg.norm(acc)", "numpy.log(acc)", "np.np.log(acc)",
    "acc[0]", "acc[:]", "lambda: acc", "(lambda x: x)(acc)", "[a for a in acc]", "{acc}", "{'a': acc}", "(x := acc)",
    "f'{acc}'", "'acc'", '"acc"', "b'acc'", "__import__('os')", "__import__(os)", "__acc__ + acc", "_acc",
    "log(x=acc)", "log(*acc)", "min(*acc)", "log(**acc)", "power(acc, 2, out=acc)", "log()", "log(acc, acc)",
    "power(acc)", "power(acc, 1, 2)", "min(acc)", "max()", "np.min(acc)", "1j * acc", "acc + 1e999", "acc + True",
    "True", "None", "acc + None", "...", "acc if acc else 1", "acc and acc", "acc or 1", "not acc", "acc < 1",
    "acc == acc", "acc in acc", "acc is acc", "acc, acc", "(acc, acc)", "()", "acc // 2", "acc % 2", "acc @ acc",
    "acc << 1", "acc | 1", "acc ^ 1", "~acc", "await acc", "yield acc", "acc;acc", "acc = 1", "acc # comment",
    "acc \\\n + 1", "import os", "eval(acc)", "exec(acc)", "open(acc)", "print(acc)", "getattr(acc, acc)",
    "log(acc)(acc)", "np.log(acc).real", "log", "log + acc", "np.log + acc", "log.log(acc)", "acc acc", "acc 1",
    "2acc", "(acc", "acc)", "acc) + (acc", "acc +", "* acc", "acc\0", "\0", "", " ", "\n", "1", "2 * 3", "log(2)",
    "acc\N{NO-BREAK SPACE}+ 1", "\N{CYRILLIC SMALL LETTER A}cc", "\N{FULLWIDTH LATIN SMALL LETTER A}cc",
    "\N{MATHEMATICAL ITALIC SMALL A}cc", "acc\N{MINUS SIGN}1", "acc + \N{FULLWIDTH DIGIT ONE}", "\ufeffacc", "acc\f+1",
    "(" * 190 + "acc" + ")" * 190 + "()", "(" * 400 + "acc" + ")" * 400, "-" * 900 + "acc",
    "log(" * 150 + "acc" + ")" * 150, "acc" + "**acc" * 150, "acc" + "+1" * 400,
    "(" * 999, "acc+" * 10**6 + "acc", "9" * 5000 + "*acc", "a" * 10**6,
    "1or 2", "acc if 1else 2", "1if2", "1.in2", "0x1finally",
    "0_0x", "1__0*acc", "acc!", "$acc", "acc?", "`acc", "acc`", "``", "` `", "`a``",
    "`acc `", "` acc`", "2`a`",
    "a`b`", "`a`b", "np.`a`", "`a`.real", "`log`(acc)", "`a`(acc)", "`a` `b`", "`a\0`", "`np`.log(acc)", "`a`2",
    "`a\N{RIGHT-TO-LEFT OVERRIDE}`", "1e`5`", "`x` + _____", "_" * 3 + " + `x`", "max(`a`)", "`1` ** `a",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:30])
def test_hostile_expressions_are_refused_in_one_line(text: str) -> None:
    with pytest.raises(ValueError, match=r"column \d+: .*; allowed: ") as caught:
        Target(text)
    assert "\n" not in str(caught.value) and "\0" not in str(caught.value) and len(str(caught.value)) < 500


@pytest.mark.parametrize("value", [None, 3, 1.5, b"acc", ["acc"], ast.parse("acc", mode="eval")])
def test_only_texts(value: object) -> None:
    with pytest.raises(ValueError, match="target is a text, not "):
        Target(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "column", "part"),
    [
        ("acc + fid.real", 7, "'fid.real' is not allowed"),
        ("  acc + fid.real", 9, "'fid.real' is not allowed"),
        ("acc * 2 % 3", 9, "'%' is not a character"),
        ("acc + log(fid, 2)", 7, r"'log\(fid, 2\)' needs exactly 1, not 2 arguments"),
        ("acc + sin(fid)", 7, r"'sin\(fid\)' is not allowed"),
        ("acc + (fid", 7, "was never closed"),
        ("acc + min * 2", 7, "'min' is not"),
        ("`a b` + fid.real", 9, "'fid.real' is not allowed"),
        ("`a b` + `c", 9, "'`' is not a character"),
        ("acc + 0x1for acc", 7, "'0x1for' is or has a keyword"),
    ],
)
def test_errors_restate_point_and_list(text: str, column: int, part: str) -> None:
    with pytest.raises(ValueError, match=f"column {column}: .*{part}.*allowed: label names.*log10.*np.log") as caught:
        Target(text)
    assert text.strip() in str(caught.value)


@pytest.mark.parametrize("word", keyword.kwlist)
def test_keywords_are_named_where_they_stand(word: str) -> None:
    with pytest.raises(ValueError, match=rf"column 7: '{word}' .*keyword"):
        Target(f"acc + {word} - 2")
    assert Target(f"acc + `{word}` - 2 + {word}1").labels == tuple(sorted(["acc", word, f"{word}1"]))


def test_limits_are_exact() -> None:
    assert Target("acc" + "+1" * (MAX_DEPTH - 1)).labels == ("acc",)
    with pytest.raises(ValueError, match=f"too deeply nested; allowed: depth {MAX_DEPTH}"):
        Target("acc" + "+1" * MAX_DEPTH)
    assert Target("a" * MAX_CHARACTERS).labels == ("a" * MAX_CHARACTERS,)
    with pytest.raises(ValueError, match="at most 1000"):
        Target("a" * (MAX_CHARACTERS + 1))
    with pytest.raises(ValueError, match="once written out"):
        Target("max(" + ",".join(["a"] * 480) + ")")
    assert len(Target("max(" + ",".join(["a"] * 300) + ")").evaluate({"a": [1.0, 2.0]})) == 2


def test_reading_needs_little_stack() -> None:
    def deep(levels: int) -> Target:
        return deep(levels - 1) if levels else Target("acc" + "+1" * (MAX_DEPTH - 1))

    assert deep(sys.getrecursionlimit() - 700).labels == ("acc",)


ODD = [
    "cifar10-valid", "1080ti_1", "latency (ms)", "top1%", "max", "np", "lambda", "True", "_acc", "a`b", "`", "a b",
    "in \N{PER MILLE SIGN}", "\N{GREEK SMALL LETTER TAU}", "acc, std", "a=b", "$x$", "0.5", "__import__('os')",
]  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_labels_of_any_name_in_backquotes(name: str) -> None:
    table = pd.DataFrame({name: [1.0, 2.0], "acc": [10.0, 20.0]})
    alone, sum_ = Target(quoted(name)), Target(f"max({quoted(name)}, 0)*2 + acc - {quoted(name)}")
    assert alone.labels == (name,) and sum_.labels == tuple(sorted(["acc", name]))
    np.testing.assert_array_equal(alone.evaluate(table), [1, 2])
    np.testing.assert_array_equal(sum_.evaluate(table), [11, 22])
    for target in (alone, sum_):
        assert Target(str(target)) == target and target.id.isascii() and re.fullmatch(r"[\w-]+", target.id)
        assert not target.id.startswith("-")


NAMES = st.text("a`1_ .-*(é%\\'\"", min_size=1, max_size=12).map(lambda name: f"x{name}".strip())


@given(NAMES, NAMES)
def test_a_quoted_name_is_that_label_and_no_other(one: str, other: str) -> None:
    assume(one != other)
    target = Target(f"{quoted(one)} - 2 * {quoted(other)}")
    assert set(target.labels) == {one, other} and Target(str(target)) == target
    np.testing.assert_array_equal(target.evaluate({one: [5.0], other: [2.0]}), [1.0])


def test_quotes_that_are_not_needed_change_nothing() -> None:
    assert str(Target("`acc`*2")) == "acc * 2" and Target("`acc` * 2") == Target("acc*2") and quoted("acc") == "acc"
    assert Target("`acc` * 2").id == Target("acc * 2").id


@pytest.mark.parametrize("text", ["acc-std", "acc - std", " acc-std "])
@pytest.mark.parametrize("name", ["acc-std", "acc - std"])
def test_an_equation_called_like_a_label_is_refused(text: str, name: str) -> None:
    table = {"acc": [3.0], "std": [1.0], name: [7.0]}
    for spelt in (text, str(Target(text))):
        with pytest.raises(ValueError, match=f"write `{name}`"):
            Target(spelt).evaluate(table)
    np.testing.assert_array_equal(Target(quoted(name)).evaluate(table), [7.0])


def test_labels_that_are_there_are_listed_as_they_are_written() -> None:
    with pytest.raises(ValueError, match=r"no label 'speed'; .*: acc, `latency \(ms\)`, `max`"):
        Target("speed").evaluate({"acc": [1.0], "latency (ms)": [1.0], "max": [1.0]})


@pytest.mark.parametrize("values", [["high"], [True], [1j], np.array(["2020-01-01"], dtype="datetime64[D]")])
def test_what_is_no_number_is_shown(values: object) -> None:
    with pytest.raises(ValueError, match=r"label 'acc' .*: acc\[0\] is "):
        Target("acc").evaluate({"acc": values})  # type: ignore[dict-item]


SAME = [
    ["np.power(100,acc)/(np.log10(latency_gpu+1)+1)", "power(1e2, acc) / ((log10((latency_gpu) + 1.0)) + 1)"],
    ["acc*100/latency_gpu", " acc * 100.0 / latency_gpu ", "(acc*1e2)/latency_gpu", "acc*1_00\n/latency_gpu"],
    ["acc*1.5", "((acc) * (1.50))", "acc*15e-1"],
    ["acc*15", "acc *15."],
    ["acc*1e-7", "acc*0.0000001"],
]
DIFFERENT = [
    "acc", "Acc", "acc2",
    "acc*2", "acc*1.5", "acc*15", "acc*0.15", "acc**1.5", "acc**15", "acc*1e22", "acc/15", "acc+15",
    "acc-15", "15-acc",
    "15/acc", "-acc", "(-acc)**2", "-acc**2", "acc-(fid-1)", "acc-fid-1", "acc/(fid*2)", "acc/fid*2",
    "min(acc,fid)",
    "max(acc,fid)", "min(fid,acc)", "log(acc)", "log10(acc)", "log2(acc)", "a_b*c", "a*b_c", "a*b*c", "a_b_c",
    "acc*1000000000000000", "acc*1000000000000001", "(acc**2)**3", "acc**2**3", "a" * 60, "a" * 61,
]  # fmt: skip


@pytest.mark.parametrize("group", SAME, ids=lambda group: group[0])
def test_one_target_however_it_is_spelt(group: list[str]) -> None:
    targets = [Target(text) for text in group]
    assert len(set(targets)) == len({target.id for target in targets}) == len({str(target) for target in targets}) == 1
    assert [target.expression for target in targets] == group


def test_different_targets_have_different_ids() -> None:
    targets = [Target(text) for text in [*DIFFERENT, *(group[0] for group in SAME[:2])]]
    for one, other in itertools.combinations(targets, 2):
        assert one != other and one.id.lower() != other.id.lower()


def test_ids_are_fit_for_file_names_and_stable(tmp_path: Path) -> None:
    for text in [*DIFFERENT, *itertools.chain(*SAME)]:
        name = Target(text).id
        assert len(name) <= 49 and name.isascii() and set('/\\:*?"<>| .').isdisjoint(name)
        (tmp_path / name).touch()
    assert Target("acc*100/latency_gpu").id == "acc_100_latency_gpu-f0d1f377"


def test_a_target_is_a_small_immutable_value() -> None:
    target = Target("np.log(fid) + acc + acc")
    assert str(target) == "log(fid) + acc + acc" and target.labels == ("acc", "fid")
    assert repr(target) == "Target(expression='np.log(fid) + acc + acc')"
    with pytest.raises(AttributeError):
        target.expression = "acc"  # type: ignore[misc]
    again = pickle.loads(pickle.dumps(target))  # as processes hand them to each other
    assert again == target and hash(again) == hash(target)
    assert target != "log(fid) + acc + acc"
