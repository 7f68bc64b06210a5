"""The chapter's section on the real size: what choices cost, and whether module scores know it."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import autobuild_lib as ab
from autobuild_book.chapters.diffusion import real_size
from autobuild_book.chapters.diffusion.real_size import experiment, figures
from autobuild_book.chapters.diffusion.real_size.space import STAGES, Stage, of_stages
from autobuild_book.chapters.diffusion.task.space import costs as mini_costs, unet_space
from autobuild_book.figures import style
from autobuild_book.figures.style import WIDTH


@pytest.fixture(scope="module")
def costs() -> pd.DataFrame:
    return experiment.choice_costs()


@pytest.fixture(scope="module")
def truth() -> list[np.ndarray]:
    return experiment.true_effects(hosts=40, seed=5)


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> list[experiment.Learnt]:
    table = experiment.draw_table(48, seed=0)
    return experiment.learn(table, [24, 48], [0, 1], 4, tmp_path_factory.mktemp("predictors"))


# -------------------------------------------------------------------- what each choice costs


def row(costs: pd.DataFrame, stage: str, choice: str, step: str) -> pd.Series:
    (found,) = (own for _, own in costs.iterrows() if (own.stage, own.choice, own.step) == (stage, choice, step))
    return found


def test_every_step_of_every_choice_stands_in_one_row(costs: pd.DataFrame) -> None:
    assert costs.groupby("stage", sort=False).size().to_dict() == {"L1": 6, "L2": 6, "L3": 6, "L4": 6, "M": 1}
    assert not costs.duplicated(["stage", "choice", "step"]).any()
    assert (costs[["m_parameters", "gmacs"]] > 0).all(axis=None)


def test_a_row_is_the_difference_of_two_networks(costs: pd.DataFrame) -> None:
    levels, middle = real_size.stages(real_size.original())
    narrow = of_stages([levels[0], Stage(512, 2, True, True), *levels[2:]], middle)
    (small, large), found = (
        real_size.costs([narrow, real_size.original()]).to_numpy(),
        row(costs, "L2", "width", "512 to 640"),
    )
    assert found.gmacs == (large - small)[0] / 1e9 and found.m_parameters == (large - small)[1] / 1e6
    assert found.percent == pytest.approx(100 * (large - small)[0] / large[0])


def test_the_mini_row_beside_it_is_the_same_choice_there(costs: pd.DataFrame) -> None:
    whole = "|".join(["width32;yes;residual,residual"] * 5)
    without = "width32;yes;residual,residual|" * 4 + "width32;no;residual,residual"
    small, large = mini_costs([unet_space().parse(text) for text in (without, whole)]).to_numpy()
    found = row(costs, "L1", "attention, decoder", "add")
    assert found.mini_stages == "U1" and found.mini_m_macs == (large - small)[0] / 1e6
    assert found.mini_percent == pytest.approx(100 * (large - small)[0] / large[0])
    both = row(costs, "L1", "blocks", "2 to 3")
    assert both.mini_stages == "D1, U1" and row(costs, "M", "attention", "add").mini_stages == "M"


def test_what_the_mini_task_does_not_have_is_missing(costs: pd.DataFrame) -> None:
    missing = costs[costs["mini_percent"].isna()]
    assert set(missing["stage"]) == {"L3", "L4"} and len(missing) == 6 + 2
    assert missing["mini_stages"].isna().all()
    shown = experiment.readable(costs)
    assert shown["in the mini"].eq("").sum() == 8 and len(shown) == len(costs)
    assert dict(zip(shown.index, shown["GMACs"], strict=True))["L1", "width", "256 to 320"] == "+46.0"


# -------------------------------------------------------------------- does AutoBuild find out?


def test_labels_are_counts_and_a_smaller_table_begins_a_larger_one() -> None:
    large, small = experiment.draw_table(40, seed=0), experiment.draw_table(10, seed=0)
    assert large.architectures[:10] == small.architectures and len(set(large.architectures)) == 40
    assert np.array_equal(large.labels["gmacs"], real_size.costs(large.architectures)["macs"] / 1e9)


def test_true_effects_are_means_over_hosts_with_the_module_in_place(truth: list[np.ndarray]) -> None:
    space = real_size.unet_space()
    hosts = space.sample_codes(np.random.default_rng([5, 3]), 40)
    assert [len(effects) for effects in truth] == [36] * 4 + [2]
    for unit, module in ((0, 7), (2, 30), (4, 1)):
        placed = hosts.copy()
        placed[:, space.codecs[unit].place] = space.codecs[unit].contents()[module]
        difference = real_size.costs_of_codes(placed)["macs"].mean() - real_size.costs_of_codes(hosts)["macs"].mean()
        assert truth[unit][module] == pytest.approx(difference / 1e9)


def test_sizes_are_nested(learnt: list[experiment.Learnt]) -> None:
    assert [(len(one.train), one.seed) for one in learnt] == [(24, 0), (24, 1), (48, 0), (48, 1)]
    assert learnt[0].train.architectures == learnt[2].train.architectures[:24]


def test_rank_quality_has_every_level_of_every_predictor(learnt: list[experiment.Learnt]) -> None:
    ranks = experiment.rank_quality(learnt, experiment.draw_table(50, seed=9))
    assert len(ranks) == 4 * 7 and set(ranks["level"]) == {*(f"hop {m}" for m in range(5)), "head", "ridge"}
    assert ranks["srcc"].between(-1, 1).all()
    ridge = ranks[ranks["level"] == "ridge"].groupby("labels")["srcc"].agg(["min", "max"])
    assert (ridge["min"] == ridge["max"]).all() and ridge["min"][48] > 0.7


def test_scores_of_every_module_stand_beside_the_truth(
    learnt: list[experiment.Learnt], truth: list[np.ndarray]
) -> None:
    scores = experiment.module_scores(learnt[:1], truth)
    assert len(scores) == 3 * (4 * 36 + 2)
    means = scores.groupby(["score", "stage"])["value"].mean()
    assert np.allclose(means, 0, atol=1e-6)
    own = scores[(scores["score"] == "effect") & (scores["stage"] == "L2")]
    assert own["module"].tolist() == list(range(36)) and np.array_equal(own["truth"], truth[1])


def made_up(change: Callable[[np.ndarray], np.ndarray]) -> pd.DataFrame:
    frames = []
    for stage in STAGES:
        truth = np.arange(2.0 if stage == "M" else 36.0)
        key = {"labels": 68, "seed": 0, "score": "x", "stage": stage}
        frames.append(pd.DataFrame({**key, "value": change(truth), "truth": truth}))
    return pd.concat(frames)


@pytest.mark.parametrize(("change", "srcc", "top"), [(np.exp2, 1.0, 3), (np.negative, -1.0, 0)])
def test_agreement_by_hand(change: Callable[[np.ndarray], np.ndarray], srcc: float, top: int) -> None:
    agreed = experiment.score_agreement(made_up(change))
    assert agreed["stage"].tolist() == list(STAGES) and np.allclose(agreed["srcc"], srcc)
    assert agreed["top"].tolist() == [top] * 4 + [min(top, 1)] and agreed["most"].tolist() == [3] * 4 + [1]


def test_summary_averages_seeds_and_levels() -> None:
    ranks = pd.DataFrame({"labels": 68, "seed": [0, 1], "level": "head", "srcc": [0.6, 0.8]})
    agreed = experiment.score_agreement(made_up(np.exp2))
    agreed.loc[agreed["stage"] == "L1", ["srcc", "top"]] = [0.0, 0]
    summary = experiment.mean_over_seeds(ranks, agreed).set_index("what")
    assert summary["srcc"]["networks, head"] == pytest.approx(0.7)
    assert summary["srcc"]["module scores, x"] == pytest.approx(0.75), "the middle stage is left out"
    assert summary["top_found"]["module scores, x"] == pytest.approx(10 / 13)


def test_numbers_for_the_text(costs: pd.DataFrame) -> None:
    kinds = ["networks, head", "networks, ridge", *(f"module scores, {kind}" for kind in ("norm", "effect", "ridge"))]
    summary = pd.DataFrame({"labels": [68] * 5 + [300] * 5, "what": kinds * 2, "srcc": np.arange(10) / 10})
    found = experiment.real_size_numbers(costs, summary)
    assert found["parameters"] == "859,535,364" and found["gmacs"] == "401.7" and found["architectures"] == "3,359,232"
    ours = ab.data.load("diffusion_unets").labels[["macs", "parameters"]].mean()
    times = [float(found[name].replace(",", "")) for name in ("times_macs", "times_parameters")]
    assert times == pytest.approx([401.7e9 / ours["macs"], 859_535_364 / ours["parameters"]], rel=0.05)
    assert found["networks"] == "from 68 labels 0.00 (ridge 0.10); from 300 labels 0.50 (ridge 0.60)"
    scored = "from 300 labels 0.70 for the norm score, 0.80 for the effect score, 0.90 for the ridge"
    assert found["modules"].endswith(f"; {scored}")
    assert found["coarse_block"] == "80 million parameters and 5 GMACs"


# -------------------------------------------------------------------- figures


def scores_table() -> pd.DataFrame:
    return pd.concat([made_up(np.exp2).assign(score=kind) for kind in ("norm", "effect", "ridge")])


@pytest.mark.parametrize("which", ["costs", "scores"])
def test_figures_repeat_and_say_what_they_show(costs: pd.DataFrame, which: str) -> None:
    def draw() -> style.Picture:
        if which == "costs":
            return figures.choice_costs(costs)
        return figures.scores_against_truth(scores_table())

    figure = draw()
    assert figure.get_figwidth() == WIDTH and figure._repr_png_() == draw()._repr_png_()
    assert all(axes.get_xlabel() for axes in figure.axes) and figure.legends
    (first, *_) = figure.axes
    if which == "costs":
        assert first.get_yticklabels()[1].get_text() == "L1  width: 256 to 320"
        assert np.array_equal(first.lines[0].get_xdata(), costs["percent"])
    else:
        assert [axes.get_title() for axes in figure.axes] == ["norm", "effect", "ridge"]
