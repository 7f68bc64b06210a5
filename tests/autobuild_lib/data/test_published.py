"""Tables of benchmarks, compared with what Python's readers make of the files; and what is not read."""

import csv
import json
import pickle
import tarfile
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autobuild_lib as ab
from autobuild_lib.data import DataError, benchmarks, find_benchmark

OPERATIONS = ["gat", "gcn", "gin", "cheb", "sage", "arma", "graph", "fc", "skip"]  # as the package numbers them
LINKS = [
    [0, 0, 0, 0],
    [0, 0, 0, 1],
    [0, 0, 1, 1],
    [0, 0, 1, 2],
    [0, 0, 1, 3],
    [0, 1, 1, 1],
    [0, 1, 1, 2],
    [0, 1, 2, 2],
    [0, 1, 2, 3],
]  # of its nine trees: 0 is the input, n the node n


@pytest.mark.parametrize(("name", "rows", "operations"), [("cora", 26_206, 9), ("proteins", 2_021, 5)])
def test_graph_networks_are_those_of_the_package(name: str, rows: int, operations: int) -> None:
    table = ab.data.load(f"nas-bench-graph:{name}")
    entries = pickle.loads(find_benchmark("nas-bench-graph", f"{name}.bench").read_bytes())
    expected = {}
    for key, entry in entries.items():
        tree, rest = divmod(key, 10_000)
        nodes = [OPERATIONS[rest // 10**place % 10] for place in (3, 2, 1, 0)]
        text = "|".join(["".join(map(str, LINKS[tree])), *nodes])
        labels = entry["valid_perf"] * 100, entry["perf"] * 100, entry["latency"] * 1000, entry["para"]
        expected[text] = (labels, [[source - 1] * (source > 0) for source in LINKS[tree]])
    assert len(table) == len(expected) == rows and table.kind == "benchmark"
    assert list(table.labels) == ["acc", "test_acc", "latency", "params_m"]
    assert table.space.size == 9 * operations**4
    for architecture, labels in zip(table.architectures, table.labels.to_numpy(), strict=True):
        values, links = expected[str(architecture)]
        assert labels == pytest.approx(values) and [list(unit) for unit in architecture.links] == links


def test_every_graph_data_set_has_the_same_networks_and_sensible_labels() -> None:
    names = [name for name in benchmarks()["nas-bench-graph"].tables if name != "proteins"]
    first = ab.data.load(f"nas-bench-graph:{names[0]}")
    other = ab.data.load(f"nas-bench-graph:{names[-1]}")
    assert len(names) == 8 and other.architectures == first.architectures and other.sha256 != first.sha256
    for label, low, high in (("acc", 5, 95), ("test_acc", 1, 95), ("latency", 0.3, 200), ("params_m", 0.01, 9)):
        assert other.labels[label].between(low, high).all()


@pytest.fixture(scope="session")
def records(datasets: Path) -> list[dict[str, Any]]:
    """What stands in the JSON files of Accel-NASBench, by their numbers."""
    with tarfile.open(datasets / "accel-nasbench" / "anb_dataset_jsons.tar.gz") as archive:
        numbered = {}
        for member in archive:
            if (file := archive.extractfile(member)) is not None:
                numbered[int(member.name.split("_")[-1].removesuffix(".json"))] = json.load(file)
    return [numbered[number] for number in sorted(numbered)]


def mobile_text(e: list[int], k: list[int], depths: list[int], se: list[bool]) -> str:
    blocks = zip(e, k, se, depths, strict=True)
    return "|".join(f"e{e};k{k};se{int(se)};{','.join(['mbconv'] * depth)}" for e, k, se, depth in blocks)


def test_mobile_networks_are_those_of_the_files(records: list[dict[str, Any]], datasets: Path) -> None:
    table = ab.data.load("accel-nasbench", folder=datasets)
    expected = defaultdict(list)
    for record in records:
        chosen = record["architecture"]
        choices = [[chosen[f"block{block}_{name}"] for block in range(7)] for name in ("e", "k", "l", "se")]
        labels = {
            "acc": record["metrics"]["val_top1"],
            "flops_m": record["model_info"]["macs"],
            "params_m": record["model_info"]["params"],
        }
        for name, timed in record["platform_perf"].items():
            labels[name] = timed["latency_mean" if name.startswith("latency") else "throughput_mean"]
        expected[mobile_text(*choices)].append([np.nan if value is None else value for value in labels.values()])
    assert len(records) == 5_138 and len(table) == len(expected) == 5_125
    assert list(table.labels) == list(labels) == list(benchmarks()["accel-nasbench"].labels)
    for architecture, values in zip(table.architectures, table.labels.to_numpy(), strict=True):
        np.testing.assert_allclose(values, np.mean(expected[str(architecture)], axis=0))
    assert table.labels.isna().sum().to_dict() == dict.fromkeys(table.labels, 0) | {
        "latency_zcu102": 2, "latency_vck190": 2, "throughput_3090": 3, "throughput_tpuv2": 37, "throughput_tpuv3": 44,
        "throughput_zcu102": 2, "throughput_vck190": 2,
    }  # fmt: skip
    assert table.architectures[0].depths == tuple(records[0]["architecture"][f"block{block}_l"] for block in range(7))


def test_repeated_training_gives_the_ceiling_of_noise(datasets: Path) -> None:
    table = ab.data.load("accel-nasbench:repeats", folder=datasets)
    assert len(table) == 117 and list(table.labels)[:1] == ["acc_proxified_1"] and table.labels.shape[1] == 6
    for name in table.labels:
        regime, seed = name.removeprefix("acc_").split("_")
        rows = list(csv.reader((datasets / "accel-nasbench" / f"{regime}-seed{seed}.csv").read_text().splitlines()))
        assert table.labels[name].tolist() == [float(row[4]) for row in rows]
        numbers = [[int(cell) for cell in row[9:30]] for row in rows]
        gates = [[cell == "True" for cell in row[30:]] for row in rows]
        texts = [mobile_text(n[:7], n[7:14], n[14:], se) for n, se in zip(numbers, gates, strict=True)]
        assert [str(architecture) for architecture in table.architectures] == texts
    ranks = table.labels.corr("spearman").to_numpy()
    assert (ranks[:3, :3] > 0.99).all() and (ranks[3:, 3:] > 0.995).all() and ranks[:3, 3:].min() > 0.98
    measured = ab.data.load("accel-nasbench", folder=datasets)
    assert not set(measured.architectures) & set(table.architectures) and measured.space == table.space


def unzipped(path: Path) -> Any:
    with zipfile.ZipFile(path) as archive:
        return pickle.loads(archive.read(next(name for name in archive.namelist() if name.endswith("data.pkl"))))


def test_timed_networks_are_those_of_the_files(datasets: Path) -> None:
    table = ab.data.load("help-ofa", folder=datasets)
    devices = ("2080ti", "titan_rtx", "titan_xp", "v100")
    labels = [f"latency_{device}_{batch}" for device in devices for batch in (1, 32, 64)]
    assert list(table.labels) == [*labels, "flops_m"] and len(table) == 5_000
    assert table.space == ab.spaces.ofa_mbv3(range(128, 225, 4))
    networks = unzipped(datasets / "help-ofa" / "ofa_archs.pt")["arch"]
    for architecture, network in zip(table.architectures, networks, strict=True):
        units = []
        for unit, depth in enumerate(network["d"]):
            layers = range(4 * unit, 4 * unit + depth)
            units.append(",".join(f"e{network['e'][layer]}_k{network['ks'][layer]}" for layer in layers))
        assert str(architecture) == "|".join([f"resolution{network['r']}", *units])
    for label in labels:
        assert table.labels[label].tolist() == unzipped(datasets / "help-ofa" / f"{label}.pt")
    alone = ab.data.load("help-ofa:titan_rtx_1", folder=datasets)
    assert list(alone.labels) == ["latency_titan_rtx_1", "flops_m"] and alone.architectures == table.architectures
    assert alone.labels.equals(table.labels[list(alone.labels)])
    assert table.labels.flops_m.tolist() == (ab.networks.count_macs(table.architectures) / 1e6).tolist()


def test_a_space_that_is_given_takes_the_architectures_or_refuses() -> None:
    lists = {"".join(map(str, links)): [[source - 1] * (source > 0) for source in links] for links in LINKS[::-1]}
    space = ab.SequenceSpace("nas_bench_graph", [ab.Unit(1, 1)] * 4, {"op": OPERATIONS[::-1]}, links=lists)
    table = ab.data.load("nas-bench-graph:proteins", space)
    expected = ab.data.load("nas-bench-graph:proteins")
    assert table.space == space and [*map(str, table.architectures)] == [*map(str, expected.architectures)]
    with pytest.raises(DataError, match="nas-bench-graph:proteins"):
        ab.data.load("nas-bench-graph:proteins", ab.spaces.ofa_mbv3())
