"""The bundled surrogates: what they answer, and files that are damaged."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import autobuild_lib as ab
from autobuild_lib.surrogate import Surrogate, bundled, load_bundled
from autobuild_lib.surrogate.bundled import load_from

FAMILIES = ["ofa_mbv3", "ofa_pn"]


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def surrogate(family: str) -> Surrogate:
    """The bundled surrogate of a family."""
    return load_bundled(family)


def test_public_functions(surrogate: Surrogate, family: str) -> None:
    assert getattr(ab.surrogate, family)() is surrogate and surrogate.space.name == family
    with pytest.raises(ValueError, match=r"no surrogate .*'ofa'; .*ofa_mbv3, ofa_pn"):
        load_bundled("ofa")


def test_one_row_of_four_labels_per_architecture(surrogate: Surrogate) -> None:
    drawn = surrogate.space.sample(np.random.default_rng(0), 7)
    labels = surrogate.predict(drawn)
    assert list(labels) == ["acc", "latency_gpu", "latency_cpu", "latency_npu"] and len(labels) == 7
    assert labels["acc"].between(0.6, 0.9).all() and (labels > 0).all(axis=None)
    assert surrogate.predict([]).shape == (0, 4)


def test_an_architectures_labels_do_not_depend_on_its_company(surrogate: Surrogate) -> None:
    drawn = surrogate.space.sample(np.random.default_rng(0), 1500)
    whole = surrogate.predict(drawn)
    order = np.random.default_rng(1).permutation(1500)
    np.testing.assert_allclose(surrogate.predict([drawn[i] for i in order]), whole.iloc[order], rtol=1e-5)
    for row in (0, 1023, 1024, 1499):
        np.testing.assert_allclose(surrogate.predict([drawn[row]]).iloc[0], whole.iloc[row], rtol=1e-5)


def test_other_resolutions_and_families_are_refused(surrogate: Surrogate) -> None:
    wide = ab.spaces.ofa_mbv3(resolutions=(192, 224))
    with pytest.raises(ab.SpaceError):
        surrogate.predict([wide.from_lists([["mbconv3_e3_k3"] * 2] * 5, resolution=192)])
    other = ab.spaces.ofa_pn() if surrogate.space.name == "ofa_mbv3" else ab.spaces.ofa_mbv3()
    with pytest.raises(ab.SpaceError, match=f"given to space '{surrogate.space.name}'"):
        surrogate.predict([other.sample(np.random.default_rng(0))])


def test_files_are_small_and_say_what_they_are(family: str) -> None:
    path = bundled.FILES / f"surrogate_{family}.safetensors"
    assert path.stat().st_size <= 1 << 20
    card = json.loads(path.with_suffix(".json").read_text())
    assert {"what", "is_not", "source", "labels", "network", "seed", "sha256", "checkpoints_sha256"} <= set(card)
    assert "MIT" in card["source"] and "measurement" in card["is_not"] and card["training_architectures"] >= 300_000


def copied(family: str, folder: Path) -> Path:
    for suffix in ("safetensors", "json"):
        shutil.copy(bundled.FILES / f"surrogate_{family}.{suffix}", folder)
    return folder / f"surrogate_{family}.safetensors"


def test_changed_weights_are_refused(family: str, tmp_path: Path) -> None:
    path = copied(family, tmp_path)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"\.safetensors: sha256 is [0-9a-f]{64}, expected [0-9a-f]{64}"):
        load_from(family, tmp_path)


@pytest.mark.parametrize("card", ["", "[]", "{}", '{"sha256": "0", "network": {"colour": 1}}'])
def test_damaged_cards_are_refused(family: str, tmp_path: Path, card: str) -> None:
    copied(family, tmp_path).with_suffix(".json").write_text(card)
    with pytest.raises(ValueError, match=rf"surrogate_{family}\.json: not the model card"):
        load_from(family, tmp_path)
