"""ONNX files as PyTorch's exporters write them, and others put together by hand."""

import logging
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnx
import torch
from onnx import TensorProto, helper
from torch import Tensor, nn

IMAGE = (1, 3, 16, 16)


def exported(
    path: Path, module: nn.Module, inputs: Sequence[Tensor], newer: bool, opset: int | None = None, fold: bool = True,
    symbolic: bool = False, **options: Any,
) -> Path:  # fmt: skip
    """Write a module with PyTorch's newer or older exporter, its batch normalisation folded or not."""
    options |= {"opset_version": opset, "dynamo": newer}
    if newer:
        options |= {"optimize": fold, "verbose": False, "external_data": options.get("external_data", False)}
        if symbolic:
            options["dynamic_shapes"] = tuple({0: torch.export.Dim("batch")} for _ in inputs)
    else:
        mode = torch.onnx.TrainingMode.EVAL if fold else torch.onnx.TrainingMode.PRESERVE
        names = [f"input_{place}" for place in range(len(inputs))]
        options |= {"training": mode, "do_constant_folding": fold, "input_names": names}
        if symbolic:
            options["dynamic_axes"] = {name: {0: "batch"} for name in names}
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(module.eval(), tuple(inputs), path, **options)
    finally:
        logging.disable(logging.NOTSET)
    return path


def trained(module: nn.Module) -> nn.Module:
    """Give batch normalisation numbers as after training: none is 0 or 1, and no two are equal."""
    for part in module.modules():
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
            for tensor in (part.running_mean, part.running_var, part.weight.data, part.bias.data):
                assert tensor is not None
                tensor.uniform_(0.5, 1.5)
    return module


def written(
    path: Path, nodes: Sequence[onnx.NodeProto], inputs: dict[str, Sequence[int | str]] | None = None,
    outputs: Sequence[str] = ("y",), weights: Sequence[TensorProto] = (), opset: int = 17, **fields: Any,
) -> Path:  # fmt: skip
    """Write nodes as a file; its inputs are an image `x` unless others are named."""
    shapes = {"x": IMAGE} if inputs is None else inputs
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
    starts = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()]
    graph = helper.make_graph(list(nodes), "network", starts, ends, list(weights))
    sets = [helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)]
    path.write_bytes(helper.make_model(graph, opset_imports=sets, **fields).SerializeToString())
    return path
