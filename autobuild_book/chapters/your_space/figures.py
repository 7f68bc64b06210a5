"""Figure of the tutorial on an evaluator of one's own."""

import pandas as pd

from autobuild_book.figures.style import INK, PALETTE, Picture, label_name, picture, styled


@styled
def search_beside_table(table: pd.DataFrame, searched: pd.DataFrame, maximise: str, minimise: str) -> Picture:
    """Draw what a search evaluated, round by round, over the rows of a table.

    Args:
        table: a row per architecture, with columns `maximise` and `minimise`.
        searched: the same columns, and `round`.
        maximise: label on the vertical axis.
        minimise: label on the horizontal axis, which is logarithmic.
    """
    figure = picture(3.2)
    axes = figure.subplots()
    axes.plot(table[minimise], table[maximise], "o", color=PALETTE[6], markersize=3, alpha=0.6, label="table")
    for number in sorted(searched["round"].unique().tolist()):
        batch, name = searched[searched["round"] == number], f"round {number}" if number else "random start"
        axes.plot(batch[minimise], batch[maximise], "osD^v"[number % 5], color=PALETTE[number % 6], markeredgecolor=INK,
                  markeredgewidth=0.5, label=name)  # fmt: skip
    axes.set(xscale="log", xlabel=label_name(minimise), ylabel=label_name(maximise))
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure
