"""The scripts of the page: what they hold, that they are the same each time, and what they weigh."""

import base64
import itertools
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autobuild_lib as ab
from autobuild_book.play import exporting
from autobuild_book.play.predictors import TARGETS, load_trained
from autobuild_lib.surrogate import SPACES, load_bundled

ROOT = Path(__file__).resolve().parents[3]
MOST_BYTES = 3_000_000  # of the page with all that it may load


def data(family: str) -> dict[str, Any]:
    text = exporting.scripts()[family]
    assert text.startswith("play.receive(") and text.endswith(");\n") and text.isascii() and "<" not in text
    read: dict[str, Any] = json.loads(text.removeprefix("play.receive(").removesuffix(");\n"))
    return read


def numbers(text: str, kind: str) -> np.ndarray[Any, Any]:
    return np.frombuffer(base64.b64decode(text), kind)


@pytest.mark.parametrize("family", SPACES)
def test_the_table_is_all_there(family: str) -> None:
    read, surrogate, table = data(family), load_bundled(family), ab.data.load(family)
    labels = numbers(read["table"]["labels"], "<f4").reshape(-1, 4)
    assert np.allclose(labels, surrogate.predict(table.architectures), rtol=1e-6)
    contents = numbers(read["table"]["contents"], "<u2").reshape(len(table), -1)
    for column, codec in zip(contents.T, surrogate.space.codecs, strict=True):
        texts = [codec.text(content.tobytes()) for content in codec.contents()[column[:20]]]
        assert texts == [str(a).split("|")[1 + codec.number] for a in table.architectures[:20]]


@pytest.mark.parametrize("family", SPACES)
def test_labels_of_the_reduced_space_vary_fastest_in_the_last_unit(family: str) -> None:
    read, surrogate = data(family), load_bundled(family)
    for target, predictor in zip(TARGETS, read["predictors"], strict=True):
        assert predictor["target"] == ab.Target(target).canonical
        best = load_trained(family, target).best["effect"]
        built = numbers(predictor["built"]["effect"], "<f4").reshape(-1, 4)
        assert len(built) == 3 ** len(best)
        places = list(itertools.product(range(3), repeat=len(best)))[100]
        text = "|".join([read["globals"], *(group[k] for group, k in zip(best, places, strict=True))])
        assert np.allclose(built[100], surrogate.predict([surrogate.space.parse(text)]).iloc[0], rtol=1e-6)


def test_the_hosts_are_those_of_the_effect_score() -> None:
    space = load_bundled("ofa_pn").space
    hosts = space.sample_codes(np.random.default_rng([0, 2]), 16)
    assert numbers(data("ofa_pn")["hosts"], "<u2").tolist() == exporting.content_numbers(space, hosts).ravel().tolist()


def test_scripts_are_the_same_each_time() -> None:
    assert exporting.scripts.__wrapped__() == exporting.scripts()


def test_the_page_is_light_with_all_that_it_loads() -> None:
    page = (ROOT / "book" / "play.md").read_text(encoding="utf-8")
    loaded = re.findall(r'(?:src|href)="\.\./_static/(play/[\w.]+)"', page)
    folder = ROOT / "book" / "static"
    assert sorted(loaded) == sorted(f"play/{path.name}" for path in (folder / "play").iterdir())
    weights = [len(text) for text in exporting.scripts().values()] + [(folder / name).stat().st_size for name in loaded]
    assert len(page) + sum(weights) <= MOST_BYTES
    assert len(page) + sum(weights[2:]) + max(weights[:2]) <= MOST_BYTES / 2, "before a second family is chosen"
