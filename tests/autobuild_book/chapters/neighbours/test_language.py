"""Choices and devices in words: templates by hand, kept embeddings, and words that nobody encoded."""

import importlib.util
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import autobuild_lib as ab
from autobuild_book.chapters.neighbours import hardware, language
from autobuild_book.chapters.neighbours.graphs import vocabulary
from autobuild_book.chapters.neighbours.language import ENDS, choice_phrases, embed, phrase
from autobuild_book.chapters.neighbours.nas_bench_201 import SPACE as CELLS
from autobuild_lib.data.files import FILES

Run = Callable[..., tuple[int, str, str]]
ENCODER = importlib.util.find_spec(language.ENCODER)


def test_phrases_by_hand() -> None:
    assert phrase("resolution", "224.0") == "input image of 224 pixels" and phrase("k", "3").endswith(" 3")
    assert phrase("my_choice", "0.5") == "my choice 0.5" and phrase("width", "") == "without width"
    assert phrase("op", "a") == "op a" and phrase("op", "none") == language.OPERATIONS["none"]
    words = vocabulary(CELLS)
    assert len(choice_phrases(words)) == words.width and choice_phrases(words)[-2:] == list(ENDS)
    assert all(choice_phrases(words)[place] == language.OPERATIONS["none"] for place in words.nothing)


def test_every_choice_of_a_space_has_a_phrase_of_its_own() -> None:
    for space in (CELLS, ab.spaces.ofa_mbv3(), ab.spaces.ofa_pn()):
        texts = choice_phrases(vocabulary(space))
        assert len(set(texts)) == len(texts)


def test_kept_sentences_are_those_of_all_tables_and_devices() -> None:
    assert list(language.committed()) == language.sentences(), "make them again: autobuild neighbours embed"
    texts = [setting.text for setting in (*hardware.HELP.values(), *hardware.NAS_BENCH_201.values())]
    embedded = embed(texts)
    assert embedded.shape == (18, language.SIZE)
    assert torch.allclose(embedded.norm(dim=1), torch.ones(18), atol=1e-3)
    cosines = embedded @ embedded.T - 2 * torch.eye(18)
    assert (cosines[:12].argmax(1) < 12).all(), "a large GPU is most like a large GPU"


def test_embeddings_come_in_the_order_asked_for() -> None:
    first, second = ENDS
    assert torch.equal(embed([second, first, second]), embed([first, second])[[1, 0, 1]])


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    for ending in (".json", ".safetensors"):
        shutil.copy(FILES / f"{language.NAME}{ending}", tmp_path)
    with (tmp_path / f"{language.NAME}.safetensors").open("ab") as file:
        file.write(b"0")
    with pytest.raises(ValueError, match="sha256"):
        language.committed.__wrapped__(tmp_path)


@pytest.mark.skipif(ENCODER is not None, reason="the encoder is installed")
def test_words_that_nobody_encoded_need_the_extra(run: Run, tmp_path: Path) -> None:
    with pytest.raises(ModuleNotFoundError) as missing:
        embed([ENDS[0], "a toaster, 800 W"])
    message = str(missing.value)
    assert "a toaster" in message and "'autobuild-book[language]'" in message and "\n" not in message
    code, out, error = run("neighbours", "embed", "--folder", tmp_path)
    assert (code, out) == (1, "") and error.count("\n") == 1 and not list(tmp_path.iterdir())


@pytest.mark.skipif(ENCODER is None, reason="needs the extra language")
def test_the_encoder_says_what_is_kept(tmp_path: Path) -> None:
    language.write(tmp_path)
    again, kept = language.committed.__wrapped__(tmp_path), language.committed()
    assert list(again) == list(kept)
    assert torch.allclose(torch.stack([*again.values()]), torch.stack([*kept.values()]), atol=2e-3)
