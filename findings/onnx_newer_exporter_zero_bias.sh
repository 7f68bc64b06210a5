#!/usr/bin/env bash
# What: torch 2.13.0 (CPU), torch.onnx.export(dynamo=True) with onnx 1.23.0 and onnxscript 0.7.2, Python 3.11.
# A convolution without bias and its batch normalisation are exported twice: as made, and with other statistics.
#
# One would guess: folding the normalisation gives the convolution a bias in both files, and the folded weight has a
# name of its own, since it is not the module's weight any more.
# What happens: the bias of the untrained module is zeros, and the exporter leaves it out: the convolution of the same
# architecture has two inputs before training and three after. The folded weight is still called "0.weight", as the
# module's parameter with other numbers is.
#
# Seen:
#   untrained: inputs of Conv 2, initializers ['0.weight'], 0.weight is the module's: False
#   trained: inputs of Conv 3, initializers ['0.weight', '0.weight_bias'], 0.weight is the module's: False
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install -qq --no-compile torch==2.13.0 numpy==2.4.6 onnx==1.23.0 onnxscript==0.7.2 onnx-ir==1.1.0

env/bin/python - <<'EOF' 2>/dev/null
import sys

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn


def exported(module):
    torch.onnx.export(module.eval(), (torch.zeros(1, 3, 8, 8),), "network.onnx", dynamo=True, verbose=False)
    graph = onnx.load("network.onnx").graph
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    (convolution,) = [node for node in graph.node if node.op_type == "Conv"]
    return len(convolution.input), weights


torch.manual_seed(0)
untrained = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4))
trained = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4))
trained[1].running_mean.uniform_(0.5, 1.5)
trained[1].running_var.uniform_(0.5, 1.5)
seen = []
for name, module in (("untrained", untrained), ("trained", trained)):
    inputs, weights = exported(module)
    same = np.array_equal(weights["0.weight"], module[0].weight.detach().numpy())
    print(f"{name}: inputs of Conv {inputs}, initializers {sorted(weights)}, 0.weight is the module's: {same}")
    seen.append((inputs, same))
sys.exit(0 if seen == [(2, False), (3, False)] else "the behaviour has changed")
EOF
