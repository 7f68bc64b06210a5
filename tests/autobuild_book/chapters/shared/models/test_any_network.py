"""Zero-cost proxies of networks that are none of ours: layers, results and activations of any kind."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from autobuild_book.chapters.shared.models.proxies import Passes, measure_proxies, measures
from tests.helpers.proxy_networks import SMALL, Returns, plain, seeded, small


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.patch, self.attention = nn.Conv2d(3, 8, 4, 4), nn.MultiheadAttention(8, 2, batch_first=True)
        self.mlp, self.head = nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 8)), nn.Linear(8, 10)

    def forward(self, images: Tensor) -> Tensor:
        x = self.patch(images).flatten(2).transpose(1, 2)  # [N, 4, 8]
        return self.head(self.mlp(self.attention(x, x, x)[0]).mean(1))


@pytest.mark.parametrize("extra", [nn.Dropout(0.2), nn.Dropout2d(), nn.RReLU()])
def test_the_same_numbers_though_a_network_draws(extra: nn.Module) -> None:
    network, state = seeded(lambda: small(extra)), torch.get_rng_state()
    found = measure_proxies(network, 8, 4, seed=2)
    assert torch.equal(torch.get_rng_state(), state) and not found.reasons
    torch.manual_seed(99)
    assert measure_proxies(network, 8, 4, seed=2) == found


KINDS = [nn.GELU, nn.SiLU, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.SELU, nn.Mish, nn.Tanh, lambda: nn.SiLU(inplace=True)]


@pytest.mark.parametrize("kind", KINDS)
def test_activations_of_any_kind(kind: Callable[[], nn.Module]) -> None:
    found = measure_proxies(seeded(lambda: small(activation=kind)), 8, 4)
    assert not found.reasons
    assert found["synflow"] == measure_proxies(seeded(small), 8, 4)["synflow"]  # rectifiers are left out there


@pytest.mark.parametrize(
    "made",
    [lambda s: s, lambda s: (s, s.mean()), lambda s: {"out": s, "x": 1}, lambda s: s[:, :, None].expand(-1, -1, 2)],
)
def test_results_of_any_form_and_branches_without_use(made: Callable[[Tensor], Any]) -> None:
    found, plain = measure_proxies(Returns(made), 8, 4), measure_proxies(Returns(lambda s: s).body, 8, 4)
    assert not found.reasons
    assert found["parameters"] == plain["parameters"] + 3 * 8 * 9 + 8
    assert {name for name in found if found[name] != pytest.approx(plain[name], rel=1e-4)} == {"parameters"}


def test_frozen_weights_count_and_stay_frozen() -> None:
    network = seeded(small)
    found = measure_proxies(network, 8, 4)
    network.requires_grad_(False)
    with torch.inference_mode():
        assert measure_proxies(network, 8, 4) == found
    assert not any(p.requires_grad for p in network.parameters())


def test_layers_of_any_kind() -> None:
    plain = measure_proxies(seeded(small), 8, 4)["macs"]
    up = measure_proxies(small(nn.ConvTranspose2d(8, 8, 2, 2)), 8, 4)
    assert up["macs"] == plain + 8 * 8 * 8 * 8 * 4 and not up.reasons
    shared = nn.Conv2d(8, 8, 1)
    twice = Passes(small(shared, nn.ReLU(), shared), SMALL)
    assert measures.macs(twice) == measures.macs(Passes(small(), SMALL)) + 2 * 64 * 16
    assert len(twice.forward.weights) == 3 and len(twice.forward.outputs) == 4
    normed = small(nn.utils.parametrizations.weight_norm(nn.Conv2d(8, 8, 1)))
    assert measure_proxies(normed, 8, 4) == measure_proxies(normed, 8, 4)
    assert not measure_proxies(normed, 8, 4).reasons and "weight" not in dict(normed[3].named_parameters())
    assert not measure_proxies(seeded(small).double(), 8, 4).reasons


def test_attention_has_all_but_what_it_cannot_have() -> None:
    found = measure_proxies(Attention(), 8, 4)
    assert list(found.reasons) == ["zen"] and "needs a network with an AdaptiveAvgPool2d" in found.reasons["zen"]
    assert math.isnan(found["zen"])
    projections, products, mlp = 4 * 4 * 8 * 8, 2 * 4 * 4 * 8, 4 * 2 * 8 * 16
    assert found["macs"] == 4 * 8 * 48 + projections + products + mlp + 80


def test_a_proxy_without_a_value_does_not_cost_the_others(caplog: pytest.LogCaptureFixture) -> None:
    dead = seeded(plain)
    dead[2] = nn.Identity()  # type: ignore[operator]
    found = measure_proxies(dead, 8, 2)
    assert {name for name, value in found.items() if math.isnan(value)} == {"naswot"} == set(found.reasons)
    assert "there is no activation module" in found.reasons["naswot"] in caplog.text
