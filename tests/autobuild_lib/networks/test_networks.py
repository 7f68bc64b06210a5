"""Networks against golden layer lists, and counts against golden numbers, real modules and hooks."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st
from torch import nn

import autobuild_lib as ab
from autobuild_lib.networks import blueprint, build, count_macs, count_parameters, has_networks
from autobuild_lib.networks.blueprint import round_to_eight

FAMILIES = {"mbv3": ab.spaces.ofa_mbv3((192, 208, 224)), "pn": ab.spaces.ofa_pn((192, 208, 224))}
NAMES = {"Hswish": "Hardswish", "Hsigmoid": "Hardsigmoid", "MyGlobalAvgPool2d": "AdaptiveAvgPool2d"}


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    """Each family."""
    return str(request.param)


@pytest.fixture
def golden(reference: Path, family: str) -> list[tuple[ab.Architecture, dict[str, Any]]]:
    """The reference networks of a family, with what is known about them."""
    records = json.loads((reference / "networks_golden.json").read_text())[family]
    return [(FAMILIES[family].from_lists(r["stages"], resolution=r["resolution"]), r) for r in records]


def on_meta(architecture: ab.Architecture) -> nn.Sequential:
    with torch.device("meta"):
        return build(architecture).eval()


def leaves(network: nn.Module, resolution: int) -> list[dict[str, Any]]:
    """What an image passes through, in order, in the form of the golden lists; a sum is called IdentityLayer."""
    found: list[dict[str, Any]] = []

    def note(module: nn.Module, given: tuple[torch.Tensor, ...], out: torch.Tensor) -> None:
        entry = {"type": type(module).__name__, "in": [*given[0].shape[1:]], "out": [*out.shape[1:]]}
        if isinstance(module, nn.Conv2d):
            entry |= {"kernel": [*module.kernel_size], "stride": [*module.stride], "groups": module.groups}
        if isinstance(module, nn.Conv2d | nn.Linear):
            entry["bias"] = module.bias is not None
        if getattr(module, "residual", False):
            entry = {"type": "IdentityLayer", "in": entry["out"], "out": entry["out"]}
        found.append(entry)

    for module in network.modules():
        if not [*module.children()] or getattr(module, "residual", False):
            module.register_forward_hook(note)
    network(torch.empty(1, 3, resolution, resolution, device="meta"))
    return found


def hooked_macs(network: nn.Module, resolution: int) -> int:
    """Multiply-adds from weights and output shapes, as the modules report them."""
    found = []

    def note(module: nn.Module, _: Any, out: torch.Tensor) -> None:
        found.append(module.weight[0].numel() * out[0].numel())

    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.register_forward_hook(note)
    network(torch.empty(1, 3, resolution, resolution, device="meta"))
    return sum(found)


def test_layers_are_those_of_the_reference(golden: list[tuple[ab.Architecture, dict[str, Any]]]) -> None:
    listed = [(architecture, record) for architecture, record in golden if "layers" in record]
    assert len(listed) == 2
    for architecture, record in listed:
        found = leaves(on_meta(architecture), record["resolution"])
        # The reference pools in front of a squeeze by a function, flattens by a view, and its PN pools to a vector.
        pools = [i for i, leaf in enumerate(found) if leaf["type"] == "AdaptiveAvgPool2d"]
        found = [leaf for i, leaf in enumerate(found) if i not in pools[:-1] and leaf["type"] != "Flatten"]
        wanted = [{**leaf, "type": NAMES.get(leaf["type"], leaf["type"])} for leaf in record["layers"]]
        (pool,) = (leaf for leaf in wanted if leaf["type"] == "AdaptiveAvgPool2d")
        pool["out"] = [pool["out"][0], 1, 1]
        assert found == wanted


def test_counts_are_those_of_the_reference(golden: list[tuple[ab.Architecture, dict[str, Any]]]) -> None:
    architectures, records = zip(*golden, strict=True)
    assert len(architectures) == 24 and {r["resolution"] for r in records} == {192, 208, 224}
    assert count_parameters(architectures).tolist() == [r["params"] for r in records]
    assert count_macs(architectures).tolist() == [r["macs"] for r in records]
    assert (count_parameters(architectures[0]), count_macs(architectures[0])) == (
        records[0]["params"], records[0]["macs"],
    )  # fmt: skip


@given(st.sampled_from(sorted(FAMILIES)), st.integers(0, 10**6))
def test_counts_are_those_of_the_module(family: str, seed: int) -> None:
    architecture = FAMILIES[family].sample(np.random.default_rng(seed))
    network = on_meta(architecture)
    assert count_parameters(architecture) == sum(p.numel() for p in network.parameters())
    assert count_macs(architecture) == hooked_macs(network, int(architecture.global_features["resolution"]))


def test_macs_of_a_layer_by_hand() -> None:
    space = ab.spaces.ofa_pn()
    stages = [["mbconv2_e3_k3"] * 2] * 5 + [["mbconv2_e3_k3"]]
    shallow = space.from_lists(stages)
    deeper = space.from_lists([*stages[:3], ["mbconv2_e3_k3"] * 2 + ["mbconv2_e6_k5"], *stages[4:]])
    width = 6 * 128  # at 14 x 14 pixels: 1x1 to 768 channels, 5x5 on each of them, 1x1 back to 128
    assert count_macs(deeper) - count_macs(shallow) == 14**2 * (128 * width + 25 * width + width * 128)
    assert count_parameters(deeper) - count_parameters(shallow) == 2 * 128 * width + 25 * width + 2 * (2 * width + 128)


def test_a_list_may_mix_families_and_resolutions() -> None:
    rng = np.random.default_rng(1)
    spaces = [*FAMILIES.values(), ab.spaces.ofa_mbv3(), ab.spaces.ofa_pn((192, 224))]
    drawn = [architecture for space in spaces for architecture in space.sample(rng, 3)]
    mixed = [drawn[i] for i in rng.permutation(len(drawn))]
    for count in (count_parameters, count_macs):
        assert count(mixed).tolist() == [count(architecture) for architecture in mixed]
        assert count(mixed).dtype == np.int64 and count([]).shape == (0,)
        assert type(count(mixed[0])) is int


def test_a_network_runs_learns_and_repeats(family: str) -> None:
    architecture = FAMILIES[family].sample(np.random.default_rng(0))
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    outputs = []
    for _ in range(2):
        torch.manual_seed(3)
        network = build(architecture)
        outputs.append(network(images))
    assert outputs[0].shape == (2, 1000) and torch.equal(*outputs)
    outputs[0].square().mean().backward()
    outputs[1].square().mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())
    assert [*dict(network.named_children())] == ["stem", "first", "units", "head", "classifier"]
    assert [len(unit) for unit in network.units] == [*architecture.depths]


def test_squeeze_and_excitation_reweights_channels() -> None:
    architecture = ab.spaces.ofa_mbv3().sample(np.random.default_rng(0))
    plan = blueprint(architecture).units[1][0]
    squeeze = ab.networks.modules.SqueezeExcitation(*plan.squeeze)
    restore = squeeze.weight[-2]
    nn.init.zeros_(restore.weight)
    with torch.no_grad():
        restore.bias.copy_(torch.linspace(-6, 6, len(restore.bias)))  # hard sigmoid: 0 below -3, 1 above 3
    x = torch.randn(2, len(restore.bias), 5, 5)
    wanted = (torch.linspace(-6, 6, len(restore.bias)) / 6 + 0.5).clamp(0, 1)
    torch.testing.assert_close(squeeze(x), x * wanted[:, None, None])


@pytest.mark.parametrize(("width", "wanted"), [(1, 8), (11, 16), (12, 16), (32, 32), (36, 40), (204, 208), (104, 104)])
def test_round_to_eight(width: int, wanted: int) -> None:
    assert round_to_eight(width) == wanted


def test_parts_of_a_family_have_its_networks() -> None:
    shallow = ab.SequenceSpace(
        "ofa_mbv3", [ab.Unit(2, 2, layer_features={"k": [7]})] * 5, {"op": ["mbconv3"], "e": [6, 3], "k": [3, 7]},
        {"resolution": [208, 192]},
    )  # fmt: skip
    assert has_networks(shallow)
    drawn = shallow.sample(np.random.default_rng(0), 10)
    whole = [FAMILIES["mbv3"].adopt(architecture) for architecture in drawn]
    assert [blueprint(a) for a in drawn] == [blueprint(a) for a in whole]
    assert count_macs(drawn).tolist() == count_macs(whole).tolist()


FEATURES: dict[str, Any] = {"op": ["mbconv3"], "e": [3, 4, 6], "k": [3, 5, 7]}
RESOLUTION = {"resolution": [224]}
OTHERS = {
    "another name": ab.SequenceSpace("mine", [ab.Unit(2, 4)] * 5, FEATURES, RESOLUTION),
    "another unit": ab.SequenceSpace("ofa_mbv3", [ab.Unit(2, 4)] * 6, FEATURES, RESOLUTION),
    "deeper": ab.SequenceSpace("ofa_mbv3", [ab.Unit(2, 5)] * 5, FEATURES, RESOLUTION),
    "another kernel": ab.SequenceSpace("ofa_mbv3", [ab.Unit(2, 4)] * 5, FEATURES | {"k": [3, 9]}, RESOLUTION),
    "another order": ab.SequenceSpace("ofa_mbv3", [ab.Unit(2, 4)] * 5, dict([*FEATURES.items()][::-1]), RESOLUTION),
    "another image": ab.SequenceSpace("ofa_mbv3", [ab.Unit(2, 4)] * 5, FEATURES, {"resolution": [162]}),
    "no image": ab.SequenceSpace("ofa_mbv3", [ab.Unit(2, 4)] * 5, FEATURES),
    "unit features": ab.SequenceSpace("ofa_mbv3", [ab.Unit(2, 4, {"w": [1]})] * 5, FEATURES, RESOLUTION),
}


@pytest.mark.parametrize("case", OTHERS)
def test_architectures_of_other_spaces_are_refused_in_one_line(case: str) -> None:
    architecture = OTHERS[case].sample(np.random.default_rng(0))
    assert not has_networks(OTHERS[case])
    for call in (build, blueprint, count_macs, count_parameters, lambda a: count_macs([a])):
        with pytest.raises(ab.SpaceError, match=r"no networks .* '\w+'; .*ofa_mbv3") as caught:
            call(architecture)
        assert "\n" not in str(caught.value) and len(str(caught.value)) < 200
