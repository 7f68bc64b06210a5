"""Zero-cost proxies against values worked out by hand, and against the same definitions written differently."""

import copy
import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import autobuild_lib as ab
from autobuild_book.chapters.shared.models.proxies import PROXIES, Minibatch, Passes, measure_proxies, measures
from autobuild_lib.networks import build, count_macs, count_parameters
from autobuild_lib.networks.blueprint import Stage, make_block
from autobuild_lib.networks.modules import MBConv
from tests.helpers.proxy_networks import CLASSES, SMALL, Returns, plain, seeded

SPACES = {"ofa_mbv3": ab.spaces.ofa_mbv3((192,)), "ofa_pn": ab.spaces.ofa_pn((192,))}


def linear() -> nn.Sequential:
    """One layer: scores = W x + b."""
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 4 * 4, CLASSES))


def convolutional() -> nn.Sequential:
    """Every kind of layer that the real networks have, a gate and a residual link included."""
    stage = Stage(8, 1, "hard_swish", squeezes=True)
    return nn.Sequential(
        *(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU6()),
        *(MBConv(make_block(8, stage, 1, 2, 3)), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        nn.Linear(8, CLASSES),
    )


def data(minibatch: Minibatch = SMALL) -> tuple[Tensor, Tensor]:
    """Images and labels of a minibatch, in double precision."""
    images, generator = minibatch.draw()
    return images.double(), torch.randint(CLASSES, (minibatch.batch,), generator=generator)


def weights_of(network: nn.Module) -> list[nn.Parameter]:
    return [module.weight for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]


def loss_of(network: nn.Module) -> Tensor:
    images, labels = data()
    return functional.cross_entropy(network(images), labels)


def gradients_of(network: nn.Module) -> list[Tensor]:
    return [*torch.autograd.grad(loss_of(network), weights_of(network))]


@pytest.fixture
def network() -> nn.Module:
    return seeded(convolutional)


@pytest.fixture
def exact(network: nn.Module) -> nn.Module:
    """The same network in double precision and training mode."""
    return copy.deepcopy(network).double().train()


@pytest.fixture
def passes(network: nn.Module) -> Passes:
    return Passes(network, SMALL)


# -------------------------------------------------------------------- counts


def test_counts_by_hand() -> None:
    layers = nn.Sequential(nn.Conv2d(3, 6, 3, stride=2, padding=1, groups=3), nn.BatchNorm2d(6), nn.Flatten())
    passes = Passes(nn.Sequential(*layers, nn.Linear(24, 5)), SMALL)  # 2 x 2 pixels are left
    assert measures.parameters(passes) == (6 * 9 + 6) + 2 * 6 + (24 * 5 + 5)
    assert measures.macs(passes) == 6 * 9 * 4 + 24 * 5


@pytest.mark.parametrize("family", SPACES)
def test_counts_are_those_of_the_blueprint(family: str) -> None:
    architecture = SPACES[family].sample(np.random.default_rng(0))
    passes = Passes(build(architecture), Minibatch(resolution=192, batch=2))
    assert measures.parameters(passes) == count_parameters(architecture)
    assert measures.macs(passes) == count_macs(architecture)


# -------------------------------------------------------------------- one layer, by hand


def test_gradient_proxies_of_one_layer() -> None:
    network = seeded(linear)
    weight, bias = (p.detach().double().numpy() for p in network[1].parameters())  # type: ignore[index]
    images, labels = data()
    x = images.contiguous().flatten(1).numpy()
    outputs = x @ weight.T + bias
    p = np.exp(outputs) / np.exp(outputs).sum(1, keepdims=True)
    residuals = (p - np.eye(CLASSES)[labels]) / 3  # dL / d outputs
    gradient = residuals.T @ x
    moved = x @ gradient.T  # what a step along the gradient does to the outputs
    curvature = (p * moved - p * (p * moved).sum(1, keepdims=True)).T @ x / 3  # Hessian times gradient

    passes = Passes(network, SMALL)
    assert measures.grad_norm(passes) == pytest.approx(np.linalg.norm(gradient), rel=1e-5)
    assert measures.snip(passes) == pytest.approx(np.abs(gradient * weight).sum(), rel=1e-5)
    assert measures.grasp(passes) == pytest.approx(-(curvature * weight).sum(), rel=1e-4)
    assert measures.fisher(passes) == pytest.approx(((outputs * residuals) ** 2).sum() / (2 * 3), rel=1e-5)


def test_jacobian_covariance_of_images_that_are_all_treated_alike() -> None:
    k = 1e-5  # one layer has the same Jacobian everywhere, so all correlations are 1: eigenvalues 3, 0, 0
    expected = -(math.log(3 + k) + 1 / (3 + k)) - 2 * (math.log(k) + 1 / k)
    assert measures.jacob_cov(Passes(seeded(linear), SMALL)) == pytest.approx(expected, rel=1e-6)


def test_naswot_of_two_images() -> None:
    minibatch = Minibatch(resolution=4, batch=2, seed=3)
    first, second = np.sign(minibatch.draw()[0].flatten(1).numpy())
    units, different = 48, int((first != second).sum())
    assert 0 < different < units
    two = nn.Sequential(nn.ReLU6(), nn.Hardswish(), linear())  # units that are on stay on, by both
    kernel = [[2 * units, 2 * units - different], [2 * units - different, 2 * units]]
    kernel[0][1] = kernel[1][0] = (units - different) + (units - different)
    expected = math.log(kernel[0][0] ** 2 - kernel[0][1] ** 2)
    assert measures.naswot(Passes(two, minibatch)) == pytest.approx(expected, rel=1e-6)


# -------------------------------------------------------------------- the same, written differently


def test_gradient_norm_and_snip(passes: Passes, exact: nn.Module) -> None:
    pairs = [*zip(weights_of(exact), gradients_of(exact), strict=True)]
    assert measures.grad_norm(passes) == pytest.approx(sum(g.square().sum().sqrt().item() for _, g in pairs), rel=1e-4)
    assert measures.snip(passes) == pytest.approx(sum((w * g).abs().sum().item() for w, g in pairs), rel=1e-4)


def test_grasp_is_a_difference_of_gradients(passes: Passes, exact: nn.Module) -> None:
    weights, gradients, step = weights_of(exact), gradients_of(exact), 1e-6
    moved = []
    for sign in (1, -1):
        with torch.no_grad():
            for weight, gradient in zip(weights, gradients, strict=True):
                weight += sign * step * gradient
        moved.append(gradients_of(exact))
        with torch.no_grad():
            for weight, gradient in zip(weights, gradients, strict=True):
                weight -= sign * step * gradient
    terms = zip(weights, *moved, strict=True)
    expected = -sum((w * (after - before)).sum().item() / (2 * step) for w, after, before in terms)
    assert measures.grasp(passes) == pytest.approx(expected, rel=1e-3)


def test_fisher_is_the_square_of_what_removing_a_channel_changes(passes: Passes, exact: nn.Module) -> None:
    masks: list[Tensor] = []  # a factor of 1 for every channel of every image; dL / d factor = sum of a dL / da

    def mask(_: nn.Module, __: tuple[Tensor], output: Tensor) -> Tensor:
        masks.append(torch.ones(*output.shape[:2], *[1] * (output.ndim - 2), dtype=output.dtype, requires_grad=True))
        return output * masks[-1]

    for module in exact.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.register_forward_hook(mask)
    changes = torch.autograd.grad(loss_of(exact), masks)
    assert measures.fisher(passes) == pytest.approx(sum((c**2).sum().item() for c in changes) / (2 * 3), rel=1e-3)


def test_jacobian_covariance_from_explicit_jacobians(passes: Passes, exact: nn.Module) -> None:
    def summed(images: Tensor) -> Tensor:
        scores: Tensor = exact(images)
        return scores.sum()

    jacobian = torch.autograd.functional.jacobian(summed, data()[0])
    assert isinstance(jacobian, Tensor)
    values = np.linalg.eigvals(np.corrcoef(jacobian.flatten(1).numpy())).real
    assert values.sum() == pytest.approx(3)
    expected = -np.sum(np.log(values + 1e-5) + 1 / (values + 1e-5))
    assert measures.jacob_cov(passes) == pytest.approx(expected, rel=1e-4)


def test_naswot_counts_every_rectifier_and_no_gate(passes: Passes, exact: nn.Module) -> None:
    codes: list[Tensor] = []
    for module in exact.modules():
        if isinstance(module, nn.ReLU | nn.ReLU6 | nn.Hardswish):
            module.register_forward_hook(lambda _, given, __: codes.append(given[0].flatten(1) > 0))
    exact(data()[0])
    assert len(codes) == 5  # behind the stem, twice in the block, in its gate, behind the block
    code = torch.cat(codes, 1)
    kernel = [[(a == b).sum().item() for a in code] for b in code]
    assert measures.naswot(passes) == pytest.approx(math.log(np.linalg.det(np.array(kernel, dtype=float))), rel=1e-6)


# -------------------------------------------------------------------- SynFlow and the Zen score


def chain() -> nn.Sequential:
    """Three linear layers, with what the definition ignores between them."""
    first, second, last = nn.Conv2d(3, 4, 1, bias=False), nn.Conv2d(4, 5, 1, bias=False), nn.Linear(5, 6, bias=False)
    between = (nn.ReLU6(), nn.Identity(), nn.Hardswish(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return nn.Sequential(first, between[0], second, *between[1:], last)


def test_synflow_of_a_chain_is_the_number_of_layers_times_the_product_of_absolute_weights() -> None:
    network = seeded(chain)
    with torch.no_grad():
        for weight in weights_of(network):
            weight *= 10  # far more than six, where ReLU6 would saturate
    first, second, last = (w.detach().double().flatten(1).abs() for w in weights_of(network))
    whole = (last @ second @ first).sum().item()
    assert whole > 1000
    assert measures.synflow(Passes(network, SMALL)) == pytest.approx(math.log(3 * whole), rel=1e-9)


def test_synflow_has_no_data_and_normalises_in_evaluation_mode() -> None:
    network = seeded(chain)
    normalised = copy.deepcopy(network)
    normalised[3] = nn.BatchNorm2d(5)  # type: ignore[operator]
    normalised[3].running_var += 3 - 1e-5  # type: ignore[index, operator]
    plain = measures.synflow(Passes(network, SMALL))
    assert measures.synflow(Passes(network, Minibatch(4, 7, 8))) == plain
    assert measures.synflow(Passes(normalised, SMALL)) == pytest.approx(plain - math.log(2), rel=1e-6)


def test_synflow_does_not_overflow() -> None:
    deep = nn.Sequential(*(nn.Conv2d(3, 3, 1, bias=False) for _ in range(100)), nn.Flatten())
    with torch.no_grad():
        for weight in weights_of(deep):
            weight.fill_(-10)
    expected = 100 * math.log(30) + math.log(3 * 16) + math.log(100)  # beyond what single precision holds
    assert measures.synflow(Passes(deep, SMALL)) == pytest.approx(expected) and expected > math.log(3.4e38)


def test_zen_score_by_its_definition() -> None:
    images, generator = SMALL.draw()
    directions = torch.randn(images.shape, generator=generator)
    first, second = (torch.empty(s).normal_(generator=generator).double() for s in ((4, 3, 3, 3), (5, 4, 1, 1)))

    def features(x: Tensor) -> tuple[Tensor, list[float]]:
        """Features, and the root of the mean variance of channels in front of each normalisation."""
        scales = []
        for weight in (first, second):
            y = functional.conv2d(x.relu() if scales else x, weight, padding=weight.shape[-1] // 2)
            mean, square = y.mean((0, 2, 3), keepdim=True), (y**2).mean((0, 2, 3), keepdim=True)
            variance = square - mean**2
            scales.append(variance.mean().sqrt().item())
            x = (y - mean) / (variance + 1e-5).sqrt()
        return x, scales

    (before, scales), (after, _) = (features(x.double()) for x in (images, images + 0.01 * directions))
    distances = [math.sqrt(((a - b) ** 2).sum().item()) for a, b in zip(after, before, strict=True)]
    expected = math.log(np.mean(distances)) + math.log(scales[0]) + math.log(scales[1])
    assert measures.zen(Passes(seeded(plain), SMALL)) == pytest.approx(expected, rel=1e-3)


def test_zen_score_uses_weights_of_its_own_and_no_residual_links(network: nn.Module) -> None:
    other, straight = convolutional(), copy.deepcopy(network)
    (block,) = (module for module in straight.modules() if isinstance(module, MBConv))
    assert block.residual
    block.residual = False
    expected = measures.zen(Passes(network, SMALL))
    assert measures.zen(Passes(other, SMALL)) == measures.zen(Passes(straight, SMALL)) == expected
    images = data()[0].float()
    assert not torch.equal(network(images), straight(images))


def test_zen_score_needs_features() -> None:
    with pytest.raises(ValueError, match=r"Zen .* AdaptiveAvgPool2d"):
        measures.zen(Passes(seeded(linear), SMALL))


# -------------------------------------------------------------------- all together


def test_the_same_numbers_for_the_same_seed_and_a_network_that_is_left_as_it_is(network: nn.Module) -> None:
    network.eval()
    before, state = copy.deepcopy(network.state_dict()), torch.get_rng_state()
    found = measure_proxies(network, 8, 4, seed=2)
    assert list(found) == [proxy.name for proxy in PROXIES] and all(map(math.isfinite, found.values()))
    assert torch.equal(torch.get_rng_state(), state) and not network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(p.grad is None for p in network.parameters())
    assert not any(m._forward_hooks for m in network.modules())
    torch.manual_seed(99)
    assert measure_proxies(network, 8, 4, seed=2) == found
    other = measure_proxies(network, 8, 4, seed=3)
    assert {name for name in found if other[name] == found[name]} == {"parameters", "macs", "synflow"}


def test_sharing_passes_changes_nothing(network: nn.Module) -> None:
    found = measure_proxies(network, SMALL.resolution, SMALL.batch, SMALL.seed)
    alone = {proxy.name: proxy.measure(Passes(network, SMALL)) for proxy in reversed(PROXIES)}
    assert alone == found


@pytest.mark.parametrize(("family", "layer"), [("ofa_mbv3", "mbconv3"), ("ofa_pn", "mbconv2")])
def test_a_large_network_has_more_of_what_measures_size(family: str, layer: str) -> None:
    space, found = SPACES[family], []
    for choice, depth in (("e3_k3", 2), ("e6_k7", 4)):
        units = [[f"{layer}_{choice}"] * min(depth, codec.depths[-1]) for codec in space.codecs]
        torch.manual_seed(0)
        found.append(measure_proxies(build(space.from_lists(units, resolution=192)), 32, 2))
    small, large = found
    assert all(large[name] > small[name] for name in ("parameters", "macs", "synflow", "zen", "naswot"))


@pytest.mark.parametrize("wrong", [{"resolution": 0}, {"batch": 1}, {"seed": -1}])
def test_a_minibatch_that_cannot_be(network: nn.Module, wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))}={next(iter(wrong.values()))}.*allowed are"):
        measure_proxies(network, **wrong)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (nn.Linear(3, 2), r"^Linear does not take Minibatch\(resolution=8, batch=4, seed=0\): RuntimeError: mat1"),
        (nn.Flatten(0), r"TypeError: .* \[768\]; .* \[N, C, ...\]"),
        (Returns(lambda scores: "no"), "TypeError: the network returns a str"),
        (nn.Linear(3, 2, device="meta"), "^Linear cannot be copied: "),
    ],
)
def test_a_network_that_cannot_be_measured_is_one_line(network: nn.Module, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        measure_proxies(network, 8, 4)
    assert "\n" not in str(caught.value)
