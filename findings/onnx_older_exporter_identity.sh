#!/usr/bin/env bash
# What: torch 2.13.0 (CPU), torch.onnx.export(dynamo=False), read with onnx 1.23.0, Python 3.11.
# Two convolutions, each with batch normalisation, are exported untrained and with other statistics.
#
# One would guess: training changes the numbers in the file, and not which operators the graph has.
# What happens: normalisation is folded into biases, which are equal (zeros) before training; equal biases are stored
# once, and an Identity node stands for the other. After training they differ, and the node is gone.
#
# Seen:
#   untrained: Conv Conv Identity Relu
#   trained: Conv Conv Relu
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install -qq --no-compile torch==2.13.0 numpy==2.4.6 onnx==1.23.0

env/bin/python -W ignore - <<'EOF'
import sys

import onnx
import torch
from torch import nn


def network():
    first, second = nn.Conv2d(3, 4, 3, bias=False), nn.Conv2d(4, 4, 3, bias=False)
    return nn.Sequential(first, nn.BatchNorm2d(4), nn.ReLU(), second, nn.BatchNorm2d(4)).eval()


untrained, trained = network(), network()
for part in (trained[1], trained[4]):
    part.running_mean.uniform_(0.5, 1.5)
seen = []
for name, module in (("untrained", untrained), ("trained", trained)):
    torch.onnx.export(module, (torch.zeros(1, 3, 8, 8),), "network.onnx", dynamo=False, opset_version=17)
    seen.append(" ".join(sorted(node.op_type for node in onnx.load("network.onnx").graph.node)))
    print(f"{name}: {seen[-1]}")
sys.exit(0 if seen == ["Conv Conv Identity Relu", "Conv Conv Relu"] else "the behaviour has changed")
EOF
