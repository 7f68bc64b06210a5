"""Experiment 5: what is learnt, built, compared and judged; with made-up rows and labels, and nothing measured."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t

import autobuild_lib as ab
from autobuild_book.chapters.panoptic import (
    agreement,
    final,
    learning,
    pictures,
    proposals as building,
    search,
    verdict,
)
from autobuild_book.chapters.panoptic.choice import REGIONS
from autobuild_book.chapters.panoptic.committed import TRAINING
from autobuild_book.chapters.panoptic.task.images import draw_scenes
from autobuild_book.chapters.panoptic.task.measuring import Measurement, sample_architectures
from autobuild_book.chapters.panoptic.task.paired import PARTS, PairedMeasurement, standard_error
from autobuild_book.chapters.panoptic.task.space import backbone_space, costs, largest, smallest
from autobuild_book.chapters.panoptic.task.weights import load_bundled
from autobuild_book.chapters.shared.fits import FitJob
from autobuild_book.measured.rows import machine
from autobuild_lib.units.ridge import ridge_corpus

ROOT = Path(__file__).resolve().parents[4]
OURS = load_bundled().id
MANY = sample_architectures(60)
TEXTS = [str(one) for one in MANY]


def quality_of(macs: Any) -> Any:
    return 0.5 + 0.05 * np.log(np.asarray(macs) / 8e6)


def subject(size: int = 60) -> learning.Subject:
    """Backbones whose quality follows from multiply-adds, but for their first layer's kernel."""
    counted = costs(MANY[:size])["macs"].to_numpy(np.float64)
    extra = np.array([0.01 * text.startswith(("e3_k7", "e4_k7", "e6_k7")) for text in TEXTS[:size]])
    labels = pd.DataFrame({"pq": quality_of(counted) + extra, "macs": counted})
    table = ab.data.from_records(backbone_space(), zip(MANY[:size], labels.to_dict("records"), strict=True))
    equations = {name: e.replace("{quality}", "pq").replace("{cost}", "macs") for name, e in REGIONS.items()}
    return learning.Subject(table, "pq", "macs", {name: str(ab.Target(e)) for name, e in equations.items()})


def row(text: str, pq: float, macs: int, noise: Any = 0.0, network: str = OURS, count: int = 1600) -> PairedMeasurement:
    """A row whose quality without each part is `pq` plus `noise`."""
    left_out = pq + np.zeros(PARTS) + noise
    values = [pq, *[0.5] * 8, 0.004, pq, pq]
    without = " ".join(f"{value:.6f}" for value in left_out)
    return PairedMeasurement(text, network, "B", count, 0, *values, macs, 30_000, 1.0, machine(), without)


def proposals(*rows: tuple[str, str, str]) -> pd.DataFrame:
    return pd.DataFrame([(region, group, 0, text) for region, group, text in rows], columns=building.COLUMNS)


# -------------------------------------------------------------------- data


def test_the_bundled_table() -> None:
    found = learning.load_subject("bundled", REGIONS)
    assert (found.quality, found.cost, found.measurable) == ("pq", "macs", True)
    assert found.targets == {"pq": "pq", **{name: f"power(pq, {n}) / macs" for name, n in
                                            (("light", 6), ("middle", 12), ("heavy", 18))}}  # fmt: skip
    assert list(found.table.architectures) == sample_architectures(len(found.table))


