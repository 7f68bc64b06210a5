"""The IR graph of a PyTorch module that `torch.export` can trace.

PyTorch reports a module's operations as calls of its ATen library, however they were written, with the shape of every
result. Each becomes the ONNX operation of that meaning (`aten.py`), or others that compute the same (`exact.py`):

- Each tensor given to the module is an `Input` node, each tensor it returns feeds an `Output` node.
- The module is traced for inference: identities, dropout and copies are not nodes; their readers read what they read.
- What depends on parameters and constants alone, or is noise, is no node, and parameters are no inputs (they show in
  the attributes of an operation, or not at all).
- Blocks under `no_grad`, `autocast` or `checkpoint` are read as if they stood alone.
- An operation in place stands for its tensor from then on. Writing into a part of a tensor is `ScatterND`; other views
  of that tensor are computed anew when they are read.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, fx, nn
from torch.utils._pytree import tree_leaves

from autobuild_book.tracing.aten import (
    CONSTANT,
    REACH,
    RULES,
    TRANSPARENT,
    arguments_of,
    name_of,
    shapes_of,
    tensors_of,
)
from autobuild_book.tracing.exact import expanded
from autobuild_lib.graphs.ir import IRGraph, IRNode, graph_of, needed

# In-place operations that forget what was there; true: for what they read.
WRITES = {"copy_": True, "fill_": True, "zero_": False, "uniform_": False, "normal_": False, "exponential_": False}
BLOCKS = {"wrap_with_set_grad_enabled", "wrap_with_autocast", "tag_activation_checkpoint", "wrap"}


def ir_from_module(module: nn.Module, example_input: Tensor | Sequence[Tensor]) -> IRGraph:
    """Trace a module to its IR graph.

    PyTorch must be able to trace it (`torch.export`), and its operations must be ONNX's or made of those. Out of reach
    are shapes and branches that depend on values (`nonzero`, a boolean mask as an index, `torch.cond`, loops), Fourier
    transforms and complex numbers, inverses, factorisations and eigenvalues, random draws from the input
    (`bernoulli`, fractional pooling), quantised and sparse tensors, and operators from outside PyTorch.

    Args:
        module: in any mode; it is traced as in evaluation, and left as it was. May be on the `meta` device.
        example_input: what it is called with, [N, ...] each; only the shapes matter.

    Raises:
        ValueError: PyTorch cannot trace the module, or it uses operations that are out of reach; all are listed.
    """
    inputs = (example_input,) if isinstance(example_input, Tensor) else tuple(example_input)
    with _evaluation(module):
        try:
            program = torch.export.export(module, inputs)
        except Exception as error:  # whatever the module's own code raises
            reason = str(error).strip().partition("\n")[0]
            raise ValueError(f"cannot trace {type(module).__name__}: {type(error).__name__}: {reason}") from error
    return graph_of(_Reader(set(program.graph_signature.user_inputs)).read(program.graph))


@contextmanager
def _evaluation(module: nn.Module) -> Iterator[None]:
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, mode in modes:
            part.training = mode


class _Reader:
    """Turns the calls of a traced graph, one after the other, into IR nodes."""

    def __init__(self, inputs: set[object]) -> None:
        self.inputs = inputs  # names of what the module is called with
        self.nodes: list[IRNode] = []
        self.places: dict[fx.Node, int] = {}  # of the node that computes a value; constants have none
        self.results: dict[fx.Node, list[fx.Node | None]] = {}  # of a block, in the block
        self.views: dict[int, list[fx.Node]] = {}  # of each piece of memory, the whole of it first
        self.stale: set[fx.Node] = set()  # views of memory that was written to since they were read
        self.unsupported: set[str] = set()

    def read(self, graph: fx.Graph) -> list[IRNode]:
        for node in graph.nodes:
            if node.op == "placeholder" and node.name in self.inputs:
                self._add(node, IRNode("Input", output_shapes=shapes_of(node)))
            self._next(node)
            if node.op == "output":
                self._outputs(node)
        if self.unsupported:
            raise ValueError(f"operations {', '.join(sorted(self.unsupported))} have no counterpart in the IR; {REACH}")
        return needed(self.nodes)  # not a part that was looked at only to be overwritten

    def _next(self, node: fx.Node) -> None:
        for tensor in tensors_of(node)[:1]:
            self.views.setdefault(tensor.untyped_storage()._cdata, []).append(node)
        if node.op == "call_function":
            self._call(node)

    def _add(self, node: fx.Node, made: IRNode) -> None:
        self.places[node] = len(self.nodes)
        self.nodes.append(made)

    def _fresh(self, node: object) -> list[fx.Node]:
        """The values that some arguments hold and that depend on the input, each up to date."""
        sources = [leaf for leaf in tree_leaves(node) if isinstance(leaf, fx.Node)]
        for source in sources:
            if source in self.stale:
                self.stale.discard(source)
                self._call(source, again=True)
        return [source for source in sources if source in self.places]

    def _call(self, node: fx.Node, again: bool = False) -> None:
        name, block = name_of(node), _block(node)
        in_place = name.endswith("_") and not name.endswith("__")
        if again and (in_place or block):  # what it did is done
            return self._share(node, node.args[0] if in_place else self.results[node][0])
        read = self._fresh((node.args, node.kwargs))
        self.places.pop(node, None)
        if block:
            return self._inline(node, *block)
        if name == "getitem" and (results := self.results.get(node.args[0])):  # type: ignore[arg-type]
            return self._share(node, results[node.args[1]])  # type: ignore[index]
        if name in WRITES:
            self._share(node, node.args[1:] if WRITES[name] else ())
        elif read and tensors_of(node) and name not in CONSTANT:
            self._compute(node, name, read)
        if in_place:
            self._write(node.args[0], node)

    def _share(self, node: fx.Node, source: object) -> None:
        """Let a node stand where a source stands, or be a constant as it is."""
        self.places.pop(node, None)
        for place in [self.places[value] for value in self._fresh(source)]:
            self.places[node] = place

    def _compute(self, node: fx.Node, name: str, read: list[fx.Node]) -> None:
        if name in TRANSPARENT:
            self.places[node] = self.places[read[0]]
            return
        shapes = shapes_of(node)
        inputs = [shape for source in read for shape in shapes_of(source)[:1]]
        rule = RULES.get(name if name.endswith("__") else name.removesuffix("_"))
        if rule is not None and (translated := rule(arguments_of(node), inputs, shapes)) is not None:
            operation, attributes = translated
            self._add(node, IRNode(operation, [self.places[s] for s in read], inputs, shapes, **attributes))
        elif (graph := expanded(node)) is not None:
            self._inline(node, graph, tree_leaves((node.args, node.kwargs)))
        else:
            self.unsupported.add(name)
            self.places[node] = 0  # its readers are checked too

    def _inline(self, node: fx.Node, graph: fx.Graph, values: Sequence[object]) -> None:
        """Read a graph in place of a node, its placeholders standing for those of the values that are nodes."""
        sources = [value for value in values if isinstance(value, fx.Node) and value.op != "get_attr"]
        parameters = [inner for inner in graph.nodes if inner.op == "placeholder"]
        for parameter in parameters:
            self.places.pop(parameter, None)
        parameters = parameters[len(parameters) - len(sources) :]  # constants come first
        for parameter, source in zip(parameters, sources, strict=True):
            self._share(parameter, source)
        before = [self.places.get(parameter) for parameter in parameters]
        for inner in graph.nodes:
            self._next(inner)
        for parameter, source, place in zip(parameters, sources, before, strict=True):
            if self.places.get(parameter) != place:  # written to inside
                self._write(source, parameter)
        (returned,) = (inner.args[0] for inner in graph.nodes if inner.op == "output")
        self.results[node] = list(returned)
        self._share(node, returned[0])

    def _write(self, target: object, value: fx.Node) -> None:
        """Put a value into a tensor, or into the part of a tensor that a view of it shows."""
        if not isinstance(target, fx.Node):
            return
        views = self.views[tensors_of(target)[0].untyped_storage()._cdata]
        whole = views[0]
        self._share(target, value)
        if tensors_of(target)[0].numel() < tensors_of(whole)[0].numel():
            read = [source for source in (whole, value) if source in self.places]
            if read:
                shapes = [shapes_of(source)[0] for source in read]
                self._add(whole, IRNode("ScatterND", [self.places[s] for s in read], shapes, shapes_of(whole)))
        elif whole is not target:
            self._share(whole, value)
        self.stale.update(view for view in views[1:] if view not in (target, value))
        self.stale -= {whole, target, value}

    def _outputs(self, node: fx.Node) -> None:
        for source in self._fresh(node.args):
            self.nodes.append(IRNode("Output", [self.places[source]], shapes_of(source)))


def _block(node: fx.Node) -> tuple[fx.Graph, Sequence[object]] | None:
    """The graph of a block that is computed as it stands, and what it reads; None for any other node."""
    if name_of(node) not in BLOCKS:
        return None
    place = next(n for n, value in enumerate(node.args) if isinstance(value, fx.Node) and value.op == "get_attr")
    graph = getattr(node.graph.owning_module, str(node.args[place].target)).graph  # type: ignore[union-attr]
    return graph, node.args[place + 1 :]
