"""Figures of the chapter show what its tables say."""

from collections.abc import Mapping
from typing import Any

from autobuild_book.chapters.machine import building, figures as machine_figures, gains, learning
from autobuild_book.figures import style
from autobuild_book.figures.style import WIDTH


def figures(chapter: Mapping[str, Any]) -> dict[str, style.Picture]:
    subject, table = chapter["subject"], chapter["table"]
    half = learning.half_by_half(subject, chapter["rounds"])
    networks = gains.by_network(chapter["values"])
    built = building.labels_of_built(subject, chapter["chosen"], chapter["final"])
    return {
        "measurements": machine_figures.measurements(half, "latency"),
        "with multiply-adds": machine_figures.measurements(half.assign(flops_m=1.0), "latency"),
        "rank_quality": machine_figures.rank_quality(
            learning.rank_quality(chapter["predictions"]), learning.repeatability(subject, chapter["rounds"])
        ),
        "final": machine_figures.final_measurement(networks, gains.gains_over_best(chapter["values"])),
        "plane": machine_figures.plane(table.labels.assign(acc=0.7), built.assign(acc=0.7), "latency", "acc"),
    }


def test_figures_are_as_wide_as_the_text_and_repeat_exactly(chapter: Mapping[str, Any]) -> None:
    for (name, first), second in zip(figures(chapter).items(), figures(chapter).values(), strict=True):
        assert first._repr_png_() == second._repr_png_() and first.get_figwidth() == WIDTH, name
        assert any(axes.get_xlabel() for axes in first.axes), name


def test_figures_show_what_the_tables_say(chapter: Mapping[str, Any]) -> None:
    drawn = figures(chapter)
    assert [len(drawn[name].axes) for name in ("measurements", "with multiply-adds")] == [1, 2]
    (axes,) = drawn["final"].axes
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    assert [len(line.get_xdata()) for line in dots] == [5, 5, 5, 5, 5, 1]  # type: ignore[arg-type]
    assert [label.get_text() for label in axes.get_yticklabels()] == list(building.GROUPS)