def test_the_powers_aim_where_the_comment_says() -> None:
    found = learning.load_subject("bundled", REGIONS)
    macs = found.table.labels["macs"].to_numpy()
    medians = [np.median(macs[np.argsort(-found.values(found.table.labels, name))[:10]]) / 1e6 for name in REGIONS]
    assert np.round(medians, 1).tolist() == [6.7, 9.0, 15.1]


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache as the authors released them, with labels of panoptic segmentation."""
    rng, entries = np.random.default_rng(0), []
    for one in ab.spaces.ofa_mbv3().sample(rng, 60):
        layers = [layer.split("_") for unit in one.to_lists() for layer in unit]
        flops = float(sum(int(e[1:]) * int(k[1:]) for _, e, k in layers))
        entry = {"original config": [224, one.to_lists()], "pan_seg_PQ": 30 + 2 * np.log(flops), "flops_pan_seg": flops}
        entries.append(entry | {"acc": 0.7})
    path = tmp_path / "ofa_mbv3_pan_seg_custom_cache.pkl"
    path.write_bytes(pickle.dumps(entries))
    return path


def test_a_released_cache(cache: Path) -> None:
    found = learning.load_subject(str(cache), REGIONS)
    assert (found.quality, found.cost, found.measurable) == ("pan_seg_PQ", "flops_pan_seg", False)
    assert found.regions["light"] == "power(pan_seg_PQ, 6) / flops_pan_seg" and found.table.kind == "released"


@pytest.mark.parametrize(
    ("labels", "regions", "message"),
    [
        ({"acc": 1.0}, REGIONS, "has labels acc; needs pq and macs, or pan_seg_PQ and flops_pan_seg, or acc and flops"),
        ({"pq": 1.0, "macs": 2.0}, {}, "give at least one, and none named pq"),
        ({"pq": 1.0, "macs": 2.0}, {"pq": "pq"}, r"regions \['pq'\]: give at least one, and none named pq"),
    ],
)
def test_data_that_cannot_be_used(tmp_path: Path, labels: Any, regions: Any, message: str) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(f'architecture,{",".join(labels)}\n"{TEXTS[0]}",{",".join(map(str, labels.values()))}\n')
    with pytest.raises(ValueError, match=message):
        learning.load_subject(str(path), regions, backbone_space())


# -------------------------------------------------------------------- learning


def test_training_parts_are_nested_and_leave_the_test_rows_alone() -> None:
    table = subject().table
    found = list(learning.parts(table, 3, [500, 10, 20, 1]))
    assert [len(train) for train, _ in found] == [10, 20, 54]
    for train, test in found:
        assert not set(train.architectures) & set(test.architectures) and len(test) == 6
        assert found[-1][0].architectures[: len(train)] == train.architectures
    assert found[0][1].architectures != next(learning.parts(table, 4, []))[1].architectures


def test_quality_that_follows_from_the_cost_is_predicted_exactly() -> None:
    whole = subject()
    exact = whole.table.labels.assign(pq=quality_of(whole.table.labels["macs"]))
    table = ab.data.from_records(backbone_space(), zip(MANY, exact.to_dict("records"), strict=True))
    train, test = table.split(0.5, seed=1)
    for target in whole.targets.values():
        predicted = learning.predict_by_cost(whole, train, test, target)
        np.testing.assert_allclose(predicted, ab.Target(target).evaluate(test.labels), rtol=1e-9)


def test_a_cost_must_be_positive() -> None:
    table = ab.data.from_records(backbone_space(), [(MANY[0], {"pq": 0.5, "macs": 0.0})])
    with pytest.raises(ValueError, match="label macs must be above 0, its least value is 0"):
        learning.costs_of(subject(), table)


@pytest.fixture(scope="module")
def fits(tmp_path_factory: pytest.TempPathFactory) -> list[learning.Fit]:
    """Two presets, two seeds, two sizes; trained here for one epoch."""

    def here(jobs: list[FitJob], folder: Path) -> Any:
        return [job.run(folder) for job in jobs]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learning, "fit_jobs", here)
        folder = tmp_path_factory.mktemp("predictors")
        return learning.fit_all(subject(), [3, 4], [10], {"paper": 1, "tuned": 1}, folder)


def test_trainings_belong_to_their_rows(fits: list[learning.Fit]) -> None:
    assert [(fit.preset, fit.seed, len(fit.train)) for fit in fits] == [
        (preset, seed, size) for preset in ("paper", "tuned") for seed in (3, 4) for size in (10, 54)
    ]
    for fit in fits:
        train, test = subject().table.split(0.9, seed=fit.seed)
        assert fit.test.architectures == test.architectures
        assert fit.train.architectures == train.architectures[: len(fit.train)]
        for name, predictor in fit.predictors.items():
            assert predictor.target == subject().targets[name]
            assert predictor.label_mean == pytest.approx(
                ab.Target(predictor.target).evaluate(fit.train.labels).mean(), rel=1e-6
            )
    assert [len(fit.train) for fit in learning.full_size(fits, "paper")] == [54, 54]


def test_ranks_and_their_summary(fits: list[learning.Fit]) -> None:
    one = subject()
    found = learning.ranks(one, fits)
    assert set(found["model"]) == {"paper preset", "tuned preset", learning.RIDGE, learning.LINE}
    own = found[(found.target == "pq") & (found.model == "paper preset") & (found["size"] == 54) & (found.seed == 3)]
    assert own.level.tolist() == [*(f"hop {n}" for n in range(5)), "head"]
    fit = next(fit for fit in fits if (fit.preset, fit.seed, len(fit.train)) == ("paper", 3, 54))
    report = ab.evaluate(fit.predictors["pq"], fit.test)
    assert own.set_index("level").srcc.to_dict() == report.srcc.to_dict()
    line = found[(found.model == learning.LINE) & (found.target == "pq") & (found["size"] == 54)]
    assert len(line) == 2  # once for each seed, not for each preset
    summary = learning.summarise(found)
    mean = summary[(summary.model == learning.LINE) & (summary.target == "pq") & (summary["size"] == 54)].iloc[0]
    assert mean.srcc == pytest.approx(line.srcc.mean()) and mean.seeds == 2
    alone = learning.summarise(found[found.seed == 3])
    same = alone.merge(found[found.seed == 3], on=learning.TASK, suffixes=("", "_row"))
    assert (same.low.fillna(9) == same.low_row.fillna(9)).all()
    table = learning.readable(summary)
    assert list(table) == list(one.targets) and "paper preset, hop 4" in table.index and len(table) == 6


def test_importance_of_features_adds_up(fits: list[learning.Fit]) -> None:
    own = learning.full_size(fits, "paper")
    found = learning.feature_importance(own, "pq")
    assert found.groupby("feature").size().to_dict() == {"unit": 5, "index": 4, "e": 3, "k": 3}
    assert found.share.sum() == pytest.approx(1) and (found.low <= found.share).all()
    network = own[0].predictors["pq"].network.features
    scores = [network.value_scores(c)[0].detach().abs() for c in backbone_space().categories]
    alone = learning.feature_importance(own[:1], "pq")
    np.testing.assert_allclose(alone.share, np.concatenate(scores) / sum(float(s.sum()) for s in scores), rtol=1e-5)
    assert alone.low.isna().all()


# -------------------------------------------------------------------- agreement


def plain(text: str, pq: float, network: str, images: str = "A", calibration: int = 0) -> Measurement:
    macs, parameters = map(int, costs([backbone_space().parse(text)]).iloc[0])
    return Measurement(text, network, images, 800, calibration, *[pq] * 12, macs, parameters, 1.0, "here")


def test_pairs_by_what_was_changed() -> None:
    labels = subject(3).table.labels.assign(pq_half1=[0.1, 0.2, 0.3], pq_half2=[0.4, 0.5, 0.6])
    table = ab.data.from_records(backbone_space(), zip(MANY[:3], labels.to_dict("records"), strict=True))
    corner = str(smallest())
    rows = [
        plain(TEXTS[0], 0.61, OURS, calibration=1), plain(TEXTS[1], 0.62, "second"), plain(TEXTS[2], 0.9, OURS),
        plain(corner, 0.63, OURS, "B"), plain(corner, 0.64, "alone", "B"), plain(TEXTS[50], 0.7, "second"),
        plain(corner, 0.66, "again", "B"),
    ]  # fmt: skip
    trainings = pd.DataFrame([("second", 1, 9, ""), ("alone", 0, 4, corner), ("again", 1, 4, corner)], columns=TRAINING)
    found = agreement.pairs(table, rows, trainings)
    kept = found[["comparison", "architecture", "first", "second"]].to_numpy().tolist()
    assert kept == [
        *([agreement.HALVES, TEXTS[n], *both] for n, both in enumerate([(0.1, 0.4), (0.2, 0.5), (0.3, 0.6)])),
        [agreement.BATCH, TEXTS[0], labels["pq"][0], 0.61], [agreement.SEED, TEXTS[1], labels["pq"][1], 0.62],
        [agreement.ALONE, corner, 0.63, 0.64], [agreement.AGAIN, corner, 0.64, 0.66],
    ]  # fmt: skip


def test_luck_of_a_training_beside_differences_of_networks() -> None:
    values = [(agreement.ALONE, TEXTS[2], 0.5, 0.4), (agreement.ALONE, TEXTS[3], 0.5, 0.6),
              (agreement.ALONE, str(smallest()), 0.5, 0.9), (agreement.AGAIN, TEXTS[2], 0.4, 0.45),
              (agreement.AGAIN, TEXTS[3], 0.6, 0.59)]  # fmt: skip
    frame = pd.DataFrame(values, columns=["comparison", "architecture", "first", "second"])
    assert agreement.luck_in_words(frame) == (
        "two trainings of a backbone differ by 0.030 on average (2 backbones), "
        "while 2 backbones of similar multiply-adds have a standard deviation of 0.141"
    )
    assert agreement.luck_in_words(frame[:3]) == agreement.luck_in_words(pd.DataFrame()) == "not measured"


def test_agreement_beyond_multiply_adds() -> None:
    macs = np.linspace(5e6, 1.6e7, 200)
    rng = np.random.default_rng(0)
    own = rng.normal(size=200)
    first, second = quality_of(macs) + 0.002 * own, quality_of(macs) + 0.002 * own + 1e-5 * rng.normal(size=200)
    frame = pd.DataFrame({"comparison": "x", "architecture": "e3_k3|e4_k3", "macs": macs, "first": first,
                          "second": second})  # fmt: skip
    (found,) = agreement.agreement(frame).itertuples()
    assert found.networks == 200 and found.srcc > 0.99 and found.rest > 0.99 and found.rest_low < found.rest
    shuffled = frame.assign(second=quality_of(macs) + 0.002 * rng.normal(size=200))
    (other,) = agreement.agreement(shuffled).itertuples()
    assert other.srcc > 0.9 and abs(other.rest) < 0.2 and other.macs > 0.9
    np.testing.assert_allclose(agreement.without_macs(quality_of(macs), macs), 0, atol=1e-12)


def test_the_corners_are_told_from_the_others() -> None:
    texts = [*TEXTS[2:8], str(smallest()), str(largest())]
    assert [agreement.is_extreme(text) for text in texts] == [False] * 6 + [True] * 2
    frame = pd.DataFrame({"comparison": agreement.ALONE, "architecture": texts, "macs": np.arange(1.0, 9) * 1e6,
                          "first": np.arange(8.0), "second": [0.0, 1, 2, 3, 5, 4, 6, 7]})  # fmt: skip
    found = agreement.agreement(frame)
    assert found[["comparison", "networks"]].to_numpy().tolist() == [[agreement.ALONE, 8], [agreement.SIMILAR, 6]]
    assert found.rest.isna().all()  # too few to take multiply-adds out
    said = agreement.in_words(found)
    assert said.startswith("SRCC 0.98 [") and "] for 8 backbones of all sizes, SRCC 0.94 [" in said
    assert said.endswith("] for 6 of similar multiply-adds") and agreement.in_words(pd.DataFrame()) == "not measured"


# -------------------------------------------------------------------- building


def corpora(one: learning.Subject) -> dict[tuple[str, str], ab.UnitCorpus]:
    """Scores of the ridge, under all three names."""
    return {(name, score): ridge_corpus(one.table, target, b"")
            for name, target in one.targets.items() for score in building.SCORES}  # fmt: skip


def bundled_part() -> learning.Subject:
    whole = learning.load_subject("bundled", REGIONS)
    return learning.Subject(whole.table.take(range(80)), whole.quality, whole.cost, whole.regions)


@pytest.fixture(scope="module")
def proposed() -> pd.DataFrame:
    one = bundled_part()
    searched = one.table.labels[["pq", "macs"]].iloc[:30].assign(architecture=one.table.architectures[:30])
    return building.propose(one, corpora(one), searched)


def test_every_builder_proposes_five_for_every_region(proposed: pd.DataFrame) -> None:
    assert proposed.groupby(["region", "group"]).size().to_dict() == {
        (region, group): 5 for region in REGIONS for group in building.BUILDERS
    }
    for (_, group), own in proposed.groupby(["region", "group"]):
        assert own.architecture.is_unique and own.place.tolist() == list(range(5)), group


def test_proposals_are_what_they_say(proposed: pd.DataFrame) -> None:
    one = bundled_part()
    table, parse = one.table, backbone_space().parse
    for region in REGIONS:
        groups = proposed[proposed.region == region].groupby("group").architecture
        own = {group: texts.tolist() for group, texts in groups}
        values = pd.Series(one.values(table.labels, region), index=list(map(str, table.architectures)))
        assert own[building.LABELLED] == values.nlargest(5).index.tolist()
        assert own[building.SEARCH] == values.iloc[:30].nlargest(5).index.tolist()
        built, random = (costs(list(map(parse, own[name])))["macs"] for name in (building.NORM, building.RANDOM))
        assert (abs(built - random) / built).max() < 0.01
        sizes = costs(list(map(parse, own[building.MACS])))["macs"]
        assert np.ptp(sizes) / sizes.mean() < 0.02
        assert not {*own[building.RANDOM], *own[building.MACS]} & set(map(str, table.architectures))
        scored = corpora(one)[region, "ridge"].top(3).best(5)
        assert own[building.RIDGE] == own[building.NORM] == list(map(str, scored))


def test_without_multiply_adds_and_search_fewer_propose(cache: Path) -> None:
    one = learning.load_subject(str(cache), REGIONS)
    found = {(name, score): ridge_corpus(one.table, target, one.table.space.encode_globals({"resolution": 224}))
             for name, target in one.targets.items() for score in building.SCORES}  # fmt: skip
    groups = building.propose(one, found)["group"].unique().tolist()
    assert groups == [building.NORM, building.EFFECT, building.RIDGE, building.LABELLED]
    front = final.front_table(one)
    assert front.error.isna().all() and set(", ".join(front.regions).split(", ")) >= set(REGIONS)


def test_front_and_regions_by_hand() -> None:
    labels = pd.DataFrame({"pq": [0.5, 0.4, 0.45, 0.6, 0.55], "macs": [2e6, 1e6, 2.5e6, 4e6, 3e6]})
    assert building.front_rows(labels, "pq", "macs") == [1, 0, 4, 3]
    one = learning.Subject(subject(2).table, "pq", "macs", {"cheap": "1 / macs", "good": "pq"})
    marks = building.mark_regions(one, labels.iloc[[1, 0, 4, 3]])
    assert {name: own.tolist() for name, own in marks.items()} == {
        "cheap": [True, True, False, False], "good": [False, False, True, True]}  # fmt: skip


def test_scores_by_depth() -> None:
    one = subject()
    found = building.score_by_depth(corpora(one), "pq")
    assert len(found) == 3 * 5 * 3 and found.score.unique().tolist() == list(building.SCORES)
    assert found.groupby(["score", "unit"])["mean"].mean().abs().max() < 1e-12
    table = corpora(one)["pq", "ridge"].table
    own = table[(table.unit == 1) & (table.depth == 3)].score
    (row_found,) = found[(found.score == "ridge") & (found.unit == 1) & (found.depth == 3)].itertuples()
    assert row_found.spread == pytest.approx(own.std())


def test_overlap() -> None:
    ours = proposals(("light", "a", "x"), ("light", "a", "y"), ("heavy", "b", "x"))
    theirs = proposals(("light", "a", "y"), ("light", "b", "x"), ("heavy", "a", "x"))
    found = building.overlap(ours, theirs)
    assert found.to_numpy().tolist() == [["a", 2, 1], ["b", 1, 0]]


# -------------------------------------------------------------------- search


def toy_labels(architectures: list[ab.Architecture], /) -> pd.DataFrame:
    macs = costs(architectures)["macs"].to_numpy(np.float64)
    return pd.DataFrame({"pq": quality_of(macs) + [0.01 * len(set(str(a))) for a in architectures], "macs": macs})


def test_a_search_spends_as_many_evaluations_as_there_are_labels() -> None:
    found = search.search(toy_labels)
    assert len(found) == len(set(found.architecture)) == 600 == len(learning.load_subject("bundled", REGIONS).table)
    rows = [plain(str(a), pq, OURS) for a, pq in zip(found.architecture, found.pq, strict=True)]
    again = search.searched_before([*rows, plain(TEXTS[0], 9.0, "other"), plain(TEXTS[0], 9.0, OURS, "B")])
    assert again is not None and again.architecture.tolist() == found.architecture.tolist()
    assert again.pq.tolist() == found.pq.tolist()
    assert search.searched_before(rows[:599]) is None


def test_an_evaluator_measures_and_keeps_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def measure(architectures: list[ab.Architecture], out: Path, **options: Any) -> list[Measurement]:
        asked.append((len(architectures), out, options))
        return [plain(str(one), 0.5, OURS) for one in architectures]

    monkeypatch.setattr(search, "measure", measure)
    found = search.by_measuring(tmp_path / "rows.csv", tmp_path)(MANY[:2])
    assert found["pq"].tolist() == [0.5, 0.5] and found["macs"].tolist() == costs(MANY[:2])["macs"].tolist()
    assert asked == [(2, tmp_path / "rows.csv", {"folder": tmp_path, "workers": 1})]


# -------------------------------------------------------------------- measuring within a budget


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Measuring one network takes three seconds; return how many were measured."""
    state = {"time": 0.0, "measured": 0}

    def measure(architectures: list[ab.Architecture], out: Path, **_: Any) -> list[PairedMeasurement]:
        state["time"] += 3
        state["measured"] += len(architectures)
        return [row(str(one), 0.5, 9) for one in architectures]

    monkeypatch.setattr(final, "measure_paired", measure)
    monkeypatch.setattr(final.time, "monotonic", lambda: state["time"])
    return lambda: int(state["measured"])


