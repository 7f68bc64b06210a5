"""Reduced spaces: enumeration, sums, samples and files, against plain Python."""

import itertools
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.stats import chisquare

import autobuild_lib as ab
from autobuild_lib.units import reduced as module
from autobuild_lib.units.reduced import (
    GroupContents,
    ReducedSpace,
    best_sums,
)


def some(space: ab.SequenceSpace, sizes: list[int], seed: int = 0, whole: bool = True) -> ReducedSpace:
    """Some contents of each group, with scores that tie often (`whole`) or hardly ever."""
    rng, groups = np.random.default_rng(seed), []
    for group, size in zip(space.scoring_groups, sizes, strict=True):
        codes = group.contents()
        rows = rng.permutation(len(codes))[:size]
        scores = rng.integers(0, 4, len(rows)).astype(float) if whole else rng.normal(size=len(rows))
        groups.append(GroupContents(codes[rows], -np.sort(-scores)))
    return ReducedSpace(space, bytes(len(space.global_features)), tuple(groups))


# -------------------------------------------------------------------- the product


def test_full_space_holds_every_architecture_once() -> None:
    space = ab.SequenceSpace(
        "s",
        [ab.Unit(1, 2, features={"w": [1, 2]}), ab.Unit(1, 1, score_with_previous=True), ab.Unit(1, 1)],
        {"op": ["a", "b"]},
        {"r": [1, 2]},
    )
    full = ReducedSpace.full(space, r=2)
    wanted = {a for a in space if a.global_features == {"r": 2}}
    assert set(full) == wanted and len(full) == full.size == len(wanted) == space.size // 2
    assert all((a in full) == (a in wanted) for a in space)
    with pytest.raises(ab.SpaceError, match="'r' is missing"):
        ReducedSpace.full(space)


def test_size_is_exact_where_len_overflows() -> None:
    full = ReducedSpace.full(ab.spaces.ofa_mbv3())
    assert full.size == 7371**5 > 2**63
    with pytest.raises(OverflowError):
        len(full)
    assert len(list(itertools.islice(full, 3))) == 3
    assert repr(full) == "<ofa_mbv3 reduced to 7371 x 7371 x 7371 x 7371 x 7371>"


def test_iteration_codes_and_membership_agree() -> None:
    space = ab.spaces.ofa_pn()
    reduced = some(space, [2, 3, 1, 2, 4])
    everything = list(reduced)
    assert len(everything) == len(set(everything)) == len(reduced) == reduced.size == 48
    np.testing.assert_array_equal(reduced.codes(), space.to_codes(everything))
    assert all(a in reduced and a in space for a in everything)
    outside = [a for a in space.sample(np.random.default_rng(0), 200) if a not in set(everything)]
    assert len(outside) == 200 and not any(a in reduced for a in outside)
    assert "text" not in reduced and ab.spaces.ofa_mbv3().sample(np.random.default_rng(0)) not in reduced


def test_an_architecture_with_other_global_features_is_outside() -> None:
    one, two = ab.spaces.ofa_mbv3(), ab.spaces.ofa_mbv3(resolutions=(192, 224))
    reduced = ReducedSpace.full(two, resolution=224)
    inside = one.sample(np.random.default_rng(0))  # of an equal family, so it is adopted
    assert inside in reduced and two.from_lists(inside.to_lists(), resolution=192) not in reduced


def test_codes_of_a_huge_space_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 10,000,000 are enumerated"):
        ReducedSpace.full(ab.spaces.ofa_mbv3()).codes()


def test_samples_are_uniform_members_and_repeatable(toy: ab.SequenceSpace) -> None:
    reduced = some(toy, [3, 4])
    drawn = reduced.sample(np.random.default_rng(1), 6000)
    assert drawn == reduced.sample(np.random.default_rng(1), 6000)
    counts = Counter(drawn)
    assert set(counts) == set(reduced) and chisquare(list(counts.values())).pvalue > 1e-3
    assert isinstance(reduced.sample(np.random.default_rng(1)), ab.Architecture)


# -------------------------------------------------------------------- best sums


def test_best_by_hand() -> None:
    scores = [np.array([5.0, 1.0]), np.array([4.0, 3.0, -9.0]), np.array([0.0])]
    assert best_sums(scores, 4).tolist() == [[0, 0, 0], [0, 1, 0], [1, 0, 0], [1, 1, 0]]  # 9, 8, 5, 4


