"""The space of backbones, what they cost, and the elastic network whose parts they are."""

import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import autobuild_lib as ab
from autobuild_book.chapters.panoptic.task.network import (
    DepthwiseConvolution,
    PanopticNetwork,
    Prediction,
    SharedConvolution,
    as_input,
    calibrate,
)
from autobuild_book.chapters.panoptic.task.space import (
    Layer,
    backbone_space,
    contains,
    costs,
    costs_of_codes,
    largest,
    smallest,
    stages,
)

SAMPLE = [largest(), smallest(), *backbone_space().sample(np.random.default_rng(1), 8)]
TEXT = "e3_k3,e6_k7|e4_k5,e3_k7,e6_k3|" + "|".join(["e3_k3,e3_k3"] * 2) + "|e6_k7,e6_k5,e4_k3,e3_k5"


# -------------------------------------------------------------------- the space


def test_the_grammar_is_the_papers() -> None:
    space = backbone_space()
    assert [codec.size for codec in space.codecs] == [9**2 + 9**3 + 9**4] * 5 and len(space.scoring_groups) == 5
    assert ab.SequenceSpace.from_json(json.loads(json.dumps(space.to_json()))) == space
    family = ab.spaces.ofa_mbv3()
    assert [codec.size for codec in family.codecs] == [codec.size for codec in space.codecs]
    for architecture in SAMPLE:
        assert space.parse(str(architecture)) == architecture


def test_stages_of_an_architecture() -> None:
    found = stages(backbone_space().parse(TEXT))
    assert found[0] == (Layer(3, 3), Layer(6, 7)) and found[1] == (Layer(4, 5), Layer(3, 7), Layer(6, 3))
    assert [len(layers) for layers in found] == [2, 3, 2, 2, 4]


def test_what_contains_what() -> None:
    middle = stages(backbone_space().parse(TEXT))
    assert contains(stages(largest()), middle) and contains(middle, stages(smallest())) and contains(middle, middle)
    assert not contains(middle, stages(largest())) and not contains(stages(smallest()), middle)
    for change in ("e4_k3", "e3_k5", "e3_k3,e3_k3"):  # larger in one respect only
        other = str(smallest()).replace("e3_k3", change, 1)
        assert not contains(stages(smallest()), stages(backbone_space().parse(other)))


def test_costs_are_those_of_the_built_networks() -> None:
    for architecture, (macs, parameters) in zip(SAMPLE, costs(SAMPLE).to_numpy(), strict=True):
        network = PanopticNetwork(architecture).eval()
        assert parameters == sum(p.numel() for p in network.parameters())
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            network(torch.zeros(1, 3, 64, 64))
        assert 2 * macs == counter.get_total_flops()


def test_costs_are_those_that_hooks_count_in_a_part_of_the_supernet() -> None:
    supernet, counted = PanopticNetwork(largest()).eval(), 0

    def shared(module: SharedConvolution, given: tuple[Tensor, ...], y: Tensor) -> None:
        nonlocal counted
        inputs, outputs, kernel = [given[0].shape[1], *given[1:], 1][:3]
        counted += module.part(inputs, outputs, kernel).numel() * y[0, 0].numel()

    def plain(module: nn.Conv2d, _: object, y: Tensor) -> None:
        nonlocal counted
        counted += module.weight.numel() * y[0, 0].numel()

    for module in supernet.modules():
        if isinstance(module, SharedConvolution | nn.Conv2d):
            module.register_forward_hook(shared if isinstance(module, SharedConvolution) else plain)  # type: ignore[arg-type]
    for architecture in SAMPLE[1:4]:
        counted = 0
        supernet(torch.zeros(1, 3, 64, 64), architecture)
        assert counted == costs([architecture])["macs"].iloc[0]


def test_costs_of_many_at_once_are_those_of_each() -> None:
    codes = backbone_space().to_codes(SAMPLE)
    assert costs_of_codes(codes).equals(costs(SAMPLE))
    assert [costs([a]).iloc[0].tolist() for a in SAMPLE] == costs(SAMPLE).to_numpy().tolist()
    macs = costs(SAMPLE)["macs"]
    assert macs.max() == macs[0] and macs.min() == macs[1] and macs[0] > 3 * macs[1]


def test_an_architecture_of_another_space_is_refused(toy: ab.SequenceSpace) -> None:
    other = toy.sample(np.random.default_rng(0))
    for refuse in (stages, PanopticNetwork, lambda a: costs([a]), PanopticNetwork(smallest()).extract):
        with pytest.raises(ab.SpaceError, match="toy"):
            refuse(other)


# -------------------------------------------------------------------- layers