def test_what_is_missing_is_measured_while_the_budget_lasts(clock: Callable[[], int], tmp_path: Path) -> None:
    known = [row(TEXTS[1], 0.7, 9), row(TEXTS[2], 0.7, 9, network="other"), row(TEXTS[3], 0.7, 9, count=800)]
    found = final.complete([*TEXTS[:5], TEXTS[0]], known, tmp_path / "out.csv", 7)
    assert list(found.rows) == [TEXTS[0], TEXTS[1], TEXTS[2], TEXTS[3]]  # begun at 0, 3 and 6 seconds
    assert (found.fresh, found.missing, clock()) == (3, (TEXTS[4],), 3)
    assert found.rows[TEXTS[1]].pq == 0.7 and found.rows[TEXTS[2]].pq == 0.5
    none = final.complete(TEXTS[:3], known, tmp_path / "out.csv", 0)
    assert (list(none.rows), none.fresh, none.missing, clock()) == ([TEXTS[1]], 0, (TEXTS[0], TEXTS[2]), 3)


def test_a_row_is_measured_once_more_beside_the_spread_of_supernets(clock: Callable[[], int]) -> None:
    labels = ab.data.from_records(
        backbone_space(), [(backbone_space().parse(text), dict.fromkeys(final.AGAIN, 0.4)) for text in TEXTS[:2]]
    )
    second = [plain(text, 0.4 + away, "second", "A") for text, away in zip(TEXTS, (0.02, -0.02), strict=False)]
    trainings = pd.DataFrame([("second", 1, 9, "")], columns=TRAINING)
    check = final.measure_again(row(TEXTS[0], 0.503, 9), labels, second, trainings).set_index("what")
    assert check.loc["pq", ["here", "committed"]].tolist() == [0.5, 0.503] and clock() == 1
    assert check.loc["pq", "spread"] == pytest.approx(0.02 / np.sqrt(2))
    assert check.loc["macs", ["difference", "spreads"]].tolist() == [0, 0]
    none = final.supernet_spread(labels, [], trainings[:0])
    assert set(none) == set(final.AGAIN) and np.isnan(list(none.values())).all()


