"""Published once-for-all supernets, from whose weights any network of the family is cut out.

Cai et al., "Once-for-All" (ICLR 2020): a smaller network takes the first layers of each unit, the first channels of
each layer, and the centre of each kernel, which a learnt matrix turns into the smaller kernel.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from autobuild_lib.networks.blueprint import FAMILIES, Blueprint, Family, assemble, blueprint, unit_block
from autobuild_lib.networks.modules import network
from autobuild_lib.spaces import Architecture, SequenceSpace, SpaceError
from autobuild_lib.spaces.ofa import ALLOWED
from autobuild_lib.torch_settings import plain_torch
from autobuild_lib.values import MALFORMED, naming
from autobuild_lib.weights import check, read_torch

WIDE, PROXYLESS = FAMILIES.values()  # widths 1.2 and 1.3
STAGES = zip(WIDE.stages, (24, 40, 80, 112, 160), strict=True)  # of MobileNetV3 at width 1.0, as is the next
NARROW = replace(WIDE, stem=16, first=replace(WIDE.first, width=16), expanded=960, mixed=1280,
                 stages=tuple(replace(stage, width=width) for stage, width in STAGES))  # fmt: skip
PUBLISHED = {family.stem: family for family in (NARROW, WIDE, PROXYLESS)}
EPSILONS = {"ofa_mbv3": 1e-5, "ofa_pn": 1e-3}  # of the batch normalisation that the supernets were trained with
MATRICES = {"7to5_matrix": 25, "5to3_matrix": 9}  # of every kernel that can be smaller, [n, n]
COUNTER = "num_batches_tracked"  # of batch normalisation, which only training reads


@dataclass(frozen=True, eq=False)
class Supernet:
    """The weights of all networks of a family: `load` reads them, `subnet` cuts one network out of them.

    space: of its architectures, at every resolution of the family. classes: that its networks tell apart.
    """

    space: SequenceSpace = field(repr=False)
    classes: int
    family: Family = field(repr=False)
    weights: dict[str, Tensor] = field(repr=False)

    @classmethod
    @plain_torch(gradients=True)
    def load(cls, path: Path | str) -> "Supernet":
        """Read a file of the once-for-all project: MobileNetV3 at width 1.0 or 1.2, or ProxylessNAS at width 1.3.

        Family and width follow from the shapes. Only tensors are read. Raises `OSError` where there is no file, and
        `ValueError` for weights that are missing, unknown, of another shape, or not finite.
        """
        weights = _read(Path(path))
        stem, classes = (len(weights.get(f"{layer}.weight", ())) for layer in ("first_conv.conv", "classifier.linear"))
        if stem not in PUBLISHED or not classes:
            raise ValueError(f"{path}: first_conv.conv has {stem} channels and classifier.linear {classes}, expected "
                             f"{', '.join(map(str, PUBLISHED))} channels, and one or more classes")  # fmt: skip
        supernet = cls(PUBLISHED[stem].space(resolutions=ALLOWED), classes, PUBLISHED[stem], weights)
        check(weights, supernet._expected(), Path(path))
        return supernet

    @plain_torch(gradients=True)
    def subnet(self, architecture: Architecture) -> nn.Sequential:
        """Return the network of `ab.networks.build`, at the supernet's width, with its part of the weights; in `eval`.

        The moments of its batch normalisation are the supernet's, and need to be measured again before it is used.
        Raises `SpaceError` for architectures of another family.
        """
        if architecture.space.name != self.space.name:
            raise SpaceError(f"an architecture of {architecture.space.name!r}; this supernet is of {self.space.name!r}")
        subnet, layers = self._empty(blueprint(architecture, self.family))
        for module in subnet.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eps = EPSILONS[self.space.name]
        state = {}
        for name, tensor in subnet.state_dict().items():
            layer, _, kind = name.rpartition(".")
            state[name] = torch.tensor(0) if kind == COUNTER else self._cut(layers[layer], kind, tensor.shape)
        subnet.load_state_dict(state, assign=True)
        return subnet.eval()

    def _cut(self, layer: str, kind: str, shape: torch.Size) -> Tensor:
        """Return the part of a tensor that a network has: the first channels, and a kernel made from the larger one."""
        part = self.weights[f"{layer}.{kind}"][tuple(map(slice, shape[:2]))]
        for side in range(part.shape[-1], shape[-1], -2) if len(shape) == 4 else ():
            centre = part[..., 1:-1, 1:-1]
            part = (centre.flatten(2) @ self.weights[f"{layer}.{side}to{side - 2}_matrix"].T).view(centre.shape)
        return part.clone(memory_format=torch.contiguous_format)

    def _expected(self) -> dict[str, Tensor]:
        """Return what the file must hold, without numbers: the weights of the largest network, and the matrices."""
        units = [[unit_block(self.family, unit, index, 6, 7) for index in range(max(codec.depths))]
                 for unit, codec in enumerate(self.space.codecs)]  # fmt: skip
        largest, layers = self._empty(assemble(self.family, ALLOWED[-1], tuple(map(tuple, units))))
        places = ((name.rpartition("."), tensor) for name, tensor in largest.state_dict().items())
        expected = {f"{layers[layer]}.{kind}": tensor for (layer, _, kind), tensor in places if kind != COUNTER}
        kernels = [layer for layer in layers.values() if layer.endswith("depth_conv.conv")][1:]  # the first has one
        for layer, (matrix, size) in itertools.product(kernels, MATRICES.items()):
            expected[f"{layer}.{matrix}"] = torch.empty(size, size, device="meta")
        return expected

    def _empty(self, plan: Blueprint) -> tuple[nn.Sequential, dict[str, str]]:
        """Return a network without numbers, and the published name of each of its layers."""
        with torch.device("meta"):
            empty = network(replace(plan, classifier=(plan.classifier[0], self.classes)))
        paths = [path for path, module in empty.named_modules() if list(module.parameters(recurse=False))]
        return empty, dict(zip(paths, _layers(plan), strict=True))


def _layers(plan: Blueprint) -> Iterator[str]:
    """Yield the published names of a network's layers, in the order of its modules."""
    blocks = {(4 * u + i + 1): block for u, unit in enumerate(plan.units) for i, block in enumerate(unit)}
    convolutions = ["first_conv"]
    for place, block in {0: plan.first, **blocks}.items():
        kinds = {"inverted_bottleneck": block.expand, "depth_conv": block.depthwise, "depth_conv.se.fc": block.squeeze}
        kinds |= {"point_linear": block.project}
        convolutions += [f"blocks.{place}.{kind}" for kind, plans in kinds.items() if plans]
    for convolution in (*convolutions, "final_expand_layer" if plan.mix else "feature_mix_layer"):
        ends = ("reduce", "expand") if convolution.endswith("fc") else ("conv", "bn")
        yield from (f"{convolution}.{end}" for end in ends)
    yield from (*(["feature_mix_layer.conv"] if plan.mix else []), "classifier.linear")


def _read(path: Path) -> dict[str, Tensor]:
    """Return the weights in a file by name, without counters."""
    with naming(f"{path}: not a published supernet", caught=MALFORMED):
        state = read_torch(path)
        state = state.get("state_dict", state)
        names = sorted((name for name in state if not name.endswith(COUNTER)), key=_name)
        if twice := [pair for pair in itertools.pairwise(names) if _name(pair[0]) == _name(pair[1])]:
            raise ValueError(f"{' and '.join(twice[0])} are the same weight")
        tensors = {_name(name): state[name] for name in names}
        if not all(isinstance(t, Tensor) and t.ndim and t.layout == torch.strided for t in tensors.values()):
            raise ValueError("needs tensors by name, alone or as state_dict")
    return tensors


def _name(name: str) -> str:
    """Name a weight alike with and without the wrappers that make layers elastic."""
    parts = name.split(".")
    if parts[0] == "blocks" and parts[2:3] in (["conv"], ["mobile_inverted_conv"]):  # the latter in older files
        del parts[2]
    return ".".join(part for part, _ in itertools.groupby(parts))
