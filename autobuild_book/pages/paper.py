"""Index of the paper: where each of its figures, equations and experiments lives here."""

import importlib
import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autobuild_book.pages import markdown
from autobuild_book.pages.api import PACKAGE
from autobuild_book.pages.claims import slug
from autobuild_book.pages.states import NOT_RUN_HERE, Chapters, link


@dataclass(frozen=True)
class Entry:
    """One thing in the paper.

    item: what the paper calls it. text: what it shows. functions: full names of what computes it here.
    notebook, section: the chapter, and the heading in it. cell: a piece of the code cell below that heading.
    figure: label of the figure in the book, if it is one.
    """

    item: str
    text: str
    functions: tuple[str, ...]
    notebook: str
    section: str
    cell: str
    figure: str = ""


METHOD, IMPORTANCE, MODULES, REGIONS = "00_method", "02_ir_operations", "03_subgraph_ranking", "04_pareto_regions"

FIGURES = (
    Entry(
        "Figure 1",
        "An architecture as a path; the modules that one and three hops see.",
        ("autobuild_book.chapters.foundations.method_figures.path_modules",),
        METHOD,
        "What a node sees: modules",
        "method_figures.path_modules(",
        "figure-modules",
    ),
    Entry(
        "Figure 2",
        "Overview of the predictor: FE-MLP, message passing, and a ranking loss on every hop.",
        ("autobuild_lib.predictor.Network",),
        METHOD,
        "Hops 1 to 4: message passing on a path",
        "predictor.network.node_embeddings(",
    ),
    Entry(
        "Figure 3",
        "Importance of operation types at hop 0, in op-level graphs of both families.",
        (
            "autobuild_book.chapters.operations.hop_zero.importances",
            "autobuild_book.chapters.operations.figures.operation_importance",
        ),
        IMPORTANCE,
        "Result: importance of operations",
        "figures.operation_importance(",
        "figure-importance",
    ),
    Entry(
        "Figure 4",
        "The best and the worst modules of every size, for several target equations.",
        (
            "autobuild_book.chapters.modules.ranking.extremes",
            "autobuild_book.chapters.modules.figures.module_chains",
        ),
        MODULES,
        "Result: the best and worst modules",
        "figures.module_chains(",
        "figure-modules-norm",
    ),
    Entry(
        "Figure 5, first row",
        "Clusters of built networks beside the training frontier, one for each equation.",
        (
            "autobuild_book.chapters.regions.clusters.evaluate_clusters",
            "autobuild_book.chapters.regions.figures.pareto_clusters",
        ),
        REGIONS,
        "Result: clusters of 243 networks",
        "figures.pareto_clusters(",
        "figure-clusters-first",
    ),
    Entry(
        "Figure 5, second row",
        "Fronts that searches in the reduced space and in others end with.",
        (
            "autobuild_book.chapters.regions.search_runs.search_panels",
            "autobuild_book.chapters.regions.figures.search_fronts",
        ),
        REGIONS,
        "Result: search",
        "figures.search_fronts(",
        "figure-search-fronts",
    ),
)

EQUATIONS = (
    Entry(
        "Section 3.1: architectures as graphs",
        "A directed path with one node per layer.",
        ("autobuild_lib.graphs.layer_graphs",),
        METHOD,
        "An architecture is a graph",
        "ab.graphs.layer_graphs(",
    ),
    Entry(
        "Section 3.2: FE-MLP",
        "One scalar for every feature of a node, and its absolute value.",
        ("autobuild_lib.engine.layers.FeatureMLP",),
        METHOD,
        "Hop 0: the feature-embedding MLP",
        "features.value_scores(",
    ),
    Entry(
        "Section 3.2: message passing",
        "GATv2 convolutions, with normalisation and residuals.",
        ("autobuild_lib.engine.passing.GATv2", "autobuild_lib.predictor.Network"),
        METHOD,
        "Hops 1 to 4: message passing on a path",
        "convolution.attention[",
    ),
    Entry(
        "Section 3.2: graph embedding and prediction",
        "Means over the nodes, their norms, and the head.",
        ("autobuild_lib.engine.passing.Pooling", "autobuild_lib.Predictor"),
        METHOD,
        "From nodes to the prediction",
        "predictor.predict_and_norms(",
    ),
    Entry(
        "Equation 3: loss",
        "Squared error, plus the ranking loss with its weight.",
        ("autobuild_lib.fit", "autobuild_lib.TrainingConfig"),
        METHOD,
        "A small predictor to look into",
        "ab.fit(",
    ),
    Entry(
        "Equation 4: hop-level ranking loss",
        "One minus the correlation of soft ranks with the target, over hops.",
        ("autobuild_lib.losses.rank_loss", "autobuild_lib.losses.soft_rank"),
        METHOD,
        "A loss that gives length a meaning",
        "ab.losses.soft_rank(",
    ),
    Entry(
        "Sections 3.3 and 3.4: module scores",
        "Norms of isolated modules, standardised over hop and depth.",
        ("autobuild_lib.score_units", "autobuild_lib.units.corpus.module_norms"),
        MODULES,
        "The idea: how one module is scored",
        "predictor.moments.hops[",
    ),
    Entry(
        "Section 3.4: reduced spaces",
        "Products of the best K modules of every unit.",
        ("autobuild_lib.UnitCorpus", "autobuild_lib.ReducedSpace"),
        REGIONS,
        "Method: predictors, scores, reduced spaces",
        "itertools.product(",
    ),
)