# -------------------------------------------------------------------- comparing

NOISE = np.r_[0.01, -0.01, np.zeros(PARTS - 2)]
ERROR = float(standard_error(NOISE))


@pytest.fixture
def compared() -> tuple[pd.DataFrame, final.Measured, final.Front]:
    """Labelled networks at 6, 8, 10 and 12 millions, of which that at 10 is not on the front, and four built ones."""
    labelled = [row(TEXTS[0], 0.50, 6), row(TEXTS[1], 0.52, 8), row(TEXTS[2], 0.51, 10), row(TEXTS[3], 0.54, 12)]
    built = [row(TEXTS[4], 0.55, 7, NOISE), row(TEXTS[5], 0.521, 8, NOISE), row(TEXTS[6], 0.9, 13, NOISE),
             row(TEXTS[7], 0.49, 5, NOISE)]  # fmt: skip
    asked = proposals(*(("all", building.FRONT, one.architecture) for one in labelled),
                      *(("cheap", building.NORM, one.architecture) for one in built),
                      ("cheap", building.LABELLED, TEXTS[1]))  # fmt: skip
    one = learning.Subject(subject(2).table, "pq", "macs", {"cheap": "1 / macs", "good": "pq"})
    measured = final.Measured({r.architecture: r for r in [*labelled, *built]}, 0, ())
    return asked, measured, final.front_again(one, asked, measured)