@given(st.lists(st.lists(st.integers(-3, 3), min_size=1, max_size=6), min_size=1, max_size=4), st.integers(1, 300))
def test_best_sums_equal_brute_force_ties_included(scores: list[list[int]], n: int) -> None:
    lists = [sorted(own, reverse=True) for own in scores]
    places = itertools.product(*(range(len(own)) for own in lists))
    wanted = sorted(places, key=lambda at: -sum(own[i] for own, i in zip(lists, at, strict=True)))[:n]
    assert [tuple(row) for row in best_sums([np.array(own, float) for own in lists], n)] == wanted


@given(st.lists(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=7), min_size=1, max_size=4), st.integers(1, 50))
def test_best_sums_of_any_numbers(scores: list[list[float]], n: int) -> None:
    lists = [sorted(own, reverse=True) for own in scores]
    found = best_sums([np.array(own) for own in lists], n).tolist()
    sums = [sum(own[i] for own, i in zip(lists, at, strict=True)) for at in found]
    best = sorted((sum(chosen) for chosen in itertools.product(*lists)), reverse=True)[:n]
    np.testing.assert_allclose(sums, best, atol=1e-9)
    assert len({tuple(at) for at in found}) == len(found)


@pytest.mark.parametrize("whole", [True, False])
def test_best_equals_sorting_everything(whole: bool) -> None:
    reduced = some(ab.spaces.ofa_pn(), [3, 4, 2, 3, 5], seed=3, whole=whole)
    everything = list(reduced)
    scores = reduced.scores(everything)
    order = np.argsort(-scores, kind="stable")
    for n in (0, 1, 7, 100, 359, 360, 10_000):
        assert reduced.best(n) == [everything[i] for i in order[:n]]
    with pytest.raises(ValueError, match="n=-1"):
        reduced.best(-1)


def test_the_thousand_best_of_ten_million() -> None:
    reduced = some(ab.spaces.ofa_mbv3(), [25] * 5, whole=False)
    best = reduced.best(1000)
    assert len(set(best)) == 1000
    scores = reduced.scores(best)
    assert np.all(np.diff(scores) <= 0)
    drawn = reduced.scores([a for a in reduced.sample(np.random.default_rng(0), 5000) if a not in set(best)])
    assert drawn.max() <= scores[-1]


def test_scores_are_sums_and_an_outsider_is_named(toy: ab.SequenceSpace) -> None:
    reduced = some(toy, [3, 4], whole=False)
    a, b = reduced.groups
    for i, j in itertools.product(range(3), range(4)):
        architecture = toy.from_codes(np.concatenate([a.codes[i], b.codes[j]])[None])
        assert reduced.scores(architecture).tolist() == [a.scores[i] + b.scores[j]]
    outsider = next(one for one in toy if one not in reduced)
    with pytest.raises(ab.SpaceError, match="<toy reduced to 3 x 4>") as caught:
        reduced.scores([*reduced.best(2), outsider])
    assert str(outsider) in str(caught.value)


# -------------------------------------------------------------------- what cannot be


def test_wrong_contents_are_refused(toy: ab.SequenceSpace) -> None:
    codes, scores = toy.scoring_groups[0].contents()[:3], np.array([3.0, 2.0, 1.0])
    for wrong, message in [
        ((codes, scores[:2]), "given uint8"),
        ((codes.astype(int), scores), "given int64"),
        ((codes[:0], scores[:0]), "one or more distinct contents, given 0"),
        ((codes[[0, 1, 0]], scores), "distinct contents, given 3"),
        ((codes, scores[::-1]), "the best one first"),
        ((codes, np.array([1.0, np.nan, 0.0])), "must be finite"),
    ]:
        with pytest.raises(ValueError, match=message):
            GroupContents(*wrong)
    group = GroupContents(codes, scores)
    for head, groups in [(b"", (group,)), (b"\0", (group, group)), (b"", (group, group))]:
        with pytest.raises(ab.SpaceError, match="the space needs 0 bytes and"):
            ReducedSpace(toy, head, groups)


# -------------------------------------------------------------------- files


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    some(ab.spaces.ofa_pn(), [3, 2, 1, 2, 4], whole=False).save(tmp_path / "r.json")
    return tmp_path / "r.json"


