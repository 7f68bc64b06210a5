"""The space of U-Nets: its size, its architectures, and what they cost."""

import json

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import autobuild_lib as ab
from autobuild_book.chapters.diffusion.task.space import Stage, costs, costs_of_codes, stages, unet_space
from autobuild_book.chapters.diffusion.task.unet import Attention, UNet, waves


def uniform(width: int, blocks: int, attention: str) -> ab.Architecture:
    stage = {"width": width, "attention": attention, "layers": ["residual"] * blocks}
    return unet_space().architecture([stage] * 5)


SAMPLE = [*unet_space().sample(np.random.default_rng(1), 12), uniform(16, 1, "no"), uniform(48, 3, "yes")]


def test_five_stages_of_eighteen_choices() -> None:
    space = unet_space()
    assert space.size == 18**5 == 1_889_568
    assert [codec.size for codec in space.codecs] == [18] * 5
    assert [group.units for group in space.scoring_groups] == [(0,), (1,), (2,), (3,), (4,)]


def test_no_special_case_the_space_is_data() -> None:
    described = json.loads(json.dumps(unet_space().to_json()))
    assert ab.SequenceSpace.from_json(described) == unet_space()
    for architecture in SAMPLE:
        assert unet_space().parse(str(architecture)) == architecture


def test_stages_of_an_architecture() -> None:
    text = "width16;no;residual|width48;yes;residual,residual,residual" + "|width32;no;residual" * 3
    assert stages(unet_space().parse(text))[:3] == (Stage(16, 1, False), Stage(48, 3, True), Stage(32, 1, False))


def test_an_architecture_of_another_space_is_refused(toy: ab.SequenceSpace) -> None:
    other = toy.sample(np.random.default_rng(0))
    with pytest.raises(ab.SpaceError, match="toy"):
        stages(other)
    with pytest.raises(ab.SpaceError, match="toy"):
        costs([other])


def test_costs_are_those_of_the_built_networks() -> None:
    found = costs(SAMPLE)
    for architecture, (macs, parameters) in zip(SAMPLE, found.to_numpy(), strict=True):
        network = UNet(architecture)
        assert parameters == sum(p.numel() for p in network.parameters())
        pixels = torch.zeros(1, 1, 8, 8)
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            network(pixels, pixels, pixels, torch.zeros(1))
        assert 2 * macs == counter.get_total_flops()


def test_costs_of_many_at_once_are_those_of_each() -> None:
    codes = unet_space().to_codes(SAMPLE)
    assert costs_of_codes(codes).equals(costs(SAMPLE))
    assert [costs([a]).iloc[0].tolist() for a in SAMPLE] == costs(SAMPLE).to_numpy().tolist()


# -------------------------------------------------------------------- networks


@pytest.mark.parametrize("architecture", SAMPLE[-3:], ids=str)
def test_shapes_and_every_weight_learns(architecture: ab.Architecture) -> None:
    torch.manual_seed(0)
    network = UNet(architecture)
    velocity = network(*torch.randn(3, 5, 1, 8, 8), torch.rand(5))
    assert velocity.shape == (5, 1, 8, 8)
    velocity.square().sum().backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0] == []


def test_attention_stands_behind_every_block_of_its_stages_only() -> None:
    network = UNet(unet_space().parse("width32;yes;residual,residual|" + "|".join(["width16;no;residual"] * 4)))
    assert sum(isinstance(m, Attention) for m in network.modules()) == 2 == len(network.d1.blocks)


def test_attention_is_that_of_pytorch() -> None:
    torch.manual_seed(0)
    ours, theirs = Attention(16), torch.nn.MultiheadAttention(16, 1, batch_first=True)
    theirs.in_proj_weight.data, theirs.in_proj_bias.data = (p.data for p in ours.queries_keys_values.parameters())
    theirs.out_proj.weight.data, theirs.out_proj.bias.data = (p.data for p in ours.output.parameters())
    x = torch.randn(3, 16, 4, 4)
    tokens = ours.norm(x).flatten(2).transpose(1, 2)
    expected = x + theirs(tokens, tokens, tokens)[0].transpose(1, 2).reshape(3, 16, 4, 4)
    torch.testing.assert_close(ours(x), expected)


def test_images_of_a_batch_do_not_see_each_other() -> None:
    network = UNet(SAMPLE[0]).eval()
    given, times = torch.randn(3, 4, 1, 8, 8), torch.rand(4)
    together = network(*given, times)
    alone = torch.cat([network(*given[:, [i]], times[[i]]) for i in range(4)])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


def test_the_network_knows_the_time() -> None:
    network, pixels = UNet(SAMPLE[0]).eval(), torch.zeros(1, 1, 8, 8)
    assert not torch.allclose(*(network(pixels, pixels, pixels, torch.tensor([t])) for t in (0.1, 0.2)))
    embedded = waves(torch.linspace(0, 1, 101))
    assert embedded.shape == (101, 32) and torch.cdist(embedded, embedded).fill_diagonal_(9).min() > 0.1