def test_the_front_is_that_of_the_second_measurement(compared: Any) -> None:
    front = compared[2]
    assert [one.macs for one in front.rows] == [6, 8, 12]
    marks = {name: own.tolist() for name, own in front.regions.items()}
    assert marks == {"cheap": [True, True, False], "good": [False, True, True]}
    table = final.front_table(subject(), front)
    assert table.regions.tolist() == ["cheap", "cheap, good", "good"] and table.error.tolist() == [0.004] * 3
    with pytest.raises(ValueError, match="no labelled network is measured again"):
        final.front_again(subject(), proposals(("all", building.NORM, "x")), final.Measured({}, 0, ()))


def test_a_rival_needs_no_fewer_multiply_adds(compared: Any) -> None:
    found = final.judge(final.compare(*compared)).set_index("macs")
    first, second, third, fourth = (found[found.group == building.NORM].loc[macs] for macs in (7, 8, 13, 5))
    assert (first.rival, first.below) == (TEXTS[1], TEXTS[0])
    assert first.ahead == pytest.approx(0.03) and first.over == pytest.approx(0.05)
    assert first.ahead_se == pytest.approx(ERROR, rel=1e-3)
    assert first.p == pytest.approx(t.sf(0.03 / ERROR, 39), rel=0.02)
    assert first.wins and not second.wins and second.ahead == pytest.approx(0.001)
    assert (third.rival, third.below) == ("", TEXTS[3]) and np.isnan(third.ahead) and not third.wins
    assert (fourth.rival, fourth.below) == (TEXTS[0], "") and fourth.ahead == pytest.approx(-0.01)
    (itself,) = found[found.group == building.LABELLED].itertuples()
    assert (itself.ahead, itself.ahead_se, itself.p, itself.wins) == (0, 0, 1, False)


