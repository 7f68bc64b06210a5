"""Operations without a counterpart in the IR, as others that compute the same.

For an operation that is not in `EXACT`, PyTorch's own decomposition is taken where it has one.
"""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.export import ExportedProgram
from torch.utils._pytree import tree_leaves, tree_map

from autobuild_book.tracing.aten import name_of, tensors_of

Function = Callable[..., Any]


def expanded(node: fx.Node) -> fx.Graph | None:
    """Return the graph that computes what an operation does from the tensors it reads, in their order.

    None where no decomposition is known. Of several results, those that nobody reads are left out.
    """
    tensors = [leaf for leaf in tree_leaves((node.args, node.kwargs)) if isinstance(leaf, fx.Node)]
    if not isinstance(node.target, torch._ops.OpOverload) or any(len(tensors_of(tensor)) != 1 for tensor in tensors):
        return None
    try:
        program = _traced(node, tuple(_example(tensor) for tensor in tensors))
    except Exception:  # whatever a decomposition may raise: then there is none for these arguments
        return None
    if program is None or node.target in {inner.target for inner in program.graph.nodes}:
        return None
    graph: fx.Graph = program.graph
    graph.eliminate_dead_code()
    return graph


def _traced(node: fx.Node, examples: tuple[Tensor, ...]) -> ExportedProgram | None:
    name = name_of(node).removesuffix("_")
    if (function := EXACT.get(name)) is not None:
        return torch.export.export(_Single(node, function), examples)
    functional = getattr(getattr(torch.ops.aten, name), node.target._overloadname)  # type: ignore[union-attr]
    if (function := _of_pytorch().get(functional)) is None:
        return None
    program = torch.export.export(_Single(node, functional), examples)
    decomposed: ExportedProgram = program.run_decompositions({functional: function})
    return decomposed


def _example(node: fx.Node) -> Tensor:
    (tensor,) = tensors_of(node)
    return torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device="meta")


class _Single(nn.Module):
    """One operation as a module, with all but its tensors fixed."""

    def __init__(self, node: fx.Node, function: Function) -> None:
        super().__init__()
        self.arguments = (node.args, node.kwargs)
        self.read = {user.args[1] for user in node.users if name_of(user) == "getitem" and user.users}
        self.function = function

    def forward(self, *tensors: Tensor) -> Any:
        left = iter(tensors)
        args, kwargs = tree_map(lambda leaf: next(left) if isinstance(leaf, fx.Node) else leaf, self.arguments)
        results = self.function(*args, **kwargs)
        if not self.read:
            return results
        return tuple(result if place in self.read else None for place, result in enumerate(results))


@functools.cache
def _of_pytorch() -> dict[Any, Function]:
    return dict(torch.export.default_decompositions())


# -------------------------------------------------------------------- decompositions


def _roll(x: Tensor, shifts: int | Sequence[int], dims: int | Sequence[int] = ()) -> Tensor:
    shifts, dims = ([sizes] if isinstance(sizes, int) else list(sizes) for sizes in (shifts, dims))
    if not dims:
        return _roll(x.flatten(), shifts, [0]).view(x.shape)
    for shift, dim in zip(shifts, dims, strict=True):
        if start := -shift % x.shape[dim]:
            x = torch.cat([x.narrow(dim, start, x.shape[dim] - start), x.narrow(dim, 0, start)], dim)
    return x


def _glu(x: Tensor, dim: int = -1) -> Tensor:
    first, second = x.chunk(2, dim)
    return first * second.sigmoid()


def _moments(
    x: Tensor, dim: Any = None, unbiased: bool = True, keepdim: bool = False, *, correction: float | None = None
) -> tuple[Tensor, Tensor]:
    """Variance and mean; the arguments are those of every overload of `var`."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    axes = list(range(x.ndim)) if dim is None or dim == [] else [dim] if isinstance(dim, int) else list(dim)
    mean = x.mean(axes, keepdim=True)
    count = math.prod(x.shape[axis] for axis in axes)
    less = float(unbiased) if correction is None else correction
    variance = ((x - mean) ** 2).sum(axes, keepdim) / (count - less)
    return variance, mean if keepdim else x.mean(axes)


def _deviation_and_mean(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
    variance, mean = _moments(*args, **kwargs)
    return variance.sqrt(), mean


def _logit(x: Tensor, eps: float | None = None) -> Tensor:
    share = x if eps is None else x.clamp(eps, 1 - eps)
    return (share / (1 - share)).log()


def _extremum(kind: str) -> Function:
    def function(x: Tensor, dim: int, keepdim: bool = False) -> tuple[Tensor, Tensor]:
        values = getattr(torch, f"a{kind}")(x, dim, keepdim)
        return values, getattr(torch, f"arg{kind}")(x, dim, keepdim)

    return function


def _norm(x: Tensor, ord: float = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    axes = list(range(x.ndim)) if dim is None else dim
    if math.isinf(ord):
        return x.abs().amax(axes, keepdim) if ord > 0 else x.abs().amin(axes, keepdim)
    return (x.abs() ** ord).sum(axes, keepdim) ** (1 / ord)


def _bilinear(x: Tensor, y: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    product = torch.einsum("...i,oij,...j->...o", x, weight, y)
    return product if bias is None else product + bias


EXACT: dict[str, Function] = {
    "roll": _roll,
    "glu": _glu,
    "log_sigmoid": lambda x: x.sigmoid().log(),
    "threshold": lambda x, threshold, value: torch.where(x > threshold, x, value),
    "rsqrt": lambda x: x.sqrt().reciprocal(),
    "log1p": lambda x: (x + 1).log(),
    "log2": lambda x: x.log() / math.log(2),
    "log10": lambda x: x.log() / math.log(10),
    "expm1": lambda x: x.exp() - 1,
    "exp2": lambda x: 2**x,
    "erfc": lambda x: 1 - x.erf(),
    "trunc": lambda x: x.sign() * x.abs().floor(),
    "floor_divide": lambda x, y: (x / y).floor(),
    "ne": lambda x, y: ~(x == y),
    "logit": _logit,
    "logcumsumexp": lambda x, dim: x.exp().cumsum(dim).log(),
    "lerp": lambda x, y, weight: x + weight * (y - x),
    "hypot": lambda x, y: (x**2 + y**2).sqrt(),
    "outer": lambda x, y: x[:, None] * y,
    "trace": lambda x: x.diagonal().sum(),
    "bilinear": _bilinear,
    "cdist": lambda x, y, p=2.0, mode=None: (x.unsqueeze(-2) - y.unsqueeze(-3)).norm(p, dim=-1),
    "var": lambda *args, **kwargs: _moments(*args, **kwargs)[0],
    "std": lambda *args, **kwargs: _moments(*args, **kwargs)[0].sqrt(),
    "var_mean": _moments,
    "std_mean": _deviation_and_mean,
    "max": _extremum("max"),
    "min": _extremum("min"),
    "linalg_vector_norm": _norm,
}
