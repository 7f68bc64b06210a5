"""Measuring: medians by hand, interleaved rounds, and resuming after a kill."""

import functools
import itertools
import json
import sys
import time
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

import autobuild_lib as ab
from autobuild_book.chapters.machine import latency
from autobuild_book.chapters.machine.latency import LatencyMeter, complete, measure_rounds, medians
from autobuild_lib.search.identity import identity

SPACE = ab.spaces.ofa_mbv3()
SMALL = SPACE.parse("resolution224|" + "|".join(["e3_k3,e3_k3"] * 5))
LARGE = SPACE.parse("resolution224|" + "|".join(["e6_k7,e6_k7,e6_k7,e6_k7"] * 5))
NETWORKS = SPACE.sample(np.random.default_rng(0), 8)


def clock(seconds: list[float]) -> Callable[[], float]:
    """A clock by which the calls take the given seconds, with an hour between them."""
    ticks = itertools.accumulate(itertools.chain.from_iterable((3600.0, second) for second in seconds))
    return lambda: next(ticks)


class Probe(nn.Module):
    """Stands for a network and notes how it is called."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(4, 3, 3, 3))
        self.seen: list[dict[str, Any]] = []

    def forward(self, x: Tensor) -> Tensor:
        layout = torch.channels_last
        self.seen.append({
            "shape": tuple(x.shape), "training": self.training, "threads": torch.get_num_threads(),
            "inference": torch.is_inference_mode_enabled(), "image": x.is_contiguous(memory_format=layout),
            "weight": self.weight.is_contiguous(memory_format=layout),
        })  # fmt: skip
        return x


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> Probe:
    made = Probe()
    monkeypatch.setattr(latency, "build", lambda architecture: made)
    return made


# -------------------------------------------------------------------- one network


def test_the_median_of_the_timed_calls_in_ms(probe: Probe) -> None:
    meter = LatencyMeter(warm_up=0, calls=5, clock=clock([0.020, 0.5, 0.022, 0.021, 0.019]))
    assert meter(SMALL) == pytest.approx(21.0) and len(probe.seen) == 5


def test_slow_first_calls_are_discarded_by_warming_up(probe: Probe) -> None:
    slow = [7.0, 5.0, 0.010, 0.014, 0.012]
    assert LatencyMeter(warm_up=2, calls=3, clock=clock(slow))(SMALL) == pytest.approx(12.0)
    assert LatencyMeter(warm_up=0, calls=2, clock=clock(slow))(SMALL) == pytest.approx(6000.0)


@pytest.mark.parametrize("memory_format", ["channels_last", "contiguous"])
def test_how_a_network_is_called(probe: Probe, memory_format: str) -> None:
    LatencyMeter(memory_format, warm_up=1, calls=2)(SMALL)
    last = memory_format == "channels_last"
    wanted = {"shape": (1, 3, 224, 224), "training": False, "threads": 1, "inference": True, "image": last,
              "weight": last}  # fmt: skip
    assert probe.seen == [wanted] * 3


def test_the_image_has_the_resolution_of_the_architecture(probe: Probe) -> None:
    LatencyMeter(warm_up=0, calls=1)(ab.spaces.ofa_pn((192,)).sample(np.random.default_rng(0)))
    assert probe.seen[0]["shape"] == (1, 3, 192, 192)


def test_nothing_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[weakref.ref[nn.Module]] = []
    real = latency.build

    def build(architecture: ab.Architecture) -> nn.Sequential:
        network = real(architecture)
        made.append(weakref.ref(network))
        return network

    monkeypatch.setattr(latency, "build", build)
    torch.set_num_threads(2)
    try:
        before = torch.get_rng_state()
        assert LatencyMeter(warm_up=0, calls=1)(SMALL) > 0
        assert torch.get_num_threads() == 2 and torch.equal(torch.get_rng_state(), before)
    finally:
        torch.set_num_threads(1)
    assert made[0]() is None, "the network is dropped"


def test_a_network_of_four_times_the_work_takes_longer() -> None:
    meter = LatencyMeter(calls=3)
    assert meter(LARGE) > 1.5 * meter(SMALL)


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"memory_format": "nhwc"}, "memory_format='nhwc'; choose from channels_last, contiguous"),
        ({"warm_up": -1}, "warm_up=-1, calls=5; allowed are 0 and 1 or more"),
        ({"calls": 0}, "warm_up=2, calls=0"),
    ],
)
def test_settings_that_cannot_be(wrong: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        LatencyMeter(**wrong)


def test_a_space_without_networks_is_refused(toy: ab.SequenceSpace) -> None:
    with pytest.raises(ab.SpaceError, match=r"no networks .* 'toy'"):
        LatencyMeter()(toy.sample(np.random.default_rng(0)))


# -------------------------------------------------------------------- rounds


class Recorder:
    """A measure that notes its calls, and can be interrupted at one of them."""

    def __init__(self, interrupt_at: int = 0) -> None:
        self.calls: list[ab.Architecture] = []
        self.interrupt_at = interrupt_at

    def __call__(self, architecture: ab.Architecture) -> float:
        if self.interrupt_at and len(self.calls) + 1 == self.interrupt_at:
            self.interrupt_at = 0
            raise KeyboardInterrupt
        self.calls.append(architecture)
        return float(sum(architecture.depths))


def test_every_round_visits_all_once_in_an_order_of_its_own() -> None:
    measure = Recorder()
    found = measure_rounds(NETWORKS, measure, 3, progress=False)
    visits = [measure.calls[i : i + 8] for i in (0, 8, 16)]
    assert len(measure.calls) == 24 and all(set(visit) == set(NETWORKS) for visit in visits)
    assert visits[0] != visits[1] != visits[2] != visits[0]
    assert list(found) == ["architecture", "round", "latency"]
    assert found["architecture"].tolist() == NETWORKS * 3 and found["round"].tolist() == [1] * 8 + [2] * 8 + [3] * 8
    assert found["latency"].tolist() == [sum(a.depths) for a in NETWORKS] * 3


def test_the_order_depends_on_the_seed_only() -> None:
    one, same, other = Recorder(), Recorder(), Recorder()
    for measure, seed in ((one, 4), (same, 4), (other, 5)):
        measure_rounds(NETWORKS, measure, 2, seed=seed, progress=False)
    assert one.calls == same.calls != other.calls


def test_a_drift_within_rounds_falls_on_all_alike() -> None:
    """A machine that slows down by one unit per visit: no network carries the whole of it in every round."""
    drift = itertools.count()
    found = measure_rounds(NETWORKS, lambda _: next(drift) % 8, 60, progress=False)
    means = found.groupby("architecture", sort=False)["latency"].mean()
    assert means.between(2.0, 5.0).all()  # 3.5 on average; 0 and 7 are the first and the last of a fixed order


@pytest.mark.parametrize("interrupt_at", [1, 5, 8, 9, 13])
def test_a_killed_measurement_continues_where_it_was(tmp_path: Path, interrupt_at: int) -> None:
    measure = Recorder(interrupt_at)
    with pytest.raises(KeyboardInterrupt):
        measure_rounds(NETWORKS, measure, 2, tmp_path, progress=False, key="recorder")
    assert len(measure.calls) == interrupt_at - 1
    found = measure_rounds(NETWORKS, measure, 2, tmp_path, progress=False, key="recorder")
    assert Counter(measure.calls) == dict.fromkeys(NETWORKS, 2), "nothing twice in a round, nothing left out"
    uninterrupted = Recorder()
    pd.testing.assert_frame_equal(found, measure_rounds(NETWORKS, uninterrupted, 2, progress=False))
    assert measure.calls == uninterrupted.calls, "in the same order"


def test_a_finished_measurement_is_not_done_again(tmp_path: Path) -> None:
    found = measure_rounds(NETWORKS, first := Recorder(), 1, tmp_path, progress=False)
    again = measure_rounds(NETWORKS[::-1], second := Recorder(), 1, tmp_path, progress=False)
    assert (len(first.calls), len(second.calls)) == (8, 0)
    assert again["architecture"].tolist() == NETWORKS[::-1]
    assert again["latency"].tolist() == found["latency"].tolist()[::-1]
    measure_rounds(NETWORKS, third := Recorder(), 2, tmp_path, progress=False)
    assert len(third.calls) == 8, "a further round measures all again"


def test_the_log_is_one_file_for_each_round(tmp_path: Path) -> None:
    measure_rounds(NETWORKS, Recorder(), 2, tmp_path, label="energy", progress=False)
    files = sorted(tmp_path.glob("energy-*/*.jsonl"))
    assert [file.name for file in files] == ["seed-0-round-1.jsonl", "seed-0-round-2.jsonl"]
    lines = [json.loads(line) for line in files[0].read_text().splitlines()]
    assert {line["architecture"]: line["labels"]["energy"] for line in lines} == {
        str(a): sum(a.depths) for a in NETWORKS
    }


BATCH = 1.0


def constant(_: ab.Architecture) -> float:
    return BATCH


def timed(_: ab.Architecture, batch: float) -> float:
    return batch


@dataclass
class Phone:
    batch: float

    def measure(self, _: ab.Architecture) -> float:
        return self.batch


@pytest.mark.parametrize("measure", [lambda batch: constant, lambda batch: functools.partial(timed, batch=batch),
                                     lambda batch: Phone(batch).measure, lambda batch: lambda _: batch])  # fmt: skip
def test_a_measure_that_changed_measures_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, measure: Callable[[float], latency.Measure]
) -> None:
    for batch in (1.0, 100.0, 1.0):
        monkeypatch.setattr(sys.modules[__name__], "BATCH", batch)
        found = measure_rounds(NETWORKS, measure(batch), 1, tmp_path, progress=False)
        assert found["latency"].tolist() == [batch] * 8
    assert len(list(tmp_path.iterdir())) == 2


def test_what_cannot_be_known_is_not_reused_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def two_of(numbers: Iterator[float]) -> list[float]:
        found = [measure_rounds(NETWORKS, lambda _: next(numbers), 1, tmp_path, progress=False, **options)
                 for options in ({}, {}, {"key": "a"}, {"key": "a"}, {"key": "b"})]  # fmt: skip
        return [table["latency"].min() for table in found]

    assert two_of(float(number) for number in itertools.count()) == [0, 8, 16, 16, 24]
    assert len(caplog.messages) == 2 and "generator" in caplog.messages[0] and "key=" in caplog.messages[0]


def test_other_architectures_or_another_machine_share_no_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for machine, networks in itertools.product(["here", "an abacus"], [NETWORKS, NETWORKS[:7], NETWORKS[::-1]]):
        monkeypatch.setattr(latency, "machine", lambda name=machine: name)
        measure_rounds(networks, constant, 1, tmp_path, progress=False)
    assert len(list(tmp_path.iterdir())) == 4, "an order does not count"


@pytest.mark.parametrize(
    ("architectures", "rounds", "text"),
    [
        ([], 2, "cannot measure 2 rounds over 0 architectures"),
        (NETWORKS, 0, "cannot measure 0 rounds over 8"),
        ([SMALL, LARGE, SMALL], 1, "3 architectures, 2 "),
    ],
)
def test_what_cannot_be_measured(architectures: list[ab.Architecture], rounds: int, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        measure_rounds(architectures, Recorder(), rounds)


# -------------------------------------------------------------------- what comes of them


def unreliable() -> Callable[[ab.Architecture], float]:
    """A measure that cannot see the second network in its second round, nor ever the third."""
    visits: Counter[ab.Architecture] = Counter()

    def measure(architecture: ab.Architecture) -> float:
        visits[architecture] += 1
        if architecture == NETWORKS[1] and visits[architecture] == 2:
            raise RuntimeError("the cable is loose")
        return float("nan") if architecture == NETWORKS[2] else 1.0 + visits[architecture]

    return measure


def test_failed_measurements_are_left_out_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    rounds = measure_rounds(NETWORKS, unreliable(), 2, progress=False)
    assert rounds["latency"].isna().sum() == 3
    kept = complete(rounds)
    assert kept["architecture"].tolist() == [NETWORKS[0], *NETWORKS[3:]] * 2 and kept.index.tolist() == list(range(12))
    assert "the cable is loose" in caplog.text and "2 of 8 architectures" in caplog.text


def test_when_nothing_could_be_measured(tmp_path: Path) -> None:
    def broken(_: ab.Architecture) -> float:
        raise OSError("no such device")

    rounds = measure_rounds(NETWORKS, broken, 1, tmp_path, label="energy", progress=False)
    with pytest.raises(ValueError, match=r"no architecture .*'energy'"):
        complete(rounds)


def rounds_of(*values: list[float]) -> Iterator[pd.DataFrame]:
    for number, row in enumerate(values, start=1):
        yield pd.DataFrame({"architecture": NETWORKS[: len(row)], "round": number, "latency": row})


def test_medians_over_rounds_by_hand() -> None:
    found = medians(pd.concat(rounds_of([3.0, 10.0], [1.0, 30.0], [8.0, 20.0])))
    assert found["architecture"].tolist() == NETWORKS[:2] and found["latency"].tolist() == [3.0, 20.0]


def test_a_meter_with_another_setting_or_clock_is_another() -> None:
    meters = [LatencyMeter(), LatencyMeter(calls=2), LatencyMeter(clock=time.perf_counter)]
    assert len({identity(meter) for meter in meters}) == 3 and identity(LatencyMeter()) == identity(LatencyMeter())
