"""A supernet as the judge of experiment 4: its panel, its log, and the searches that it labels."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import autobuild_lib as ab
from autobuild_book.chapters.regions import search_runs
from autobuild_book.chapters.regions.imagenet_judge import LoggedJudge, imagenet_judges
from autobuild_book.chapters.shared.frontiers import Frontier
from autobuild_book.chapters.shared.panels import Panel
from autobuild_book.chapters.shared.splits import Split
from autobuild_lib.data.table import make_table
from autobuild_lib.units.reduced import ReducedSpace
from tests.helpers.image_folders import write_images
from tests.helpers.supernet_files import random_state, write_supernet


@pytest.fixture
def panels() -> list[Panel]:
    """A panel for each device, of networks for images of 128 pixels."""
    space = ab.spaces.ofa_mbv3((128,))
    architectures = space.sample(np.random.default_rng(0), 4)
    labels = pd.DataFrame({"acc": [0.7] * 4, "latency_gpu": [1.0] * 4, "latency_cpu": [2.0] * 4})
    split = Split(*[make_table(space, architectures, labels, source="made", kind="made")] * 2, ("acc",))
    return [Panel(split, device, {"fast": "acc"}) for device in ("gpu", "cpu")]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A supernet that takes every image for one of the first class of two, and images; there is no GPU."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    state = random_state("mbv3_w1.0", classes=2)
    state["classifier.linear.bias"] = torch.tensor([1e6, 0])
    return write_supernet(tmp_path / "net", state), write_images(tmp_path / "images", [1, 1], [3, 1])


def test_it_judges_the_panel_of_this_device(panels: list[Panel], files: tuple[Path, Path], tmp_path: Path) -> None:
    judged, judges = imagenet_judges(panels, *files, tmp_path / "logs")
    assert [panel.device for panel in judged] == ["cpu"] and list(judges) == ["ofa_mbv3"]
    space, table = panels[0].split.train.space, panels[0].split.train
    codes = space.to_codes(table.architectures[:2])
    first = judges["ofa_mbv3"](codes)
    assert list(first) == ["acc", "latency_cpu"] and first.acc.tolist() == [0.75, 0.75]
    _, again = imagenet_judges(panels, *files, tmp_path / "logs")
    assert again["ofa_mbv3"](codes[::-1]).latency_cpu.tolist() == first.latency_cpu.tolist()[::-1]  # from the log
    _, fewer = imagenet_judges(panels, *files, tmp_path / "logs", validate=2)
    fewer["ofa_mbv3"](codes[:1])
    assert sorted(len(path.read_text().splitlines()) for path in (tmp_path / "logs").glob("net-*.jsonl")) == [1, 2]


def test_panels_that_it_cannot_judge_are_named(panels: list[Panel], files: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="latency_gpu"):
        imagenet_judges(panels[:1], *files, tmp_path)


def test_a_failed_evaluation_is_an_error(panels: list[Panel], tmp_path: Path) -> None:
    table = panels[0].split.train

    def fails(architectures: list[ab.Architecture], /) -> pd.DataFrame:
        if architectures == list(table.architectures[1:2]):
            raise RuntimeError("no memory")
        return pd.DataFrame({"acc": [0.5] * len(architectures)})

    judge = LoggedJudge(fails, table.space, tmp_path / "log.jsonl")
    codes = table.space.to_codes(table.architectures)
    assert judge(codes[:1]).acc.tolist() == [0.5]
    for count in (2, 1):
        with pytest.raises(ValueError, match=r"1 of .*log\.jsonl"):
            judge(codes[2 - count : 2])


def test_searches_ask_the_judge(panels: list[Panel]) -> None:
    full = ReducedSpace.full(panels[0].split.train.space)
    asked = []

    def judge(codes: np.ndarray) -> pd.DataFrame:
        asked.extend(map(bytes, codes))
        return pd.DataFrame({"acc": codes.sum(1) / 1e4, "latency_cpu": codes.sum(1) / 10.0})

    frontier = Frontier(np.array([[1.0, -0.1]]), {}, np.array([100.0, 0.0]), np.array([100.0, 1.0]))
    for method in search_runs.METHODS:
        asked.clear()
        arguments = ("ofa_mbv3", "cpu", "latency_cpu", frontier, method, [full], [0], (4, 1, 4))
        _, front = search_runs.SearchJob(*arguments, judge).run()
        assert len(set(asked)) == 8
        sums = front.architecture.map(lambda text: full.space.to_codes([full.space.parse(text)]).sum())
        assert front.latency.tolist() == (sums / 10.0).tolist()
