"""Figures that show themselves in two widths: that of a page, and that of a phone, with panels in fewer columns."""

import base64
import io
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend import Legend

WIDTH = 5.8  # inches: the width of the text, so that letters keep their size on a page
NARROW = 3.7  # inches: the width of the text on a phone
RESOLUTION, SHARP = 130, 190  # dots per inch; screens of phones have more of them
NARROW_TYPE = "application/x-narrow-png"  # beside image/png in what a notebook shows; base64
LETTER, ENTRY = 0.085, 0.19  # inches, of a legend: the width of a letter, the height of a line
LONGEST, TITLE, WORDS = 18, 24, 30  # letters of a tick's label, a small multiple's title, and an axis's, if narrow
LOW = 0.8  # height of small multiples in a narrow figure, of that in a wide one
BROKEN, LINE = 8, 8 * 1.3 / 72  # points of broken labels of ticks, and inches from one line to the next

_narrow: ContextVar[bool] = ContextVar("narrow", default=False)


@contextmanager
def narrow() -> Iterator[None]:
    """Draw narrow figures inside a `with` block."""
    token = _narrow.set(True)
    try:
        yield
    finally:
        _narrow.reset(token)


def is_narrow() -> bool:
    """Say whether a figure is being drawn for a narrow screen."""
    return _narrow.get()


