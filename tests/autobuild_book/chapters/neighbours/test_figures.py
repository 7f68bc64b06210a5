"""Figures of the chapter: what stands where, by the numbers that are drawn."""

import numpy as np
import pandas as pd

from autobuild_book.chapters.neighbours import comparison, figures, systems, tau


def test_the_map_has_a_row_per_system_in_families() -> None:
    (axes,) = figures.field(systems.SYSTEMS, systems.AUTOBUILD).axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert [name.rpartition(" (")[0] for name in names] != [] and len(names) == len(systems.SYSTEMS)
    families = [name.rpartition("(")[2].rstrip(")") for name in names]
    assert families == sorted(families, key=systems.FAMILIES.index)
    points = {(x, names[int(y)].rpartition(" (")[0]) for line in axes.lines[1:] for x, y in line.get_xydata()}
    assert points == {(system.year, system.name) for system in systems.SYSTEMS}


def test_matrices_stand_beside_each_other() -> None:
    drawn = figures.matrices({"a": np.eye(2), "b": np.ones((2, 2))}, ["x", "y"])
    assert [axes.get_title() for axes in drawn.axes] == ["a", "b"]
    assert drawn.axes[0].images[0].get_array().tolist() == [[1, 0], [0, 1]]


def test_columns_without_names_have_no_ticks() -> None:
    named, nameless = (figures.matrices({"a": np.eye(2)}, ["x", "y"], columns) for columns in (None, ["", ""]))
    assert [label.get_text() for label in named.axes[0].get_xticklabels()] == ["x", "y"]
    assert not len(nameless.axes[0].get_xticks())


def test_names_of_near_points_stand_apart() -> None:
    figure = figures.vectors(np.array([[0.0, 0.0], [0.02, 0.01], [1.0, 1.0], [1.01, 0.4]]), ["left", "right", "a", "b"])
    figure.draw_without_rendering()
    left, right, *_ = (text.get_window_extent() for text in figure.axes[0].texts)
    assert left.x1 < right.x0


def test_colours_of_a_cloud_are_ranks() -> None:
    figure = figures.clouds({"a": (np.zeros((3, 2)), np.array([5.0, 1.0, 9.0]))}, ("x", "y"), "accuracy")
    assert figure.axes[0].collections[0].get_array().tolist() == [0.5, 0, 1]


def test_published_numbers_stand_beside_ours() -> None:
    rows = {"model": ["a", "a", "b"], "size": [78, 156, 78], "tau": [0.1, 0.2, 0.3], "low": [0.0, 0.1, 0.2]}
    means = pd.DataFrame({**rows, "high": [0.2, 0.3, 0.4], "published": [0.5, 0.6, np.nan]})
    first, second, *_ = figures.tau_curves(means, {"a": "A", "b": "B"}).axes
    assert [line.get_ydata().tolist() for line in first.lines][-1] == [0.5, 0.6]
    assert first.get_title() == "A" and [line.get_label() for line in second.lines if "publ" in line.get_label()] == []


def test_the_lowest_panel_of_each_column_names_its_sizes() -> None:
    rows = [(model, size, 0.1, 0.0, 0.2, np.nan) for model in "abcde" for size in (78, 156)]
    means = pd.DataFrame(rows, columns=["model", "size", "tau", "low", "high", "published"])
    panels = figures.tau_curves(means, {model: model for model in "abcde"}).axes
    named = [axes.get_title() for axes in panels if axes.get_xlabel()]
    assert named == ["c", "d", "e"]
    assert all(axes.xaxis.get_tick_params()["labelbottom"] for axes in panels if axes.get_title() in named)


def test_a_phone_shows_the_curves_of_all_models_two_abreast() -> None:
    means = tau.summary(tau.SECTION.committed())
    figure = figures.tau_curves(means, {model: model for model in means.model.unique()})
    assert figure.redraw is not None and figure.redraw().get_figheight() < 1.2 * figure.get_figheight()
    titles = [axes.title for axes in figure.redraw().axes]
    assert len(titles) == means.model.nunique() and {title.get_fontsize() for title in titles} == {8.5}


def test_the_decision_joins_what_is_worth_its_cost() -> None:
    means = pd.DataFrame({"model": list("abcd"), "srcc": [0.9, 0.5, 0.4, 0.7], "total": [9.0, 1.0, 2.0, 3.0]})
    best = comparison.worth_their_cost(means)
    assert best.model.tolist() == ["b", "d", "a"]
    (axes,) = figures.decision(means, list(best.model)).axes
    assert axes.lines[1].get_xydata().tolist() == [[1, 0.5], [3, 0.7], [9, 0.9]]


def test_outcomes_stand_in_the_row_of_their_method() -> None:
    first = pd.DataFrame({"method": ["a", "b"], "mean": [1.0, 2.0], "low": [0.5, np.nan], "high": [1.5, np.nan]})
    second = pd.DataFrame({"method": ["b"], "mean": [3.0], "low": [2.0], "high": [5.0]})
    figure = figures.outcomes({"x": first, "y": second}, "accuracy")
    points = [axes.containers[0].lines[0].get_xydata().tolist() for axes in figure.axes]
    assert points == [[[1, 0], [2, 1]], [[3, 1]]]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["a", "b"]
