"""The committed predictors: they load, their summaries are those of their modules, and others are refused."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import autobuild_lib as ab
from autobuild_book.play import predictors
from autobuild_book.play.predictors import BETWEEN, EXACT, FOLDER, HOSTS, SCORES, TARGETS
from autobuild_lib.surrogate import SPACES


@pytest.mark.parametrize("family", SPACES)
@pytest.mark.parametrize("target", TARGETS)
def test_every_target_has_a_predictor_trained_on_labels_of_the_surrogate(family: str, target: str) -> None:
    trained = predictors.load_trained(family, target)
    made = trained.predictor.provenance
    assert trained.predictor.space == SPACES[family]() and ab.Target(trained.predictor.target) == ab.Target(target)
    assert (made["preset"], made["seed"], made["training"]["epochs"]) == ("paper", 12345, 100)
    assert (made["data"]["kind"], made["data"]["rows"]) == ("surrogate", 2700)
    assert set(trained.best) == set(SCORES)
    assert all(len(contents) == predictors.BEST for score in SCORES for contents in trained.best[score])


@pytest.mark.parametrize("family", SPACES)
def test_what_is_best_by_norm_is_what_the_library_finds(family: str) -> None:
    trained = predictors.load_trained(family, TARGETS[2])
    reduced = ab.score_units(trained.predictor, progress=False).top(predictors.BEST)
    groups = zip(trained.predictor.space.scoring_groups, reduced.groups, strict=True)
    assert trained.best["norm"] == [place.texts(group.codes) for place, group in groups]


@pytest.mark.slow
def test_effects_are_what_the_library_finds() -> None:
    trained = predictors.load_trained("ofa_mbv3", TARGETS[2])
    corpus = ab.score_units(trained.predictor, "effect", hosts=HOSTS, progress=False)
    for group, effects in zip(corpus.groups, trained.effects, strict=True):
        ordered = np.sort(group.scores)[::-1]
        assert effects == pytest.approx(ordered[predictors.kept_places(len(ordered))], rel=1e-3, abs=1e-7)


def test_places_are_the_first_ones_and_reach_the_last() -> None:
    places = predictors.kept_places(7371)
    assert places[:EXACT].tolist() == [*range(EXACT)] and places[-1] == 7370 and len(places) == EXACT + BETWEEN
    assert (np.diff(places) > 0).all()


def test_only_predictors_of_the_page_are_taken_from_the_chain(tmp_path: Path) -> None:
    for number, target in enumerate(TARGETS[:2]):
        shutil.copytree(predictors.folder_of("ofa_pn", target), tmp_path / "key" / str(number))
    other = ab.load(tmp_path / "key" / "0")
    object.__setattr__(other, "target", "latency_gpu")
    other.save(tmp_path / "key" / "2")
    taken = list(predictors.trained_by_chain(tmp_path))
    assert [predictor.target for predictor in taken] == [ab.Target(t).canonical for t in TARGETS[:2]]


def test_a_damaged_predictor_is_named(tmp_path: Path) -> None:
    folder = predictors.folder_of("ofa_pn", "acc", tmp_path)
    shutil.copytree(predictors.folder_of("ofa_pn", "acc", FOLDER), folder)
    (folder / "weights.safetensors").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="weights"):
        predictors.load_trained("ofa_pn", "acc", tmp_path)
    (folder / "modules.json").unlink()
    with pytest.raises(FileNotFoundError, match="modules"):
        predictors.load_trained("ofa_pn", "acc", tmp_path)
