"""Grammars: texts and what is wrong with them, derivations counted by hand and by listing, and valid moves."""

import itertools
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, strategies as st

from autobuild_book.chapters.neighbours.grammars.counting import Counts, below, counts_by_size
from autobuild_book.chapters.neighbours.grammars.derivations import Derivation, is_valid, parse, term_of, text_of
from autobuild_book.chapters.neighbours.grammars.grammar import Grammar, load_grammar, read_grammar
from autobuild_book.chapters.neighbours.grammars.moves import crossed, mutated
from autobuild_book.chapters.neighbours.grammars.networks import cell_of
from autobuild_book.chapters.neighbours.grammars.terms import GrammarError
from autobuild_book.chapters.neighbours.nas_bench_201 import SPACE

NETS = read_grammar("""
Fork: 0>1 0>2 1>2
NET = Sequential(NET, NET)  # of any depth
    | Fork(OP, id, OP) | OP
OP = conv | pool
""")
GRAMMARS = {"nets": NETS, **{name: load_grammar(name) for name in ("cells", "hierarchical", "recursive")}}
SEEDS = st.integers(0, 10_000)


def every(grammar: Grammar, symbol: str, depth: int) -> Iterator[Derivation]:
    """All derivations of a nonterminal, one after the other."""
    for number, right in enumerate(grammar.productions[symbol] if depth else ()):
        for children in itertools.product(*(list(every(grammar, n, depth - 1)) for n in right.nonterminals())):
            yield Derivation(symbol, number, children)


def drawn(name: str, seed: int) -> tuple[Counts, Derivation, np.random.Generator]:
    counts, rng = Counts(GRAMMARS[name], 8 if GRAMMARS[name].recursive else 0), np.random.default_rng(seed)
    return counts, counts.sample(rng), rng


def test_a_text_by_hand() -> None:
    assert NETS.start == "NET" and NETS.recursive and not GRAMMARS["cells"].recursive
    assert [str(right) for right in NETS.productions["NET"]] == ["Sequential(NET, NET)", "Fork(OP, id, OP)", "OP"]
    assert NETS.topologies["Fork"].edges(3) == ((0, 1), (0, 2), (1, 2))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ["NAME = "]),
        ("A = conv\nB conv", ["line 2", "B conv", "NAME = "]),
        ("A = Sequential(A, B) | conv", ["line 1", " B ", "A"]),
        ("\nA = Loop(conv) | conv", ["line 2", "Loop", "Sequential, Residual, Diamond, Cell"]),
        ("A = Cell(conv, conv)", ["line 1", "Cell", "2", "6"]),
        ("A = Sequential", ["line 1", "Sequential", "0", "1 or more"]),
        ("A = B | conv\nB = Sequential(B, conv) | B", ["line 2", "B", "such as A"]),
        ("A = Sequential(A)", ["line 1", "A never ends", "A = conv"]),
        ("A = conv | pool | conv", ["line 1", "conv", "twice"]),
        ("A = conv\nA = pool", ["line 2", "A", "line 1"]),
        ("A = Sequential(conv", ["line 1", "the end", "','", "')'"]),
        ("A = conv pool", ["line 1", "pool", "'|'"]),
        ("A = conv | ", ["line 1", "the end", "a name"]),
        ("a = conv", ["line 1", "a =", "capitals"]),
        ("Tee: 0>1 2>1\nA = Tee(conv, conv)", ["line 1", "2>1", "a>b"]),
        ("Tee: 0>1 0>1", ["line 1", "0>1", "distinct"]),
        ("Tee: 0>1 0>3 1>3", ["line 1", "0>1 0>3 1>3"]),
        ("Cell: 0>1", ["line 1", "Cell", "built-in"]),
    ],
)
def test_what_is_wrong_is_one_line(text: str, shown: list[str]) -> None:
    with pytest.raises(GrammarError) as error:
        read_grammar(text)
    assert "\n" not in str(error.value) and all(words in str(error.value) for words in shown), error.value


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("NET=Fork(OP=conv, id, OP)", "expand all"),
        ("NET=Fork(OP=conv, id, OP=fc)", "conv | pool"),
        ("OP=conv", "allowed is NET"),
        ("NET=OP=conv)", "')'"),
        ("NET=XX=conv", "NET = XX"),
        ("conv", "'='"),
    ],
)
def test_derivations_that_are_none(text: str, shown: str) -> None:
    with pytest.raises(GrammarError) as error:
        parse(NETS, text)
    assert "\n" not in str(error.value) and shown in str(error.value)


def test_other_names_and_depths() -> None:
    with pytest.raises(GrammarError, match="cells, hierarchical, recursive"):
        load_grammar("rings")
    with pytest.raises(GrammarError, match="depth"):
        Counts(NETS)
    with pytest.raises(GrammarError, match="at least 2"):
        Counts(NETS, 1)


def test_derivations_counted_by_hand() -> None:
    # depth 2: OP (2 ways) or Fork (2 x 2); depth d + 1: also two of depth d
    assert [Counts(NETS, depth).total for depth in (2, 3, 4)] == [6, 6 + 6**2, 6 + 42**2]
    # sizes: 2 (OP), 3 (Fork), and Sequential of two: 1 + 2 + 2, 1 + 2 + 3 (in two orders), ...
    assert counts_by_size(NETS, 6) == [0, 0, 2, 4, 0, 2 * 2, 2 * (2 * 4)]
    assert Counts(GRAMMARS["cells"]).total == sum(counts_by_size(GRAMMARS["cells"], 13)) == 5**6


