"""Networks cut out of supernets: parts of weights by hand, counts, names of files, and hostile files."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import autobuild_lib as ab
from autobuild_lib.networks import Supernet, build, count_parameters
from autobuild_lib.networks.supernet import _name
from autobuild_lib.spaces import SpaceError
from tests.helpers.supernet_files import LAYOUTS, in_older_names, random_state, write_supernet

State = dict[str, Tensor]
SMALL = "resolution128|e3_k3,e3_k3|e3_k5,e4_k3|e3_k3,e3_k3|e3_k3,e3_k3|e3_k3,e3_k3"


@pytest.fixture(scope="module", params=LAYOUTS)
def kind(request: pytest.FixtureRequest) -> str:
    """Each published supernet."""
    return str(request.param)


@pytest.fixture(scope="module")
def state(kind: str) -> State:
    """Its weights."""
    return random_state(kind)


@pytest.fixture(scope="module")
def supernet(kind: str, state: State, tmp_path_factory: pytest.TempPathFactory) -> Supernet:
    """The supernet, read from its file."""
    return Supernet.load(write_supernet(tmp_path_factory.mktemp("supernet") / kind, state))


@pytest.fixture(scope="module")
def narrow() -> State:
    """Weights of the smallest supernet; tests give a changed copy to `load`."""
    return random_state("mbv3_w1.0", classes=4)


@pytest.fixture
def load(tmp_path: Path, narrow: State) -> Callable[[State], Supernet]:
    """Load the smallest supernet with some of its weights replaced."""
    return lambda changes: Supernet.load(write_supernet(tmp_path / "changed", narrow | changes))


def drawn(supernet: Supernet, count: int, seed: int = 0) -> list[ab.Architecture]:
    return supernet.space.from_codes(supernet.space.sample_codes(np.random.default_rng(seed), count))


class TestSubnet:
    def test_it_has_the_layers_of_the_built_network(self, kind: str, supernet: Supernet) -> None:
        for architecture in drawn(supernet, 4):
            subnet, built = supernet.subnet(architecture), build(architecture)
            assert subnet.state_dict().keys() == built.state_dict().keys() and not subnet.training
            assert [type(m) for m in subnet.modules()] == [type(m) for m in built.modules()]
            parameters = sum(p.numel() for p in subnet.parameters())
            if kind == "mbv3_w1.0":
                assert parameters < count_parameters(architecture)
            else:
                assert parameters == count_parameters(architecture)

    def test_images_become_scores(self, supernet: Supernet) -> None:
        (architecture,) = drawn(supernet, 1)
        side = int(str(architecture).partition("|")[0].removeprefix("resolution"))
        scores = supernet.subnet(architecture)(torch.randn(2, 3, side, side))
        assert scores.shape == (2, 1000) and scores.isfinite().all() and scores.std() > 0.01

    def test_depth_takes_the_first_layers(self, kind: str, supernet: Supernet, state: State) -> None:
        architecture = supernet.space.parse(SMALL + ("|e3_k3" if kind.startswith("proxyless") else ""))
        subnet = supernet.subnet(architecture)
        for unit, blocks in enumerate(subnet.units):
            for index, block in enumerate(blocks):
                name = f"blocks.{1 + 4 * unit + index}.conv.point_linear.bn.bn.running_mean"
                assert torch.equal(block.body[-1].running_mean, state[name])

    def test_channels_are_the_first(self, kind: str, supernet: Supernet, state: State) -> None:
        architecture = supernet.space.parse(SMALL + ("|e3_k3" if kind.startswith("proxyless") else ""))
        block, name = supernet.subnet(architecture).units[1][1], "blocks.6.conv"  # expansion 4 of 6
        width = 4 * LAYOUTS[kind].units[1]
        assert torch.equal(block.body[0].weight, state[f"{name}.inverted_bottleneck.conv.conv.weight"][:width])
        assert torch.equal(block.body[1].bias, state[f"{name}.inverted_bottleneck.bn.bn.bias"][:width])
        assert torch.equal(block.body[4].running_var, state[f"{name}.depth_conv.bn.bn.running_var"][:width])
        assert torch.equal(block.body[-2].weight, state[f"{name}.point_linear.conv.conv.weight"][:, :width])
        if LAYOUTS[kind].squeezed:
            reduced = {160: 40, 192: 48}[width]  # a quarter, which is a multiple of eight
            _, reduce, _, restore, _ = block.body[6].weight
            assert torch.equal(reduce.weight, state[f"{name}.depth_conv.se.fc.reduce.weight"][:reduced, :width])
            assert torch.equal(restore.weight, state[f"{name}.depth_conv.se.fc.expand.weight"][:width, :reduced])
            assert torch.equal(restore.bias, state[f"{name}.depth_conv.se.fc.expand.bias"][:width])

    def test_what_all_networks_share_is_whole(self, kind: str, supernet: Supernet, state: State) -> None:
        subnet = supernet.subnet(drawn(supernet, 1)[0])
        assert torch.equal(subnet.stem[0].weight, state["first_conv.conv.weight"])
        assert torch.equal(subnet.first.body[0].weight, state["blocks.0.conv.depth_conv.conv.weight"])
        assert torch.equal(subnet.classifier.bias, state["classifier.linear.bias"])
        last = "final_expand_layer" if LAYOUTS[kind].mixed else "feature_mix_layer"
        assert torch.equal(subnet.head[1].weight, state[f"{last}.bn.weight"])

    def test_moments_are_divided_as_in_training(self, kind: str, supernet: Supernet) -> None:
        epsilons = {m.eps for m in supernet.subnet(drawn(supernet, 1)[0]).modules() if hasattr(m, "eps")}
        assert epsilons == {1e-3 if kind.startswith("proxyless") else 1e-5}

    def test_it_is_a_copy_and_draws_nothing(self, supernet: Supernet) -> None:
        (architecture,) = drawn(supernet, 1)
        before = torch.get_rng_state()
        first = supernet.subnet(architecture)
        with torch.no_grad():
            for parameter in first.parameters():
                parameter.zero_()
        second = supernet.subnet(architecture)
        assert torch.equal(torch.get_rng_state(), before)
        assert all(p.requires_grad for p in second.parameters())
        assert all(p.abs().sum() > 0 for p in second.parameters())

    def test_another_family_is_refused(self, supernet: Supernet) -> None:
        other = ab.spaces.ofa_pn() if supernet.space.name == "ofa_mbv3" else ab.spaces.ofa_mbv3()
        for space in (other, ab.SequenceSpace("ofa", [ab.Unit(1, 2)], {"op": ["a", "b"]})):
            (architecture,) = space.from_codes(space.sample_codes(np.random.default_rng(0), 1))
            with pytest.raises(SpaceError):
                supernet.subnet(architecture)


class TestKernels:
    """A kernel of 7 x 7 that counts from 0 to 48: its centre of 5 x 5 begins 8, 9, 10; that of 3 x 3, 16, 17, 18."""

    LAYER = "blocks.5.conv.depth_conv.conv"  # the first of the second unit, kernel 5 in SMALL

    def kernel(self, load: Callable[[State], Supernet], side: int, seven: Tensor, five: Tensor) -> Tensor:
        counted = torch.arange(49.0).view(1, 1, 7, 7).repeat(144, 1, 1, 1)
        changes = {"conv.weight": counted, "7to5_matrix": seven, "5to3_matrix": five}
        supernet = load({f"{self.LAYER}.{name}": weights for name, weights in changes.items()})
        text = SMALL.replace("e3_k5", f"e3_k{side}")
        kernels: Tensor = supernet.subnet(supernet.space.parse(text)).units[1][0].body[3].weight
        assert kernels.shape == (72, 1, side, side) and torch.equal(kernels, kernels[:1].expand_as(kernels))
        return kernels[0, 0]

    def test_the_largest_is_not_changed(self, load: Callable[[State], Supernet]) -> None:
        kernel = self.kernel(load, 7, torch.zeros(25, 25), torch.zeros(9, 9))
        assert torch.equal(kernel, torch.arange(49.0).view(7, 7))

    def test_the_middle_one_is_the_centre_times_a_matrix(self, load: Callable[[State], Supernet]) -> None:
        kernel = self.kernel(load, 5, 2 * torch.eye(25), torch.zeros(9, 9))
        assert kernel[0].tolist() == [16, 18, 20, 22, 24] and kernel[4, 4] == 80

    def test_the_smallest_is_made_from_the_middle_one(self, load: Callable[[State], Supernet]) -> None:
        kernel = self.kernel(load, 3, 2 * torch.eye(25), 3 * torch.eye(9))
        assert kernel.tolist() == [[96, 102, 108], [138, 144, 150], [180, 186, 192]]

    def test_rows_of_the_matrix_are_places_of_the_smaller_kernel(self, load: Callable[[State], Supernet]) -> None:
        seven = torch.zeros(25, 25)
        seven[1, 24] = 1  # the second number is the last of the centre
        kernel = self.kernel(load, 5, seven, torch.zeros(9, 9))
        assert kernel[0, 1] == 40 and kernel.count_nonzero() == 1


class TestFiles:
    def test_family_and_width_follow_from_the_shapes(self, kind: str, supernet: Supernet) -> None:
        assert supernet.space.name == ("ofa_pn" if kind.startswith("proxyless") else "ofa_mbv3")
        assert supernet.classes == 1000
        assert supernet.family.stem == LAYOUTS[kind].stem
        assert [stage.width for stage in supernet.family.stages] == [*LAYOUTS[kind].units]

    def test_names_of_all_files_are_understood(self, narrow: State, tmp_path: Path) -> None:
        plain = {name: weight for name, weight in narrow.items() if not name.endswith("num_batches_tracked")}
        bare = {
            name.replace(".conv.conv.", ".conv.").replace("bn.bn.", "bn."): weight for name, weight in plain.items()
        }
        torch.save(bare, tmp_path / "bare")
        older = write_supernet(tmp_path / "older", in_older_names(narrow), zipped=False)
        usual = write_supernet(tmp_path / "usual", narrow)
        weights = [Supernet.load(path).weights for path in (usual, older, tmp_path / "bare")]
        for other in weights[1:]:
            assert other.keys() == weights[0].keys()
            assert all(torch.equal(other[name], weights[0][name]) for name in other)

    @pytest.mark.parametrize(
        "change",
        [
            {"blocks.3.conv.depth_conv.conv.5to3_matrix": torch.eye(8)},
            {"blocks.3.conv.point_linear.bn.bn.bias": torch.full((24,), torch.nan)},
            {"blocks.3.conv.point_linear.bn.bn.bias": torch.zeros(24, dtype=torch.float64)},
            {"blocks.3.conv.point_linear.bn.bn.bias": torch.zeros(24).to_sparse()},
            {"blocks.3.conv.point_linear.bn.bn.bias": [0.0] * 24},
            {"blocks.0.conv.depth_conv.conv.7to5_matrix": torch.eye(25)},
            {"blocks.21.conv.point_linear.bn.bn.bias": torch.zeros(24)},
            {"first_conv.conv.weight": torch.zeros(17, 3, 3, 3)},
            {"classifier.linear.weight": torch.zeros(0, 1280)},
            {"classifier.linear.weight": torch.zeros(5, 1280)},
            {"classifier.linear.weight": torch.tensor(1.0)},
            {7: torch.zeros(1)},
        ],
        ids=lambda change: f"{next(iter(change))}",
    )
    def test_wrong_weights_are_one_line(self, load: Callable[[Any], Supernet], change: dict[Any, Any]) -> None:
        with pytest.raises(ValueError, match="changed") as error:
            load(change)
        assert "\n" not in str(error.value)

    @pytest.mark.parametrize(
        ("name", "change", "fault"),
        [
            ("first_conv.bn.weight", lambda tensor: tensor.to("meta"), "no numbers"),
            ("blocks.3.depth_conv.conv.weight", lambda tensor: tensor.to("meta"), "no numbers"),
            ("blocks.3.depth_conv.bn.running_var", lambda tensor: -tensor, "numbers below zero"),
            ("first_conv.bn.running_var", lambda tensor: tensor.index_fill(0, torch.tensor([7]), -1e-30), "below zero"),
            ("blocks.3.depth_conv.bn.running_mean", lambda tensor: tensor / 0, "non-finite numbers"),
        ],
    )
    def test_numbers_that_cannot_be_name_their_tensor(
        self, narrow: State, tmp_path: Path, name: str, change: Callable[[Tensor], Tensor], fault: str
    ) -> None:
        (published,) = [key for key in narrow if _name(key) == name]
        path = write_supernet(tmp_path / "changed", narrow | {published: change(narrow[published])})
        with pytest.raises(ValueError, match=re.escape(f"{path}: {name} has ") + f".*{fault}") as error:
            Supernet.load(path)
        assert type(error.value) is ValueError and "\n" not in str(error.value)

    @pytest.mark.parametrize(
        ("old", "new"), [(".conv.depth_conv", ".mobile_inverted_conv.depth_conv"), (".conv.weight", ".weight")]
    )
    @pytest.mark.parametrize("is_copy", [False, True])
    def test_two_names_of_one_weight_are_refused(
        self, narrow: State, load: Callable[[State], Supernet], old: str, new: str, is_copy: bool
    ) -> None:
        name = "blocks.3.conv.depth_conv.conv.conv.weight"
        twin = name.replace(old, new)
        with pytest.raises(ValueError, match="changed") as error:
            load({twin: narrow[name] if is_copy else narrow[name] + 1})
        assert name in str(error.value) and twin in str(error.value) and "\n" not in str(error.value)

    def test_a_wrapper_of_another_name_is_unknown(self, narrow: State, tmp_path: Path) -> None:
        name = "blocks.3.conv.depth_conv.conv.conv.weight"
        other = {key: weight for key, weight in narrow.items() if key != name}
        other[name.replace(".conv.depth", ".convolution.depth")] = narrow[name]
        with pytest.raises(ValueError, match=r"weights are missing: blocks\.3\.depth_conv\.conv\.weight"):
            Supernet.load(write_supernet(tmp_path / "other", other))

    def test_missing_weights_are_named(self, narrow: State, tmp_path: Path) -> None:
        for missing in ("blocks.8.conv.depth_conv.se.fc.reduce.bias", "first_conv.conv.weight"):
            kept = {name: weight for name, weight in narrow.items() if name != missing}
            with pytest.raises(ValueError, match=missing.removeprefix("blocks.8.conv.").removesuffix(".weight")):
                Supernet.load(write_supernet(tmp_path / "part", kept))

    @pytest.mark.parametrize("content", [[1], 5, {}, {"state_dict": 5}, {"state_dict": None}, torch.zeros(3)])
    def test_other_content_is_refused(self, tmp_path: Path, content: object) -> None:
        torch.save(content, tmp_path / "other")
        with pytest.raises(ValueError, match="other"):
            Supernet.load(tmp_path / "other")

    def test_damage_is_noticed_and_nothing_is_run(self, tmp_path: Path, narrow: State) -> None:
        whole = write_supernet(tmp_path / "whole", narrow).read_bytes()
        for content in (b"", b"text", whole[:1000], whole[: len(whole) // 2]):
            (tmp_path / "damaged").write_bytes(content)
            with pytest.raises(ValueError, match="damaged"):
                Supernet.load(tmp_path / "damaged")
        torch.save({"state_dict": _Code(str(tmp_path / "made"))}, tmp_path / "code")
        with pytest.raises(ValueError, match="code"):
            Supernet.load(tmp_path / "code")
        assert not (tmp_path / "made").exists()

    def test_no_file_is_an_os_error(self, tmp_path: Path) -> None:
        for path in (tmp_path / "none", tmp_path):
            with pytest.raises(OSError, match=path.name):
                Supernet.load(path)


class _Code:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (self.path,)