class Picture(Figure):
    """A Matplotlib figure that notebooks show by themselves, without pyplot.

    redraw: draws the same figure once more, for a narrow screen; None for a figure that has one width.
    """

    redraw: "Callable[[], Picture] | None" = None
    one_width = False
    grid: Any = None  # panels [rows, columns] that stand in fewer columns
    small_multiples = False  # panels that share both axes, in any number of columns

    def _repr_png_(self) -> bytes:
        return self._png(RESOLUTION)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """Show the narrow figure, too; IPython adds what `_repr_png_` returns."""
        return {} if self.redraw is None else {NARROW_TYPE: base64.b64encode(self.narrow_png()).decode()}

    def narrow_png(self) -> bytes:
        """Return the figure as a PNG for a narrow screen; the wide one where it has one width."""
        return self._repr_png_() if self.redraw is None else self.redraw()._png(SHARP)

    def _png(self, resolution: int) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=resolution, metadata={"Software": None})
        return buffer.getvalue()

    def legend(self, *args: Any, **options: Any) -> Legend:
        """Draw a legend, in a narrow figure with as many columns as its names leave room for, and under the panels.

        A narrow figure grows by the lines that a legend outside the panels has more than in a wide one.
        """
        if _narrow.get():
            names = args[1] if len(args) > 1 else [str(handle.get_label()) for handle in options.get("handles", [])]
            longest = max(map(len, names), default=LONGEST)
            wide, room = options.get("ncols", 1), max(1, int(NARROW / (LETTER * longest + 0.45)))
            options["ncols"] = min(wide, room)
            if "outside" in str(options.get("loc")):
                options["loc"] = "outside lower center"
                lines, before = (-(-len(names) // columns) for columns in (options["ncols"], wide))
                self.set_figheight(self.get_figheight() + ENTRY * (lines - before))
        return super().legend(*args, **options)

    def subplots(self, nrows: int = 1, ncols: int = 1, **options: Any) -> Any:
        """Make a grid of panels; in a narrow figure, up to three columns become one and four become two.

        Small multiples stand in two columns there, named at the left and below.
        """
        if not _narrow.get() or ncols == 1 or ncols > 4:
            return super().subplots(nrows, ncols, **options)
        columns = 2 if ncols == 4 or self.small_multiples else 1
        return _stacked(self, nrows, ncols, columns, options)


def _stacked(figure: Picture, rows: int, columns: int, shown: int, options: dict[str, Any]) -> Any:
    """Return panels [rows, columns] as asked for, which stand in `shown` columns."""
    higher = LOW if figure.small_multiples else 0.95 if shown == 1 else 1.1
    lines = -(-rows * columns // shown)
    figure.set_size_inches(NARROW, figure.get_figheight() * higher * lines / rows)
    heights = options.get("height_ratios")
    ratios = None if heights is None else np.repeat(heights, columns // shown).tolist()
    panels = np.asarray(Figure.subplots(figure, lines, shown, squeeze=False, height_ratios=ratios)).ravel()
    for axes in panels[rows * columns :]:
        axes.remove()
    grid = panels[: rows * columns].reshape(rows, columns)
    figure.grid = grid
    _share(grid, options.get("sharex", False), "x")
    _share(grid, options.get("sharey", False), "y")
    return grid if not options.get("squeeze", True) else grid[0] if rows == 1 else grid


def _share(grid: Any, shared: bool | str, axis: str) -> None:
    """Let panels share an axis as Matplotlib's `sharex` and `sharey` say; every panel keeps its own labels of ticks."""
    for (row, column), panel in np.ndenumerate(grid):
        first = {"row": grid[row, 0], "col": grid[0, column], True: grid[0, 0], "all": grid[0, 0]}.get(shared)
        if first is not None and first is not panel:
            (panel.sharex if axis == "x" else panel.sharey)(first)


def finish_narrow(figure: Picture) -> None:
    """Close gaps of unused panels, name panels that lost their neighbours, break long texts, and make room for them."""
    if figure.grid is not None:
        _close_gaps(figure)
        for (row, column), panel in np.ndenumerate(figure.grid):
            if panel not in figure.axes:
                continue
            first, top = figure.grid[row, 0], figure.grid[0, column]
            panel.set_ylabel(panel.get_ylabel() or first.get_ylabel(), fontsize=first.yaxis.label.get_size())
            panel.set_title(panel.get_title() or top.get_title(), fontsize=top.title.get_size())
        if figure.small_multiples:
            _name_outer(figure)
    for axes in figure.axes:
        labels = [label.get_text() for label in axes.get_yticklabels()]
        if max(map(len, labels), default=0) > LONGEST:
            axes.set_yticks(axes.get_yticks(), [textwrap.fill(label, LONGEST) for label in labels], fontsize=BROKEN)
        axes.set_xlabel(textwrap.fill(axes.get_xlabel(), WORDS))
        axes.set_ylabel(textwrap.fill(axes.get_ylabel(), WORDS))
    if any("\n" in label.get_text() for axes in figure.axes for label in axes.get_yticklabels()):
        _make_room(figure)


def _make_room(figure: Picture) -> None:
    """Make a figure higher until labels of several lines do not run into each other."""
    figure.draw_without_rendering()  # which sets the heights of panels
    figure.set_figheight(figure.get_figheight() + max(_missing(axes) for axes in figure.axes))


def _missing(axes: Axes) -> float:
    """Return the inches by which a figure is too low for the labels of ticks of one of its panels."""
    spec, low_high = axes.get_subplotspec(), axes.get_ylim()
    ticks = [tick for tick in axes.yaxis.get_major_ticks() if tick.label1.get_visible() and tick.label1.get_text()]
    if spec is None or len(ticks) < 2 or axes.get_yscale() != "linear":
        return 0.0
    height = axes.get_window_extent().height / axes.figure.dpi
    pitches = np.abs(np.diff([tick.get_loc() for tick in ticks])) * height / abs(low_high[1] - low_high[0])
    lines = np.array([tick.label1.get_text().count("\n") + 1 for tick in ticks])
    needs = (lines[1:] + lines[:-1]) / 2 * LINE
    return height * (max(1.0, float((needs / pitches).max())) - 1) * spec.get_gridspec().nrows


def _close_gaps(figure: Picture) -> None:
    """Take out panels that show nothing, where there is one column, or where all panels are of one kind."""
    panels = list(figure.grid.flat)
    used = [axes for axes in panels if axes.has_data() or axes.get_legend() or axes.texts]
    spec = panels[0].get_subplotspec().get_gridspec()
    columns = spec.ncols
    if not used or len(used) == len(panels) or (columns > 1 and not figure.small_multiples):
        return
    for axes in panels:
        if axes not in used:
            axes.remove()
    lines = -(-len(used) // columns)
    smaller = figure.add_gridspec(lines, columns)
    for place, axes in enumerate(used):
        axes.set_subplotspec(smaller[divmod(place, columns)])
    figure.set_figheight(figure.get_figheight() * lines / spec.nrows)


def _name_outer(figure: Picture) -> None:
    """Name axes and their ticks at the left and below only, as all panels share them; break long titles."""
    panels = [axes for axes in figure.grid.flat if axes in figure.axes]
    below = next((axes.get_xlabel() for axes in reversed(panels) if axes.get_xlabel()), "")
    columns = panels[0].get_subplotspec().get_gridspec().ncols
    for place, axes in enumerate(panels):
        is_left, is_lowest = place % columns == 0, place + columns >= len(panels)
        axes.tick_params(labelleft=is_left, labelbottom=is_lowest)
        axes.set_xlabel(below if is_lowest else "")
        axes.set_ylabel(axes.get_ylabel() if is_left else "")
        axes.title.set_text(textwrap.fill(axes.get_title(), TITLE))


def picture(height: float, one_width: bool = False, small_multiples: bool = False) -> Picture:
    """Return an empty figure of the book's width, or of a phone's, and the given height in inches.

    small_multiples: for many panels that share both axes; a phone shows them two abreast.
    one_width: for figures whose parts stand where they stand, such as pictures in rows; a phone shows them smaller.
    """
    figure = Picture(figsize=(NARROW if _narrow.get() else WIDTH, height), layout="constrained")
    figure.one_width, figure.small_multiples = one_width, small_multiples
    return figure