def test_holm_over_the_networks_of_a_builder() -> None:
    frame = pd.DataFrame({"group": ["a"] * 3 + ["b"], "p": [0.02, 0.03, np.nan, 0.02], "ahead": [3.0, 3, np.nan, 3],
                          "ahead_se": [1.0, 1, np.nan, 1]})  # fmt: skip
    found = final.judge(frame)
    assert found.adjusted.tolist() == pytest.approx([0.06, 0.06, 1.0, 0.02])
    assert found.wins.tolist() == [True, True, False, True] and found.sure.tolist() == [False, False, False, True]


def test_means_of_builders(compared: Any) -> None:
    asked, measured, front = compared
    networks = final.judge(final.compare(asked, measured, front))
    found = final.summarise(networks, measured).set_index("group").loc[building.NORM]
    assert found.networks == 4 and found.macs == 33 / 4 and found.wins == 1
    assert found.over == pytest.approx((0.05 + 0.001 + 0.36) / 3)  # the cheapest has nothing to be compared with
    assert (found.high - found.low) / 2 == pytest.approx(t.ppf(0.975, 39) * ERROR, rel=1e-3)  # all err alike


def test_nothing_measured_is_an_empty_table(compared: Any) -> None:
    empty = final.Measured({}, 0, ("x",))
    networks = final.judge(final.compare(compared[0], empty, None))
    assert networks.empty and final.summarise(networks, empty).empty
    checks, text = verdict.verdict(networks, ["cheap", "good"])
    assert text == "undecided" and not checks.holds.any() and verdict.verdicts(networks, ["cheap"]).empty
    assert verdict.most_interesting(networks, [building.NORM]).empty
    assert verdict.sentence(checks).count("nothing to compare with") == 2


