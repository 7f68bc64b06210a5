"""What is learnt about backbones: from made-up labels, and from tables as they come."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autobuild_lib as ab
from autobuild_book.chapters.panoptic import learning
from autobuild_book.chapters.panoptic.choice import REGIONS
from autobuild_book.chapters.panoptic.task.measuring import sample_architectures
from autobuild_book.chapters.panoptic.task.space import backbone_space
from autobuild_book.chapters.shared.fits import FitJob
from tests.helpers.backbones import MANY, TEXTS, quality_of, subject


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


def test_a_released_cache(cache: Path) -> None:
    found = learning.load_subject(str(cache), REGIONS)
    assert (found.quality, found.cost, found.measurable) == ("pan_seg_PQ", "flops_pan_seg", False)
    assert found.regions["light"] == "power(pan_seg_PQ, 6) / flops_pan_seg" and found.table.kind == "released"


@pytest.mark.parametrize(
    ("labels", "regions", "message"),
    [
        ({"acc": 1.0}, REGIONS, "labels acc; .*pq.*macs.*pan_seg_PQ.*flops_pan_seg"),
        ({"pq": 1.0, "macs": 2.0}, {}, "none named pq"),
        ({"pq": 1.0, "macs": 2.0}, {"pq": "pq"}, r"regions \['pq'\]: .* pq"),
    ],
)
def test_data_that_cannot_be_used(tmp_path: Path, labels: Any, regions: Any, message: str) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(f'architecture,{",".join(labels)}\n"{TEXTS[0]}",{",".join(map(str, labels.values()))}\n')
    with pytest.raises(ValueError, match=message):
        learning.load_subject(str(path), regions, backbone_space())


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
    with pytest.raises(ValueError, match=r"label macs .*above 0, .* 0"):
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
    summary = learning.ranks_by_size(found)
    mean = summary[(summary.model == learning.LINE) & (summary.target == "pq") & (summary["size"] == 54)].iloc[0]
    assert mean.srcc == pytest.approx(line.srcc.mean()) and mean.seeds == 2
    alone = learning.ranks_by_size(found[found.seed == 3])
    same = alone.merge(found[found.seed == 3], on=["target", "model", "level", "size"], suffixes=("", "_row"))
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
