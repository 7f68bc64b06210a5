"""The systems of the chapter: who, when, what kind of system, and how ours stands to the original."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from autobuild_book.chapters.shared.lookup import look_up

FAITHFUL, SMALLER, DIFFERS = "faithful", "smaller than the original", "differs"
REPRESENTATIONS, PREDICTORS, SPACES, SEARCHES = "representations", "predictors", "spaces", "searches"
FAMILIES = (REPRESENTATIONS, PREDICTORS, SPACES, SEARCHES)


@dataclass(frozen=True)
class System:
    """A system that readers of AutoBuild meet.

    key: its entry in the bibliography. models: its names in the registry, the main one first. why: of the verdict.
    shares: what it has in common with AutoBuild.
    """

    name: str
    key: str
    year: int
    family: str
    verdict: str
    why: str
    shares: str
    models: tuple[str, ...] = ()


AUTOBUILD = System(
    "AutoBuild", "mills2024autobuild", 2024, PREDICTORS, FAITHFUL, "the method of this book", "itself",
    ("AutoBuild, tuned preset", "AutoBuild, paper preset", "AutoBuild, ensemble on ranks"),
)  # fmt: skip
SYSTEMS = (
    System(
        "Operation embeddings", "chatzianastasis2021graph", 2021, REPRESENTATIONS, DIFFERS,
        "the vectors are learnt with the label here, by graph autoencoders there",
        "AutoBuild's first layer embeds operations too: hop 0 of its ranking is made of these vectors",
        ("neural predictor, embedded", "positions, embedded", "positions, one-hot"),
    ),
    System(
        "arch2vec", "yan2020arch2vec", 2020, REPRESENTATIONS, SMALLER,
        "four layers of 64 and 800 steps; all networks of the space there, 4,000 here; choices have a sigmoid each",
        "embeddings of graphs, but of no label: their size says nothing about how good a network is",
        ("arch2vec", "arch2vec, ridge"),
    ),
    System(
        "Network graphs", "huang2021network", 2021, REPRESENTATIONS, DIFFERS,
        "graphs of layers, not of channel groups, and a forest on their properties",
        "both say why a network is good in words of its graph, AutoBuild of modules, this of path lengths and degrees",
        ("network graphs of choices", "network graphs"),
    ),
    System(
        "Neural predictor", "wen2020neural", 2020, PREDICTORS, SMALLER,
        "64 channels for 144, 800 steps for some 300 passes with batches of 10; no classifier before it",
        "the plain graph network that AutoBuild adds attention and norms at every hop to",
        ("neural predictor",),
    ),
    System(
        "GATES", "ning2020generic", 2020, PREDICTORS, SMALLER,
        "64 channels, 800 steps; the mean over nodes of a line graph is read",
        "messages go where data goes; AutoBuild passes them along the same edges", ("GATES",),
    ),
    System(
        "CTNAS", "chen2021contrastive", 2021, PREDICTORS, SMALLER,
        "64 channels, one round of exploration, no controller learnt with it; wins are over networks learnt from",
        "order is all that counts: AutoBuild's soft ranks say the same with one number a network",
        ("CTNAS comparator",),
    ),
    System(
        "Semi-supervised assessor", "tang2020semisupervised", 2020, PREDICTORS, DIFFERS,
        "details beyond its abstract are ours; networks without labels are drawn from the whole space",
        "it hopes for something from networks without labels; AutoBuild learns from labelled ones alone",
        ("semi-supervised assessor", "assessor, labels alone"),
    ),
    System(
        "CARL", "ji2025carl", 2025, PREDICTORS, DIFFERS,
        "the loss of causal attention with squared errors; terms and weights of the paper may be others",
        "it, too, names the parts that matter: of one network at a time, where AutoBuild ranks modules of all",
        ("CARL", "CARL, no interventions"),
    ),
    System(
        "LeDG-Former", "jing2025language", 2025, PREDICTORS, DIFFERS,
        "after the abstract and reviews, as the paper was not at hand; MiniLM reads phrases of single choices",
        "one predictor for many devices: AutoBuild learns each latency anew", ("LeDG-Former",),
    ),
    System(
        "NN-Former", "xu2025nnformer", 2025, PREDICTORS, SMALLER,
        "three layers of 64 for twelve of 160, 800 steps; no class token",
        "attention along edges, as in AutoBuild, and among siblings, which no edge joins", ("NN-Former",),
    ),
    System(
        "Hierarchical representations", "liu2018hierarchical", 2018, SPACES, SMALLER,
        "two levels and look-ups in a table, for three levels and trained networks",
        "motifs are modules: it evolves them, AutoBuild says which ones are worth keeping",
    ),
    System(
        "Grammars", "schrodi2023construction", 2023, SPACES, SMALLER,
        "three grammars, the largest of cells; sampling, moves and the kernel are the paper's",
        "a production is a module wherever it stands, so that AutoBuild's effect score ranks productions",
        ("WL kernel",),
    ),
    System(
        "Stage-wise search", "jordao2020stagewise", 2020, SEARCHES, DIFFERS,
        "measured is growth by what the label gains; theirs, by activations, is built here for perceptrons alone",
        "units are its stages: it asks how deep each should be, AutoBuild also what stands in them",
    ),
    System(
        "Introspectability", "carmichael2021learning", 2021, SEARCHES, SMALLER,
        "perceptrons on digits, all labelled before the search, for networks trained within it",
        "a second objective as any other: an equation of it and of the error is a target of AutoBuild",
    ),
    System(
        "EM-DARTS", "qin2024emdarts", 2024, SEARCHES, DIFFERS,
        "after its abstract, on digits read as series; relaxed as DARTS is, and when a layer goes is a rule of ours",
        "one training of all networks in one, where AutoBuild trains few networks alone",
    ),
)  # fmt: skip


def overview(systems: Sequence[System]) -> pd.DataFrame:
    """Return a row per system: name, year, family, verdict, and why."""
    rows = [(s.name, s.year, s.family, s.verdict, s.why) for s in systems]
    return pd.DataFrame(rows, columns=["system", "year", "family", "verdict", "why"]).set_index("system")


def find_system(name: str) -> System:
    """Return a system of the chapter; an unknown name is a `ValueError` that lists them."""
    return look_up("system", name, {system.name: system for system in SYSTEMS})