@pytest.mark.parametrize(("name", "depth"), [("nets", 4), ("recursive", 3)])
def test_derivations_counted_by_listing(name: str, depth: int) -> None:
    listed = set(every(GRAMMARS[name], GRAMMARS[name].start, depth))
    assert len(listed) == Counts(GRAMMARS[name], depth).total
    sizes = Counter(derivation.size for derivation in listed)
    exact = counts_by_size(GRAMMARS[name], depth)  # so small ones cannot be deeper
    assert exact == [sizes[size] for size in range(depth + 1)]
    assert {derivation.depth for derivation in listed} == set(range(2, depth + 1))


def test_the_cells_of_the_grammar_are_those_of_the_benchmark() -> None:
    cells = [cell_of(GRAMMARS["cells"], d) for d in every(GRAMMARS["cells"], "CELL", 3)]
    assert len(cells) == SPACE.size and {str(cell) for cell in cells} == {str(cell) for cell in SPACE}
    with pytest.raises(GrammarError, match="no cell"):
        cell_of(NETS, parse(NETS, "NET=OP=conv"))


def test_the_space_of_whole_networks_is_counted() -> None:
    cell = 5**6
    block, down = cell**2 + 2 * cell**3, 2 * cell + cell**2
    ways = {"MAIN": block**2 * down + block**3 * down + block**2 * down**2}
    ways["TAIL"] = block**2 * cell + block**3 * cell + block**2 * cell**2
    assert Counts(GRAMMARS["hierarchical"]).total == ways["MAIN"] ** 2 * ways["TAIL"] * (2 + ways["TAIL"])


def test_uniform_draws_are_uniform_and_the_papers_are_not() -> None:
    counts, rng = Counts(NETS, 3), np.random.default_rng(0)
    uniform = Counter(counts.sample_uniform(rng) for _ in range(8400))
    assert len(uniform) == 42 and np.std(list(uniform.values())) < 1.5 * np.sqrt(200)
    symbols = Counter(counts.sample(rng).production for _ in range(6000))
    assert all(abs(symbols[production] - 2000) < 200 for production in range(3))


def test_large_numbers_are_drawn() -> None:
    rng, limit = np.random.default_rng(0), 3 * 10**40
    numbers = [below(rng, limit) for _ in range(900)]
    assert all(0 <= number < limit for number in numbers)
    assert all(abs(sum(n // 10**40 == third for n in numbers) - 300) < 60 for third in range(3))
    assert below(rng, 1) == 0 and {below(rng, 3) for _ in range(50)} == {0, 1, 2}


@given(name=st.sampled_from(list(GRAMMARS)), seed=SEEDS)
def test_a_derivation_comes_back_from_its_text(name: str, seed: int) -> None:
    counts, derivation, _ = drawn(name, seed)
    text = text_of(counts.grammar, derivation)
    assert parse(counts.grammar, text) == derivation
    assert parse(counts.grammar, text.replace(" ", "").replace("=", " = ")) == derivation


@given(name=st.sampled_from(list(GRAMMARS)), seed=SEEDS)
def test_moves_keep_derivations_valid(name: str, seed: int) -> None:
    counts, first, rng = drawn(name, seed)
    second = counts.sample(rng)
    made = [mutated(counts, first, rng), *crossed(counts, first, second, rng)]
    assert all(is_valid(counts.grammar, derivation) and derivation.depth <= counts.depth for derivation in made)
    assert all(derivation.symbol == counts.grammar.start for derivation in made)
    crossings = [sum((Counter((n.symbol, n.production) for _, n in d.nodes()) for d in pair), Counter())
                 for pair in ((first, second), made[1:])]  # fmt: skip
    assert crossings[0] == crossings[1], "crossover moves productions and makes none"


def test_moves_reach_what_they_should() -> None:
    counts, rng = Counts(GRAMMARS["cells"]), np.random.default_rng(0)
    conv = parse(counts.grammar, "CELL=Cell(" + ", ".join(["OP=CONV=nor_conv_3x3"] * 6) + ")")
    pool = parse(counts.grammar, "CELL=Cell(" + ", ".join(["OP=avg_pool_3x3"] * 6) + ")")
    mutants = {mutated(counts, conv, rng) for _ in range(500)}
    changed = [sum(a != b for a, b in zip(m.children, conv.children, strict=True)) for m in mutants]
    assert {0, 1} < set(changed), "a part is one operation, or the whole cell"
    for _ in range(20):
        first, second = crossed(counts, conv, pool, rng)
        assert sum(child in pool.children for child in first.children) == 1
        assert sum(child in conv.children for child in second.children) == 1
    lone = read_grammar("A = Sequential(B, C)\nB = conv\nC = pool")
    a = Counts(lone).sample(rng)
    assert crossed(Counts(lone), a, a, rng) == (a, a)
    assert not is_valid(lone, Derivation("A", 0)) and not is_valid(lone, Derivation("B", 1))


def test_a_folded_term_by_hand() -> None:
    derivation = parse(NETS, "NET=Sequential(NET=OP=conv, NET=Fork(OP=pool, id, OP=conv))")
    folded = [str(term_of(NETS, derivation, level)) for level in (0, 1, 2, 3)]
    assert folded == ["NET", "Sequential(NET, NET)", "Sequential(OP, Fork(OP, id, OP))",
                      "Sequential(conv, Fork(pool, id, conv))"]  # fmt: skip
    assert str(term_of(NETS, derivation)) == folded[3]
