"""`autobuild search` with a published supernet as evaluator."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import torch

import autobuild_lib as ab
from tests.helpers.commands import Run
from tests.helpers.image_folders import write_images
from tests.helpers.supernet_files import random_state, write_supernet

Search = Callable[..., tuple[int, str, str]]


@pytest.fixture
def search(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Search:
    """Search small images' networks with a supernet that takes all images for one of the second class of three."""
    monkeypatch.chdir(tmp_path)
    state = random_state("mbv3_w1.0", classes=3)
    state["classifier.linear.bias"] = torch.tensor([0, 1e6, 0])
    write_supernet(tmp_path / "net", state)
    write_images(tmp_path / "images", [1, 1, 1], [1, 2, 1])
    (tmp_path / "space.json").write_text(json.dumps(ab.spaces.ofa_mbv3((128,)).to_json()), encoding="utf-8")

    def search(**changes: object) -> tuple[int, str, str]:
        options = {"space": "space.json", "supernet": "net", "images": "images", "device": "cpu"}
        options |= {"start": 2, "rounds": 0, "log": "log.jsonl", "out": "all.csv"} | changes
        used = [(f"--{name}", value) for name, value in options.items() if value is not None]
        return run("search", *(word for pair in used for word in pair))

    return search


def test_it_evaluates_parts_of_the_supernet_once(search: Search, tmp_path: Path) -> None:
    code, out, _ = search()
    assert code == 0 and "latency_cpu" in out
    frame = pd.read_csv("all.csv")
    assert frame.acc.tolist() == [0.5, 0.5] and (frame.latency_cpu > 0).all()
    before = Path("log.jsonl").read_bytes()
    assert search()[0] == 0
    assert Path("log.jsonl").read_bytes() == before and pd.read_csv("all.csv").equals(frame)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"supernet": None}, "--supernet"),
        ({"images": None}, "--images"),
        ({"evaluator": "mine:labels"}, "--evaluator"),
        ({"supernet": "none"}, "none"),
        ({"supernet": "space.json"}, "space.json"),
        ({"images": "none"}, "none"),
        ({"images": "images/val"}, "train"),
        ({"space": "ofa_pn"}, "ofa_pn"),
        ({"minimise": "latency_gpu"}, "latency_gpu"),
        ({"device": "cuda:99"}, "cuda:99"),
        ({"out": "net"}, "net"),
    ],
)
def test_what_cannot_be_is_one_line(search: Search, changes: dict[str, object], named: str) -> None:
    code, out, err = search(**changes)
    assert code == 1 and not out
    assert err.count("\n") == 1 and named in err
    assert not Path("log.jsonl").exists()