def test_round_trip(saved: Path, toy: ab.SequenceSpace) -> None:
    reduced, again = some(ab.spaces.ofa_pn(), [3, 2, 1, 2, 4], whole=False), ReducedSpace.load(saved)
    assert again.space == reduced.space and again.head == reduced.head and list(again) == list(reduced)
    np.testing.assert_array_equal(again.scores(list(again)), reduced.scores(list(reduced)))
    assert [path.name for path in saved.parent.iterdir()] == ["r.json"]
    wide = some(toy, [5, 9])
    wide.save(str(saved))
    assert list(ReducedSpace.load(str(saved))) == list(wide)


def test_the_file_holds_modules_as_text(saved: Path) -> None:
    record = json.loads(saved.read_text())
    assert record["global_features"] == {"resolution": 224}
    assert [len(group["modules"]) for group in record["groups"]] == [3, 2, 1, 2, 4]
    reduced = ReducedSpace.load(saved)
    first = next(iter(reduced))
    assert str(first) == "|".join(["resolution224", *(group["modules"][0] for group in record["groups"])])


def spoil(path: Path, change: Any) -> None:
    record = json.loads(path.read_text())
    change(record)
    path.write_text(json.dumps(record))


HOSTILE = {
    "format": (lambda r: r.update(format="autobuild-reduced-space-9"), "this version reads"),
    "no format": (lambda r: r.pop("format"), "there is no 'format'"),
    "extra": (lambda r: r.update(run="rm -rf"), "unknown entries run"),
    "space": (lambda r: r["space"].pop("units"), "not the description of a search space"),
    "resolution": (lambda r: r.update(global_features={"resolution": 192}), "value 192 is not allowed"),
    "few groups": (lambda r: r["groups"].pop(), "shorter|longer"),
    "layer": (lambda r: r["groups"][0]["modules"].__setitem__(0, "e9_k9,e3_k3"), "layer 'e9_k9' is not allowed"),
    "tail": (lambda r: r["groups"][4]["modules"].__setitem__(0, "e3_k3,e3_k3"), "has 1 parts"),
    "number": (lambda r: r["groups"][0]["modules"].__setitem__(0, 7), "int"),
    "twice": (lambda r: r["groups"][0].update(modules=["e3_k3,e3_k3"] * 3), "distinct contents, given 3"),
    "empty": (lambda r: r["groups"][0].update(modules=[], scores=[]), "distinct contents, given 0"),
    "few scores": (lambda r: r["groups"][0]["scores"].pop(), "given uint8"),
    "nan": (lambda r: r["groups"][0]["scores"].__setitem__(0, float("nan")), "NaN is not a finite float"),
    "text score": (lambda r: r["groups"][0]["scores"].__setitem__(0, "9"), "scores must be numbers"),
    "bool score": (lambda r: r["groups"][0]["scores"].__setitem__(0, True), "scores must be numbers"),
    "huge score": (lambda r: r["groups"][0]["scores"].__setitem__(0, 10**400), "10+ is not a finite float"),
    "order": (lambda r: r["groups"][0]["scores"].reverse(), "the best one first"),
    "groups": (lambda r: r.update(groups=3), "int"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_spoilt_file_is_one_line(saved: Path, name: str) -> None:
    change, message = HOSTILE[name]
    spoil(saved, change)
    with pytest.raises(ab.SpaceError, match=message) as caught:
        ReducedSpace.load(saved)
    assert str(caught.value).startswith(f"{saved}: not a reduced space") and "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"format": NaN}'])
def test_anything_else_is_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(ab.SpaceError, match="not a reduced space") as caught:
        ReducedSpace.load(tmp_path / "x.json")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400
    with pytest.raises(FileNotFoundError):
        ReducedSpace.load(tmp_path / "none.json")


def test_a_failed_save_leaves_the_old_file(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = saved.read_bytes()
    monkeypatch.setattr(module, "replace_json", lambda *_, **__: (_ for _ in ()).throw(OSError("no space left")))
    with pytest.raises(OSError, match="no space left"):
        some(ab.spaces.ofa_pn(), [1, 1, 1, 1, 1]).save(saved)
    assert saved.read_bytes() == before
