"""The look of the book's figures: one palette, one style, one width."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec

import matplotlib as mpl
from cycler import cycler
from matplotlib.cbook import is_math_text
from matplotlib.text import Text

from autobuild_book.figures.pictures import (
    WIDTH as WIDTH,
    Picture as Picture,
    finish_narrow,
    narrow,
    picture as picture,
)

# Seaborn's "colorblind" palette in the order of its use here: blue, orange, green, vermilion, purple, brown, grey.
PALETTE = ("#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc", "#ca9161", "#949494")
INK = "#262626"
FAMILIES = {"ofa_mbv3": "MobileNetV3", "ofa_pn": "ProxylessNAS", "panoptic": "backbones", "diffusion_unets": "U-Nets"}
LABELS = {
    "acc": "accuracy",
    "latency_gpu": "GPU latency",
    "latency_cpu": "CPU latency",
    "latency_npu": "NPU latency",
    "latency": "latency",
    "flops_m": "multiply-adds",
    "pq": "panoptic quality",
    "-log_distance": "distance",
}
UNITS = {
    "acc": "fraction",
    "latency_gpu": "ms",
    "latency_cpu": "ms",
    "latency_npu": "ms",
    "latency": "ms",
    "flops_m": "millions",
}
STYLE: Any = {
    "axes.axisbelow": True,
    "axes.edgecolor": INK,
    "axes.grid": True,
    "axes.prop_cycle": cycler(color=PALETTE),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 11,
    "axes.labelsize": 10.5,
    "figure.facecolor": "white",
    "font.family": "DejaVu Sans",
    "font.size": 10.5,
    "grid.color": "#e3e3e3",
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "text.color": INK,
}


@contextmanager
def apply() -> Iterator[None]:
    """Use the book's style inside a `with` block; what was set before comes back after it."""
    with mpl.rc_context(STYLE):
        yield


Arguments = ParamSpec("Arguments")


def styled(draw: Callable[Arguments, Picture]) -> Callable[Arguments, Picture]:
    """Decorate a figure function so that it draws in the book's style."""

    @functools.wraps(draw)
    def wrapped(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Picture:
        def drawn() -> Picture:
            with apply():
                figure = draw(*args, **kwargs)
            _show_as_written(figure)
            return figure

        def redrawn() -> Picture:
            with narrow():
                figure = drawn()
                finish_narrow(figure)
            return figure

        figure = drawn()
        figure.redraw = None if figure.one_width else redrawn
        return figure

    return wrapped


def _show_as_written(figure: Picture) -> None:
    """Keep names that hold dollar signs, as users may give them, from being set as formulas; no figure has formulas."""
    ticks = set[Text]()
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        labels = axis.get_ticklabels()
        ticks |= {*labels, *axis.get_ticklabels(which="minor")}
        names = [label.get_text() for label in labels]
        if any(map(_is_formula, names)):
            axis.set_ticks(axis.get_ticklocs(), labels=list(map(_escaped, names)))
    for text in figure.findobj(Text):
        if isinstance(text, Text) and text not in ticks:
            text.set_text(_escaped(text.get_text()))


def _is_formula(text: str) -> bool:
    return bool(is_math_text(text)) and "\\mathdefault" not in text  # which Matplotlib itself writes: powers of ten


def _escaped(text: str) -> str:
    return text.replace(r"\$", "$").replace("$", r"\$") if _is_formula(text) else text


def family_name(name: str) -> str:
    """Return a family as readers know it."""
    return FAMILIES.get(name, name)


def label_name(name: object, unit: bool = True) -> str:
    """Return a label as readers know it, with its unit where that is known."""
    label = LABELS.get(str(name), str(name))
    return f"{label} ({UNITS[str(name)]})" if unit and str(name) in UNITS else label


def finish_grid(figure: Picture) -> None:
    """Switch empty axes off, and put one legend for all axes under the figure."""
    for axes in figure.axes:
        axes.set_axis_off() if not axes.has_data() else axes.locator_params(axis="x", nbins=5)
    handles, names = figure.axes[0].get_legend_handles_labels()
    legend = figure.legend(handles, names, loc="outside lower center", ncols=len(names), markerscale=4)
    for handle in legend.legend_handles:
        if handle is not None:
            handle.set_alpha(1)


@styled
def note(text: str) -> Picture:
    """Return a figure that only says why there is nothing to draw."""
    figure = picture(1.0)
    figure.text(0.5, 0.5, text, ha="center", va="center", wrap=True)
    return figure
