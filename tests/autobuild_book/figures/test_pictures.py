"""Figures in two widths."""

import base64
import struct
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from autobuild_book.figures.pictures import ENTRY, NARROW, NARROW_TYPE, SHARP, WIDTH, Picture, narrow, picture
from autobuild_book.figures.style import styled


def size(png: bytes) -> tuple[int, int]:
    return struct.unpack(">II", png[16:24])


@styled
def lines(
    rows: int, columns: int, used: int = 99, one_width: bool = False, small_multiples: bool = False, **options: Any
) -> Picture:
    """A grid of panels, of which the first have a line; only the outer ones have labels."""
    figure = picture(2.0 * rows, one_width, small_multiples)
    grid = figure.subplots(rows, columns, squeeze=False, **options)
    for place, axes in enumerate(grid.flat):
        axes.plot([0, place + 1], [0, 10 * (place + 1)]) if place < used else axes.set_axis_off()
    for place, axes in enumerate(grid[0]):
        axes.set_title(f"column {place}")
    for place, axes in enumerate(grid[:, 0]):
        axes.set_ylabel(f"row {place}")
    return figure


def redrawn(*args: Any, **options: Any) -> Picture:
    redraw = lines(*args, **options).redraw
    assert redraw is not None
    return redraw()


def test_a_notebook_keeps_both_widths() -> None:
    figure = lines(1, 2)
    bundle = figure._repr_mimebundle_()
    wide, slim = size(figure._repr_png_()), size(base64.b64decode(bundle[NARROW_TYPE]))
    assert wide[0] / 130 == pytest.approx(WIDTH, abs=0.01) and slim[0] / SHARP == pytest.approx(NARROW, abs=0.01)
    assert slim[1] > slim[0] and wide[1] < wide[0]


def test_a_figure_of_one_width_has_no_other() -> None:
    figure = lines(1, 2, one_width=True)
    assert figure._repr_mimebundle_() == {} and size(figure.narrow_png()) == size(figure._repr_png_())


@pytest.mark.parametrize(("rows", "columns", "shown"), [(1, 2, 1), (2, 3, 1), (2, 4, 2), (1, 10, 10), (3, 1, 1)])
def test_panels_stand_in_fewer_columns_in_their_order(rows: int, columns: int, shown: int) -> None:
    axes = redrawn(rows, columns).axes
    specs = [one.get_subplotspec() for one in axes]
    assert all(spec is not None and spec.get_gridspec().ncols == shown for spec in specs)
    assert [one.lines[0].get_xdata()[1] for one in axes] == list(range(1, rows * columns + 1))


def test_a_panel_without_neighbours_has_its_own_names() -> None:
    axes = redrawn(2, 2).axes
    assert [one.get_ylabel() for one in axes] == ["row 0", "row 0", "row 1", "row 1"]
    assert [one.get_title() for one in axes] == ["column 0", "column 1"] * 2


def test_unused_panels_leave_no_gap() -> None:
    whole, part = redrawn(2, 2), redrawn(2, 2, used=3)
    assert len(part.axes) == 3 and part.get_figheight() == pytest.approx(whole.get_figheight() * 3 / 4)


@pytest.mark.parametrize(("used", "rows"), [(20, 10), (19, 10), (21, 11)])
def test_small_multiples_stand_two_abreast_and_are_named_at_the_left_and_below(used: int, rows: int) -> None:
    options: Any = {"sharex": True, "sharey": True}
    figure, stacked = redrawn(7, 3, used, small_multiples=True, **options), redrawn(7, 3, used, **options)
    specs = [one.get_subplotspec() for one in figure.axes]
    places = [(spec.rowspan.start, spec.colspan.start) for spec in specs if spec is not None]
    assert places == [divmod(place, 2) for place in range(used)]
    assert figure.get_figheight() == pytest.approx(14.0 * 0.8 * rows / 7)
    assert figure.get_figheight() < stacked.get_figheight() / 2
    ticks = [one.xaxis.get_tick_params()["labelbottom"] for one in figure.axes]
    assert ticks == [place >= used - 2 for place in range(used)]
    assert [bool(one.get_ylabel()) for one in figure.axes] == [place % 2 == 0 for place in range(used)]


@pytest.mark.parametrize(("shared", "groups"), [("row", [0, 0, 1, 1]), ("col", [0, 1, 0, 1]), (True, [0] * 4)])
def test_axes_are_shared_as_in_the_wide_figure(shared: Any, groups: list[int]) -> None:
    axes = redrawn(2, 2, sharey=shared).axes
    alike = np.array([[one.get_shared_y_axes().joined(one, other) or one is other for other in axes] for one in axes])
    assert (alike == np.equal.outer(groups, groups)).all()


@styled
def named(names: list[str], columns: int) -> Picture:
    """Panels with a row per name, a twentieth of an inch from one to the next where there is one column."""
    figure = picture(0.05 * len(names) + 0.5)
    for axes in figure.subplots(1, columns, squeeze=False)[0]:
        axes.plot([0, 1], [0, len(names) - 1])
        axes.set_yticks(range(len(names)), names)
    return figure


@pytest.mark.parametrize("columns", [1, 2])
def test_broken_names_of_rows_do_not_run_into_each_other(columns: int) -> None:
    redraw = named([f"a name of row {row} that is long" for row in range(9)], columns).redraw
    assert redraw is not None
    figure = redraw()
    figure.draw_without_rendering()
    for axes in figure.axes:
        labels = axes.get_yticklabels()
        assert all(label.get_text().count("\n") == 1 for label in labels)
        boxes = sorted((label.get_window_extent() for label in labels), key=lambda box: box.y0)
        assert all(lower.y1 <= upper.y0 for lower, upper in pairwise(boxes))


def test_a_figure_without_broken_names_keeps_its_height() -> None:
    redraw = named(["a", "b"], 1).redraw
    assert redraw is not None and redraw().get_figheight() == pytest.approx(0.6)


def test_the_width_is_narrow_only_inside() -> None:
    with narrow():
        assert picture(1).get_figwidth() == NARROW
    assert picture(1).get_figwidth() == WIDTH


def test_a_legend_with_more_lines_makes_a_narrow_figure_higher() -> None:
    def height(loc: str) -> float:
        with narrow():
            figure = picture(2)
            line = figure.add_subplot().plot([0, 1])
            figure.legend(line * 4, ["a name of twenty-five cha"] * 4, loc=loc, ncols=2)
            return figure.get_figheight()

    assert height("outside lower center") == pytest.approx(2 + 2 * ENTRY) and height("upper left") == 2


def test_legends_get_the_columns_that_their_names_leave_room_for() -> None:
    def ncols(name: str) -> int:
        with narrow():
            figure = picture(2)
            line = figure.add_subplot().plot([0, 1], label=name)
            return figure.legend(line * 4, [name] * 4, loc="outside lower center", ncols=4)._ncols  # type: ignore[attr-defined]

    assert ncols("a") == 4 and ncols("a name of twenty-five cha") == 1