EXPERIMENTS = (
    Entry(
        "Rank correlation by hop (Section 4)",
        "Claim C1.",
        ("autobuild_lib.evaluate", "autobuild_book.chapters.ranking.rank_correlations.compare_presets"),
        "01_predictor_srcc",
        "Result: how well each hop ranks",
        "rank_figures.srcc_by_hop(",
        "figure-srcc-by-hop",
    ),
    Entry(
        "Op-level graphs of two families (Section 4.2)",
        "Claim C2.",
        ("autobuild_lib.fit_ir", "autobuild_lib.graphs.ir_graph"),
        IMPORTANCE,
        "Method",
        "hop_zero.train_presets(",
    ),
    Entry(
        "Best and worst modules",
        "Claim C3.",
        ("autobuild_lib.score_units", "autobuild_book.chapters.modules.interventions.intervene"),
        MODULES,
        "Verdict on claim C3",
        "judging.judge(",
    ),
    Entry(
        "Regions of the frontier, K = 3",
        "Claim C4.",
        ("autobuild_book.chapters.regions.clusters.judge_clusters",),
        REGIONS,
        "Result: clusters of 243 networks",
        "reduction.judge_clusters(",
    ),
    Entry(
        "Search in the reduced space, K = 25",
        "Claim C5.",
        ("autobuild_lib.search.evolve", "autobuild_lib.search.StageMutation"),
        REGIONS,
        "Result: search",
        "search_runs.search_panels(",
    ),
    Entry(
        "Panoptic segmentation",
        "Claim C6.",
        ("autobuild_book.chapters.panoptic.verdict.judge", "autobuild_book.chapters.panoptic.task.training.train"),
        "05_panoptic",
        "Verdict on claim C6",
        "panoptic_verdict.judge(",
    ),
    Entry(
        "Inpainting with diffusion models (Section 5.3)",
        "Claim C7.",
        ("autobuild_book.chapters.diffusion.verdict.judge", "autobuild_book.chapters.diffusion.task.training.train"),
        "06_diffusion_unets",
        "Verdict on claim C7",
        "judging.judge(",
    ),
)

ENTRIES = (*FIGURES, *EQUATIONS, *EXPERIMENTS)


def paper_index(chapters: Chapters) -> str:
    """Return the tables of the index: figures, equations and experiments that live in one of the chapters."""
    parts = (("Figures", FIGURES), ("Equations and definitions", EQUATIONS), ("Experiments", EXPERIMENTS))
    kept = [(title, [entry for entry in entries if entry.notebook in chapters.notebooks]) for title, entries in parts]
    return "\n".join(f"## {title}\n\n{_table(entries, chapters)}" for title, entries in kept)


def _table(entries: Sequence[Entry], chapters: Chapters) -> str:
    header = ("in the paper", "what it shows", "here", "notebook cell", "functions")
    rows = [_row(entry, entry.notebook in chapters.executed) for entry in entries]
    return markdown.list_table(header, rows, "paper-index")


def _row(entry: Entry, ran: bool) -> tuple[str, ...]:
    place = f"[{entry.section}](/artifacts/book/{entry.notebook}.ipynb#{slug(entry.section)})"
    figure = f"\n\n{{ref}}`the figure <{entry.figure}>`" if entry.figure else ""
    if not ran:
        place, figure = f"{link(entry.notebook)}, section *{entry.section}*, {NOT_RUN_HERE}", ""
    cell = f"`{entry.cell.rstrip('(')}` in `{entry.notebook}`"
    return entry.item, entry.text, place + figure, cell, markdown.bullets([_role(name) for name in entry.functions])


def _role(name: str) -> str:
    role = "class" if inspect.isclass(named(name)) else "func"
    short = name.removeprefix(f"{PACKAGE}.")
    return f"{{py:{role}}}`{short} <{name}>`"


def named(name: str) -> object:
    """Return the object with a full dotted name."""
    module, _, member = name.rpartition(".")
    return getattr(importlib.import_module(module), member)


def cells_below(notebook: Path, section: str) -> str:
    """Return the code of the cells below a heading of a percent-format notebook, up to the next heading."""
    below, code = False, []
    for cell in notebook.read_text(encoding="utf-8").split("\n# %%")[1:]:
        kind, _, text = cell.partition("\n")
        if "[markdown]" in kind:
            headings = [line.lstrip("# ") for line in text.splitlines() if line.startswith(("# # ", "# ## ", "# ### "))]
            below = headings[-1] == section if headings else below
        elif below:
            code.append(text)
    return "\n".join(code)