@pytest.mark.parametrize("kernel", [3, 5, 7])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_the_fast_gradient_is_that_of_pytorch(kernel: int, stride: int, layout: torch.memory_format) -> None:
    torch.manual_seed(0)
    x = torch.randn(3, 5, 8, 8, dtype=torch.float64).contiguous(memory_format=layout).requires_grad_()
    weight = torch.randn(5, 1, kernel, kernel, dtype=torch.float64, requires_grad=True)
    ours = DepthwiseConvolution.apply(x, weight, stride)
    theirs = F.conv2d(x, weight, None, stride, kernel // 2, groups=5)
    assert torch.equal(ours, theirs)
    given = torch.randn_like(ours)
    for a, b in zip(*(torch.autograd.grad(y, (x, weight), given) for y in (ours, theirs)), strict=True):
        torch.testing.assert_close(a, b)


def test_a_part_is_the_first_channels_and_the_centre_of_the_kernel() -> None:
    whole = SharedConvolution(4, 6, kernel=5)
    assert torch.equal(whole.part(2, 3, 3), whole.weight[:3, :2, 1:4, 1:4])
    separate = SharedConvolution(6, 6, kernel=7, depthwise=True)
    assert torch.equal(separate.part(3, 3, 5), separate.weight[:3, :, 1:6, 1:6])


# -------------------------------------------------------------------- the network


def images(count: int = 4, seed: int = 0) -> Tensor:
    torch.manual_seed(seed)
    return torch.randn(count, 3, 64, 64).contiguous(memory_format=torch.channels_last)


def shaken(architecture: ab.Architecture) -> PanopticNetwork:
    """A network in which every weight matters, those that begin as zero included."""
    torch.manual_seed(1)
    network = PanopticNetwork(architecture)
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(0.3 * torch.randn_like(weight))
    return network


def fields(given: Prediction) -> tuple[Tensor, ...]:
    return given.classes, given.centres, given.offsets


@pytest.mark.parametrize("architecture", SAMPLE[1:5], ids=str)
def test_a_part_is_the_same_network_built_alone_with_its_weights(architecture: ab.Architecture) -> None:
    supernet = shaken(largest())
    alone = supernet.extract(architecture)
    assert alone.stages == stages(architecture) and set(alone.state_dict()) <= set(supernet.state_dict())
    built = PanopticNetwork(architecture)
    built.load_state_dict(alone.state_dict())
    found = [supernet(images(), architecture), alone(images()), built(images())]
    for a, b, c in zip(*map(fields, found), strict=True):
        assert torch.equal(a, b) and torch.equal(b, c)
    with torch.no_grad():
        alone.stem.weight.zero_()
    assert supernet.stem.weight.abs().sum() > 0  # a copy


def test_a_part_of_a_part_is_a_part() -> None:
    supernet, middle = shaken(largest()), backbone_space().parse(TEXT)
    direct, indirect = supernet.extract(smallest()), supernet.extract(middle).extract(smallest())
    assert all(torch.equal(a, b) for a, b in zip(direct.parameters(), indirect.parameters(), strict=True))


def test_a_part_trains_its_own_weights_only() -> None:
    supernet = shaken(largest())
    sum(part.square().sum() for part in fields(supernet(images(), smallest()))).backward()
    block = supernet.units[0][0]
    assert block.expand.weight.grad[:24].abs().sum(1).gt(0).all() and not block.expand.weight.grad[24:].any()
    inner = block.depthwise.weight.grad[:24, 0, 2:5, 2:5]
    assert inner.abs().sum((1, 2)).gt(0).all()
    assert block.depthwise.weight.grad.abs().sum().item() == pytest.approx(inner.abs().sum().item())
    assert supernet.units[0][2].expand.weight.grad is None


@pytest.mark.parametrize("architecture", [largest(), smallest()], ids=["largest", "smallest"])
def test_shapes_and_every_weight_learns(architecture: ab.Architecture) -> None:
    network = shaken(architecture)
    predicted = network(images(3))
    assert [tuple(part.shape) for part in fields(predicted)] == [(3, 8, 32, 32), (3, 32, 32), (3, 2, 32, 32)]
    sum(part.square().sum() for part in fields(predicted)).backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0] == []


def test_residual_layers_begin_as_the_identity() -> None:
    network = PanopticNetwork(largest())
    x = torch.rand(2, 8, 16, 16)
    assert torch.equal(network.units[0][1](x, 6, 7), x) and not network.units[0][0].residual
    assert [block.residual for block in network.units[1]] == [True] * 4  # width and resolution stay
    assert [block.residual for block in network.units[4]] == [False] + [True] * 3


def test_a_part_that_is_none_is_refused() -> None:
    network = PanopticNetwork(smallest())
    for use in (network.extract, lambda a: network(images(1), a)):
        with pytest.raises(ValueError, match=r"e6_k7.*not a part .* e3_k3"):
            use(largest())


def test_images_do_not_see_each_other_when_evaluated_and_do_when_trained() -> None:
    network = calibrate(shaken(smallest()), images(8, 5))
    together, alone = network(images(3)), [network(images(3)[[i]]) for i in range(3)]
    for i, part in enumerate(fields(together)):
        torch.testing.assert_close(part, torch.cat([fields(one)[i] for one in alone]), rtol=1e-3, atol=1e-3)
    network.train()
    assert not torch.allclose(network(images(3)).classes[:1], network(images(3)[:1]).classes, atol=1e-2)


def test_calibration_takes_the_statistics_of_its_batch() -> None:
    network = shaken(smallest())
    batch = images(16, 3)
    calibrated = calibrate(network, batch)
    raw = F.conv2d(batch, network.stem.weight, None, 2, 1)
    torch.testing.assert_close(calibrated.stem.mean, raw.mean((0, 2, 3)), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(calibrated.stem.variance, raw.var((0, 2, 3)), rtol=1e-4, atol=1e-5)
    assert not calibrated.training
    evaluated, trained = calibrated(batch).classes, network.train()(batch).classes
    assert (evaluated - trained).abs().mean() < 0.02 * trained.std()  # the same statistics but for n - 1
    assert not torch.equal(calibrate(network, images(16, 4))(batch).classes, evaluated)
    before = calibrate(network, batch)(batch).classes
    assert torch.equal(before, evaluated)  # nothing is left of the batch in between


def test_bytes_become_numbers_about_zero() -> None:
    given = torch.tensor([0, 128, 255], dtype=torch.uint8).reshape(1, 1, 1, 3).repeat(2, 64, 64, 1)
    found = as_input(given)
    assert found.shape == (2, 3, 64, 64) and found.is_contiguous(memory_format=torch.channels_last)
    assert found[0, :, 0, 0].tolist() == [-2, 0, 127 / 64]