# -------------------------------------------------------------------- verdict


def networks(*sure: bool, group: str = building.NORM) -> pd.DataFrame:
    rows = [(region, group, 0, TEXTS[n], 9, 0.5, 0.004, TEXTS[9], 0.01 * (n + 1), 0.002, 0.001, "", np.nan, np.nan, own,
             0.01, own) for n, (region, own) in enumerate(zip(REGIONS, sure, strict=True))]  # fmt: skip
    return pd.DataFrame(rows, columns=[*final.COMPARISON, "wins", "adjusted", "sure"])


@pytest.mark.parametrize(
    ("sure", "wanted"),
    [((True, True, True), "supported"), ((True, False, True), "supported"), ((False, True, False), "partly"),
     ((False, False, False), "not supported")],
)  # fmt: skip
def test_the_rule(sure: tuple[bool, ...], wanted: str) -> None:
    checks, text = verdict.verdict(networks(*sure), list(REGIONS))
    assert text == wanted and checks.holds.tolist() == list(sure)
    assert checks.value[1] == "the best of 1 is 0.0200 ahead (standard error 0.0020)"
    assert verdict.verdict(networks(*sure).assign(wins=True), list(REGIONS), counted="wins")[1] == "supported"
    both = pd.concat([networks(*sure), networks(True, True, False, group=building.EFFECT)])
    found = verdict.verdicts(both, list(REGIONS)).set_index("group")
    assert found.loc[building.NORM, "verdict"] == wanted and found.loc[building.EFFECT, "regions"] == "2 of 3"


def test_estimates_are_means_over_all_that_were_built() -> None:
    columns = ["region", "group", "networks", "macs", "pq", "over", "low", "high", "wins", "sure"]
    rows = [("light", building.NORM, 5, 9.0, 0.5, 0.01, 0.004, 0.016, 1, 0),
            ("light", building.RIDGE, 5, 9.0, 0.5, 0.03, 0.02, 0.04, 1, 0)]  # fmt: skip
    first, second = verdict.estimates(pd.DataFrame(rows, columns=columns), ["light", "heavy"])
    assert first["estimate"].startswith("light: ")
    assert (first["value"], first["low"], first["high"]) == (0.01, 0.004, 0.016)
    assert first["over"] == "all that were built, intervals over 1,600 images"
    (nothing,) = verdict.estimates(pd.DataFrame(columns=columns), ["light"])
    assert np.isnan(second["value"]) and np.isnan(nothing["low"])


