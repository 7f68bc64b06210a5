"""The Weisfeiler-Lehman kernel: a case by hand, the labels of NetworkX, and a process against the equations."""

import warnings
from collections import Counter

import networkx as nx  # type: ignore[import-untyped]
import numpy as np
import pytest

from autobuild_book.chapters.neighbours.grammars.counting import Counts
from autobuild_book.chapters.neighbours.grammars.derivations import parse
from autobuild_book.chapters.neighbours.grammars.grammar import load_grammar
from autobuild_book.chapters.neighbours.grammars.networks import wiring_of
from autobuild_book.chapters.neighbours.graphs import graphs_of, vocabulary
from autobuild_book.chapters.neighbours.kernel_process import WL_KERNEL, Process
from autobuild_book.chapters.neighbours.nas_bench_201 import SPACE as CELLS
from autobuild_book.chapters.neighbours.network_graphs import graph_features
from autobuild_book.chapters.neighbours.registry import find_neighbour
from autobuild_book.chapters.neighbours.weisfeiler_lehman import ITERATIONS, Kernel, of_graphs, of_wirings
from autobuild_book.chapters.neighbours.wiring import Wiring, wired
from autobuild_lib.data.table import make_table

ONE, TWO = Wiring(((0, 1, "a"),)), Wiring(((0, 1, "a"), (1, 2, "a")))


def gram(wirings: list[Wiring]) -> np.ndarray:
    levels = [of_wirings(wirings)]
    return Kernel.of(levels).to(levels)


def test_two_chains_by_hand() -> None:
    # ONE has input, a, output, and TWO input, a, a, output. After an iteration, a between both ends is none of the two
    # in TWO, but both ends are still beside an a; after another, all differ.
    products, ones, twos = [4, 4 + 2, 4 + 2], [3, 6, 9], [6, 6 + 4, 6 + 4 + 4]
    expected = np.array(products) / np.sqrt(np.array(ones) * np.array(twos))
    np.testing.assert_allclose(gram([ONE, TWO])[:3, 0, 1], expected)


def test_labels_are_those_of_networkx() -> None:
    counts, rng = Counts(load_grammar("recursive"), 4), np.random.default_rng(0)
    wirings = [wiring_of(counts.grammar, counts.sample(rng)) for _ in range(12)]
    histograms = []
    for wiring in wirings:
        graph = nx.DiGraph((read, node) for node, read in wiring.readers())
        nx.set_node_attributes(graph, dict(enumerate(wiring.labels())), "operation")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            hashes = nx.weisfeiler_lehman_subgraph_hashes(
                graph, node_attr="operation", iterations=ITERATIONS, include_initial_labels=True
            )
        histograms.append([Counter(rounds[n] for rounds in hashes.values()) for n in range(ITERATIONS + 1)])
    for iterations in range(ITERATIONS + 1):

        def product(a: list[Counter[str]], b: list[Counter[str]], most: int = iterations) -> int:
            return sum(a[n][label] * b[n][label] for n in range(most + 1) for label in a[n])

        expected = [[product(a, b) / np.sqrt(product(a, a) * product(b, b)) for b in histograms] for a in histograms]
        np.testing.assert_allclose(gram(wirings)[iterations], expected)


def test_it_is_positive_semidefinite_and_one_on_the_diagonal() -> None:
    counts, rng = Counts(load_grammar("cells")), np.random.default_rng(1)
    derivations = [counts.sample(rng) for _ in range(60)]
    levels = [of_wirings([wiring_of(counts.grammar, d, level) for d in derivations]) for level in (2, None)]
    for kernel in Kernel.of(levels).to(levels):
        np.testing.assert_allclose(kernel, kernel.T, atol=1e-12)
        np.testing.assert_allclose(np.diag(kernel), 1)
        assert np.linalg.eigvalsh(kernel)[0] > -1e-9
        assert ((kernel > 0) & (kernel < 1 + 1e-9)).all(), "all have an input and an output"


def test_the_hierarchical_kernel_knows_that_convolutions_are_alike() -> None:
    grammar = load_grammar("cells")
    texts = ["CONV=nor_conv_1x1", "CONV=nor_conv_3x3", "avg_pool_3x3"]
    nothing = ["OP=none"] * 2
    cells = [f"CELL=Cell({', '.join([*nothing, 'OP=none', f'OP={text}', *nothing])})" for text in texts]
    chosen = [parse(grammar, cell) for cell in cells]
    flat = [of_wirings([wiring_of(grammar, d) for d in chosen])]
    both = [of_wirings([wiring_of(grammar, d, 2) for d in chosen]), *flat]
    for iterations in range(ITERATIONS + 1):
        plain, hierarchical = (Kernel.of(levels).to(levels)[iterations] for levels in (flat, both))
        assert plain[0, 1] == pytest.approx(plain[0, 2])
        assert hierarchical[0, 1] == pytest.approx((1 + plain[0, 1]) / 2)
        assert hierarchical[0, 1] > hierarchical[0, 2] == pytest.approx(plain[0, 2])


def test_cells_as_graphs_of_the_space_and_as_wirings_are_as_similar() -> None:
    cells = [cell for cell in CELLS.sample(60, 2) if graph_features(CELLS, [cell])["network depth"].item() > 0]
    whole = [cell for cell in cells if "none" not in str(cell)]
    levels = [of_graphs(graphs_of(CELLS, whole), vocabulary(CELLS))]
    edges = [[(b, e, u["layers"][0]) for (b, e), u in zip(PAIRS, cell.units(), strict=True)] for cell in whole]
    wirings = [wired(some, 0, 3) for some in edges]
    assert len(whole) > 5
    np.testing.assert_allclose(Kernel.of(levels).to(levels), gram(wirings))


PAIRS = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))


def test_the_process_solves_its_equations() -> None:
    counts, rng = Counts(load_grammar("recursive"), 4), np.random.default_rng(3)
    wirings = [wiring_of(counts.grammar, counts.sample(rng)) for _ in range(50)]
    y = np.array([len(wiring.edges) + 0.1 * rng.normal() for wiring in wirings])
    process = Process.fit([of_wirings(wirings[:40])], y[:40])
    mean, deviation = process.predict([of_wirings(wirings[40:])])
    kernel = gram(wirings)[process.iterations]
    noise = float(process.shrunk[0] - max(np.linalg.eigvalsh(kernel[:40, :40])[0], 0))
    weights = np.linalg.solve(
        kernel[:40, :40] + noise * np.eye(40), np.column_stack([y[:40] - y[:40].mean(), kernel[:40, 40:]])
    )
    np.testing.assert_allclose(mean, y[:40].mean() + kernel[40:, :40] @ weights[:, 0], atol=1e-6)
    explained = np.einsum("ij,ji->i", kernel[40:, :40], weights[:, 1:])
    np.testing.assert_allclose(deviation**2, process.variance * (1 - explained).clip(0), atol=1e-6)
    assert np.corrcoef(mean, y[40:])[0, 1] > 0.9


def test_the_model_learns_from_a_table() -> None:
    cells = list(dict.fromkeys(CELLS.sample(150, 3)))
    y = [str(cell).count("3x3") - 2.0 * str(cell).count("none") for cell in cells]
    train, test = make_table(CELLS, cells, {"y": y}, source="counts", kind="yours").split(0.7, seed=0)
    (learnt,) = find_neighbour("WL kernel").fit_many(train, ["y"])
    assert np.corrcoef(learnt.predict(test.architectures), test.labels["y"])[0, 1] > 0.8
    assert len(learnt.predict([])) == 0 and WL_KERNEL.describe()["iterations"] == ITERATIONS
