"""The landing page: a picture of what was found, and the findings in sentences, computed from metrics."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from autobuild_book.chapters.shared.models.registry import ENSEMBLE, FOREST_GRAF, PAPER, RIDGE, TUNED
from autobuild_book.chapters.shared.verdicts import SUPPORTED
from autobuild_book.figures.style import PALETTE, Picture, picture, styled
from autobuild_book.intervals import CORRELATION, mean_with_interval
from autobuild_book.pages import markdown
from autobuild_book.pages.claims import CLAIMS, TRAINED, Claim, finding_of, on_trained
from autobuild_book.pages.executed import Executed
from autobuild_book.pages.narrow import FOLDER
from autobuild_book.pages.states import Chapters, link
from autobuild_book.pages.verdicts import counts

BOARD, BUILT = "12_board", ("C6", "C7")
FILE = "landing.png"
GRAPHS = "nas-bench-graph:"  # how the names of its tables begin
LINES = {
    ENSEMBLE.name: ("AutoBuild with this book's recipe", PALETTE[0], 2.6),
    FOREST_GRAF.name: ("a forest on graph features", PALETTE[2], 1.4),
    TUNED.name: ("AutoBuild, tuned", PALETTE[1], 1.4),
    RIDGE.name: ("an additive ridge", PALETTE[6], 1.4),
    PAPER.name: ("AutoBuild, the paper's recipe", PALETTE[3], 1.4),
}
FIGURE = """```{{figure}} /artifacts/book/{file}
---
name: figure-landing
alt: >-
  Rank correlation rises with the number of labelled networks, a line per model. {highest} is the highest line at 300
  networks and {lowest} the lowest.
---

How well models rank trained networks that they have not seen, against how many they learnt from: the mean over the
data sets of NAS-Bench-Graph, with 95 % intervals over data sets. Benchmark labels: trained by other people
({{ref}}`the chapter <trained-ranking>`).
```"""


def landing(chapters: Chapters) -> str:
    """Return the picture, if its chapter ran, and a sentence for each thing that was found."""
    opening = figure(chapters.executed[TRAINED]) if TRAINED in chapters.executed else ""
    return f"{opening}\n\n## What was found\n\n{markdown.bullets(list(_sentences(chapters)))}\n"


def _sentences(chapters: Chapters) -> Iterator[str]:
    """Yield the findings; those on trained networks come first."""
    again = {claim.name: finding for claim in CLAIMS if (finding := on_trained(claim, chapters))}
    if again:
        held = sum(finding.verdict == SUPPORTED for finding in again.values())
        words = ", ".join(f"{name} *{finding.verdict}*" for name, finding in again.items())
        yield (
            f"**On networks that others trained and timed**, with the paper's preset, {held} of {len(again)} claims of "
            f"the paper are supported: {words} ([the chapter](trained))."
        )
        yield from _lead(chapters.executed[TRAINED])
    if BOARD in chapters.executed:
        yield standing(chapters.executed[BOARD])
    findings = {claim: finding_of(claim, chapters) for claim in CLAIMS}
    labels = "labels by surrogates or measured here"
    yield f"**The paper's experiments once more**, {labels}: {counts(findings)} ([verdicts](verdicts))"
    if built := [text for claim in CLAIMS if claim.name in BUILT for text in _built(claim, chapters)]:
        yield f"**Built, trained and measured here**: {'; '.join(built)}."


def standing(run: Executed) -> str:
    """Say who ranks networks best over the tables of the board."""
    return f"**Against other models**: {run.metric('standings')[-1]} ([the board](board))"


def _lead(run: Executed) -> Iterator[str]:
    """Say by how much this book's recipe leads, and the paper's tuned one does not; nothing where neither is known."""
    metrics = run.record["metrics"]
    if {"lead", "tuned"} <= metrics.keys():
        yield (
            f"**A better recipe**: with 300 labelled networks this book's ensemble on ranks leads a forest on graph "
            f"features in rank correlation by {metrics['lead']}; which leads one predictor without ranks by "
            f"{metrics['tuned']} ({{ref}}`how <trained-ranking>`)."
        )


def _built(claim: Claim, chapters: Chapters) -> Iterator[str]:
    """Say what came of a claim about networks that were built, in a few words with its number."""
    if claim.notebook in chapters.executed:
        number = claim.number(chapters.executed[claim.notebook])
        numbers = f" ({number.name}: {number})" if number else ""
        yield f"{link(claim.notebook)}: *{finding_of(claim, chapters).verdict}*{numbers}"


# ----------------------------------------------------------- the picture


def figure(run: Executed) -> str:
    """Write the figure of the landing page, whose alternative text says what it shows."""
    means = mean_curves(pd.read_csv(run.table("curves")))
    at_300 = means[means["size"] == 300].set_index("model")["mean"]
    lowest, highest = (LINES[str(name)][0] for name in (at_300.idxmin(), at_300.idxmax()))
    return FIGURE.format(file=FILE, highest=f"{highest[0].upper()}{highest[1:]}", lowest=lowest)


def mean_curves(curves: pd.DataFrame) -> pd.DataFrame:
    """Average learning curves over NAS-Bench-Graph's data sets: columns model, size, mean, low, high.

    curves: columns source, model, size, mean; a size that a data set does not have is left out.
    """
    graphs = curves[curves["source"].str.startswith(GRAPHS) & curves["model"].isin(LINES)]
    number = graphs["source"].nunique()
    groups = graphs.groupby(["model", "size"], sort=False)["mean"]
    everywhere = [(key, part.to_numpy()) for key, part in groups if len(part) == number]
    rows = [(*key, *mean_with_interval(means, within=CORRELATION)) for key, means in everywhere]
    return pd.DataFrame(rows, columns=["model", "size", "mean", "low", "high"])


def write_picture(run: Executed, folder: Path) -> None:
    """Draw the picture of the landing page into the folder of the pages, in two widths."""
    drawn = draw(mean_curves(pd.read_csv(run.table("curves"))))
    (folder / FILE).write_bytes(drawn._repr_png_())
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    (folder / FOLDER / FILE).write_bytes(drawn.narrow_png())


@styled
def draw(means: pd.DataFrame) -> Picture:
    """Draw a line per model, named at its end: columns of `means` as `mean_curves` returns them."""
    figure = picture(3.1)
    axes = figure.add_subplot(xlabel="labelled networks to learn from", ylabel="rank correlation", xscale="log")
    for model, (name, colour, width) in LINES.items():
        line = means[means["model"] == model].sort_values("size")
        axes.fill_between(line["size"], line["low"], line["high"], color=colour, alpha=0.12, linewidth=0)
        axes.plot(line["size"], line["mean"], "o-", color=colour, linewidth=width, markersize=4, label=name)
    sizes = sorted(means["size"].unique())
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.minorticks_off()
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right center", fontsize=9)
    return figure
