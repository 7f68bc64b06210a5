"""Message passing equals a plain reference and public layers, on graphs of every shape: outputs and all gradients."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product

import pytest
import torch
from torch import Tensor

from autobuild_lib.engine.passing import ACTIVATIONS, Messages, pass_messages
from tests.helpers import reference_passing as reference
from tests.helpers.passing_twins import (
    Layer,
    engine_parameters,
    engine_twin,
    messages_of,
    public_norm,
    public_twin,
)
from tests.helpers.reference_passing import Graphs, random_convolution, random_graphs

KINDS = ["gatv2", "graphconv"]
DTYPES = [torch.float32, torch.float64]
SHAPES = [*product([(3, 3), (33, 33)], ACTIVATIONS), ((1, 1), "relu"), ((5, 8), "relu"), ((8, 3), "gelu")]
EXACT = {torch.float32: 1e-5, torch.float64: 1e-9}  # of the largest entry


def drawing(seed: int, dtype: torch.dtype = torch.float64) -> Callable[..., Tensor]:
    """Draw leaves of that precision, whose values both have."""
    generator = torch.Generator().manual_seed(seed)
    return lambda *shape: torch.randn(*shape, generator=generator).to(dtype).requires_grad_()


def scaled(parameter: Tensor, fan_in: int) -> Tensor:
    """Small enough that attention has no winner that takes all, whose gradients would be nothing but rounding."""
    return (parameter.detach() / fan_in**0.5).requires_grad_()


def close(found: Tensor, expected: Tensor, scale: Tensor | None = None) -> None:
    """Whether no entry is off by more than EXACT, as part of the largest one (of `scale`)."""
    size = float((expected if scale is None else scale).detach().abs().max()) if expected.numel() else 1.0
    expected = expected.to(found.dtype).reshape(found.shape)
    torch.testing.assert_close(found, expected, rtol=0, atol=EXACT[found.dtype] * size)


def doubled(layer: Layer) -> Layer:
    return type(layer)(*(tensor.detach().double().requires_grad_() for tensor in vars(layer).values()))


@dataclass(frozen=True)
class Case:
    """A hop over random graphs, of nodes that stand for several and edges that occur several times."""

    layer: Layer
    norm: reference.BatchNorm
    graphs: Graphs
    x: Tensor
    times: Tensor
    counts: Tensor

    @classmethod
    def of(cls, kind: str, fan_in: int, fan_out: int, seed: int, dtype: torch.dtype = torch.float64) -> "Case":
        """Draw a case."""
        draw, generator = drawing(seed, dtype), torch.Generator().manual_seed(seed)
        graphs = random_graphs(generator, is_simple=False)
        nodes, edges = len(graphs.graph), graphs.edges.shape[1]
        norm = reference.BatchNorm(draw(fan_out), draw(fan_out))
        norm.mean, norm.variance = draw(fan_out).detach(), draw(fan_out).detach().square() + 0.5
        times, counts = (torch.randint(1, 5, (n,), generator=generator).float() for n in (edges, nodes))
        layer = random_convolution(kind, fan_in, fan_out, lambda *shape: scaled(draw(*shape), fan_in))
        return cls(layer, norm, graphs, draw(nodes, fan_in), times, counts)

    def messages(self) -> Messages:
        """What the library takes of the graphs."""
        return messages_of(self.graphs, self.times, self.counts)

    def expected(self, activation: str, residual: bool, training: bool) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """What the reference makes of it in 64 bits, gradients of a random sum of that, and statistics after it."""
        layer, x = doubled(self.layer), self.x.detach().double().requires_grad_()
        norm = reference.BatchNorm(*(t.detach().double().requires_grad_() for t in (self.norm.weight, self.norm.bias)))
        norm.mean, norm.variance = self.norm.mean.double(), self.norm.variance.double()
        new = reference.hop(x, self.graphs, layer, norm, ACTIVATIONS[activation], residual, self.times.double(),
                            self.counts.double(), training)  # fmt: skip
        return new, gradients(new, [x, *vars(layer).values(), norm.weight, norm.bias]), [norm.mean, norm.variance]


def gradients(new: Tensor, of: Sequence[Tensor]) -> list[Tensor]:
    upstream = torch.randn(new.shape[-2:], generator=torch.Generator().manual_seed(99)).to(new.dtype)
    return list(torch.autograd.grad((new * upstream).sum(), of, allow_unused=True, materialize_grads=True))


# -------------------------------------------------------------------- a hop


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(("widths", "activation"), SHAPES)
def test_hops_equal_the_reference(
    kind: str, dtype: torch.dtype, training: bool, widths: tuple[int, int], activation: str
) -> None:
    for seed, residual in product(range(3), [True, False] if widths[0] == widths[1] else [False]):
        case = Case.of(kind, *widths, seed, dtype)
        convolution, norm = engine_twin([case.layer], [case.norm])
        norm.train(training)
        x = case.x[None]
        new = pass_messages(convolution, norm, x, case.messages(), activation, residual)
        expected, of_expected, statistics = case.expected(activation, residual, training)
        assert new.dtype == dtype
        close(new, expected)
        found = gradients(new, [x, *engine_parameters(convolution, norm)])
        largest = torch.stack([g.abs().max() for g in of_expected]).max()
        for place, (mine, other) in enumerate(zip(found, of_expected, strict=True)):
            close(mine, other, largest if is_noise(case.layer, place, training) else None)
        for mine, other in zip([norm.mean, norm.variance], statistics, strict=True):
            close(mine, other)


def is_noise(layer: Layer, place: int, training: bool) -> bool:
    """Whether a gradient of [x, *parameters] is rounding, as that of what only moves or scales a normalised channel."""
    parameters = list(vars(layer).values())
    is_parameter = 1 <= place <= len(parameters)
    return training and is_parameter and (parameters[place - 1].dim() == 1 or len(parameters[place - 1]) == 1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("training", [True, False])
def test_hops_equal_public_layers(kind: str, dtype: torch.dtype, training: bool) -> None:
    """PyTorch Geometric's on edges that are repeated, then PyTorch's batch normalisation and ReLU."""
    for seed in range(3):
        case = replace(Case.of(kind, 6, 6, seed, dtype), counts=torch.ones(1))
        convolution, norm = engine_twin([case.layer], [case.norm])
        public, of_layer, theirs = public_twin(doubled(case.layer))
        normalised, x = public_norm(case.norm).double().train(training), case.x.detach().double().requires_grad_()
        repeated = torch.repeat_interleave(case.graphs.edges, case.times.long(), dim=1)
        expected = normalised(public(x, repeated)).relu() + x
        messages = messages_of(case.graphs, case.times)
        new = pass_messages(convolution, norm.train(training), case.x[None], messages, "relu", True)
        close(new, expected)
        of_expected = gradients(expected, [x, *theirs, normalised.weight, normalised.bias])
        found = gradients(new, [case.x, *engine_parameters(convolution, norm)])
        largest = torch.stack([g.abs().max() for g in of_expected]).max()
        for place, (mine, other) in enumerate(zip(found, of_expected, strict=True)):
            is_map = 1 <= place <= len(of_layer) and of_layer[place - 1].dim() == 2
            close(mine, other.T if is_map else other, largest if is_noise(case.layer, place, training) else None)
        close(norm.mean, normalised.running_mean)
        close(norm.variance, normalised.running_var)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_are_those_of_small_differences(kind: str, training: bool, activation: str) -> None:
    case = Case.of(kind, 2, 2, 4)
    convolution, norm = engine_twin([case.layer, doubled(case.layer)], [case.norm] * 2)
    norm.train(training)
    messages, x = case.messages(), torch.stack([case.x, -case.x]).detach().requires_grad_()

    def hop(*_: Tensor) -> Tensor:
        return pass_messages(convolution, norm, x, messages, activation, True)

    assert torch.autograd.gradcheck(hop, (x, *engine_parameters(convolution, norm)), eps=1e-6, atol=1e-7)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("width", [5, 32])
def test_a_stack_equals_its_members_alone(kind: str, dtype: torch.dtype, training: bool, width: int) -> None:
    """Exactly at the width of the paper; where rows of a member start anywhere in memory, matrix products round."""
    cases = [Case.of(kind, width, width, seed, dtype) for seed in range(3)]
    layers, norms = [case.layer for case in cases], [case.norm for case in cases]
    messages = cases[0].messages()
    x = torch.randn(3, len(messages.itself), width, generator=torch.Generator().manual_seed(7)).to(dtype)
    stack = computed(layers, norms, x, messages, training)
    for place, (layer, norm) in enumerate(zip(layers, norms, strict=True)):
        alone = computed([layer], [norm], x[[place]], messages, training)
        for side_by_side, single in zip(stack, alone, strict=True):
            if width == 32:
                assert torch.equal(side_by_side[place], single[0])
            else:
                torch.testing.assert_close(side_by_side[place], single[0], rtol=1e-5, atol=1e-5)


def computed(
    layers: Sequence[Layer], norms: Sequence[reference.BatchNorm], x: Tensor, messages: Messages, training: bool
) -> list[Tensor]:  # fmt: skip
    """A hop of layers side by side, then its gradients and running statistics."""
    convolution, norm = engine_twin(layers, norms)
    x = x.detach().requires_grad_()
    new = pass_messages(convolution, norm.train(training), x, messages, "relu", True)
    return [new, *gradients(new, [x, *engine_parameters(convolution, norm)]), norm.mean, norm.variance]