def test_the_most_interesting_is_the_surest_of_each_region() -> None:
    more = networks(True, True, True, group=building.EFFECT).assign(ahead=[0.05, 0.0, np.nan])
    found = verdict.most_interesting(pd.concat([networks(True, True, True), more]), [building.NORM, building.EFFECT])
    assert found.group.tolist() == [building.EFFECT, building.NORM, building.NORM]
    assert verdict.most_interesting(more, [building.NORM]).empty


def test_trained_alone() -> None:
    chosen = networks(True, True, True)
    trainings = pd.DataFrame([("x", 0, 4, TEXTS[0]), ("y", 0, 4, TEXTS[9]), ("z", 0, 4, TEXTS[1]), (OURS, 0, 9, "")],
                             columns=TRAINING)  # fmt: skip
    finals = [row(TEXTS[0], 0.60, 9, NOISE, "x"), row(TEXTS[9], 0.58, 9, network="y"), row(TEXTS[0], 0.1, 9),
              row(TEXTS[2], 0.9, 9, network="z")]  # fmt: skip
    found = verdict.trained_alone(chosen, finals, trainings)
    assert found.region.tolist() == list(REGIONS)
    first, second, _ = found.itertuples()
    assert (first.alone, first.alone_rival) == (0.60, 0.58) and first.alone_ahead == pytest.approx(0.02)
    assert first.alone_se == pytest.approx(ERROR, rel=1e-3) and first.ahead == pytest.approx(0.01)
    assert np.isnan(second.alone) and second.alone_rival == 0.58 and np.isnan(second.alone_ahead)
    assert verdict.alone_in_words(found) == f"{first.region} +0.0200 (standard error {first.alone_se:.4f})"
    assert verdict.alone_in_words(pd.DataFrame()) == "not measured"


# -------------------------------------------------------------------- pictures


def test_bounds_of_quality() -> None:
    corner, count = str(largest()), 12
    rows = [plain(corner, 0.6, OURS, "B"), plain(str(smallest()), 0.4, "other", "B"), plain(corner, 0.7, OURS)]
    found = pictures.bounds(rows, count)
    assert found.network.tolist() == ["one class everywhere", "the truth, grouped", "largest"]
    assert found.images.tolist() == [count, count, 800]
    trivial, oracle, best = found.pq
    assert 0 < trivial < 0.1 and 0.7 < oracle < 1 and best == 0.6


def test_a_panel_shows_the_first_images_of_set_b() -> None:
    scenes = draw_scenes("B", 2)
    found = pictures.panel({"small": smallest()}, 2)
    assert np.array_equal(found.images, scenes.images) and list(found.classes) == [pictures.TRUTH, "small"]
    assert np.array_equal(found.classes[pictures.TRUTH], scenes.classes) and found.quality[pictures.TRUTH] == 1
    assert found.classes["small"].shape == found.numbers["small"].shape == (2, 64, 64)
    assert 0.1 < found.quality["small"] < 1 and found.classes["small"].max() < 8


# -------------------------------------------------------------------- the notebook


@pytest.mark.slow
@pytest.mark.parametrize("source", ["released", "bundled"])
def test_the_notebook(cache: Path, tmp_path: Path, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the authors' format everything runs but what needs measuring; on the bundled table nothing new is measured."""
    papermill = pytest.importorskip("papermill")
    monkeypatch.setenv("AUTOBUILD_DATA", str(cache.parent))
    given = {"profile": "quick", "epochs": 1, "tuned_epochs": 1, "seeds": 1, "sizes": [20], "hosts": 1, "budget": 0}
    given |= {"data": "released:ofa_mbv3_pan_seg" if source == "released" else "bundled", "out": str(tmp_path / "out")}
    papermill.execute_notebook(ROOT / "notebooks" / "05_panoptic.ipynb", tmp_path / "done.ipynb", given,
                               kernel_name="python3", progress_bar=False, cwd=ROOT)  # fmt: skip
    folder = tmp_path / "out" / "05_panoptic"
    record = json.loads((folder / "metrics.json").read_text())
    assert record["data"][0]["kind"] == ("released" if source == "released" else "measured here")
    built = pd.read_csv(folder / "built.csv")
    assert set(built["region"]) == set(REGIONS) and len(built) == 3 * 5 * built["group"].nunique()
    assert not (folder / "final.csv").exists()
    if source == "released":
        assert record["metrics"]["verdict"] == "undecided" and built["group"].nunique() == 4
        assert record["metrics"]["agreement"] == []
