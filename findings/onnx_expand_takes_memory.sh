#!/usr/bin/env bash
# What: onnx 1.23.0 (NumPy 2.4.6, Python 3.11), onnx.shape_inference.infer_shapes. A model of a hundred bytes expands a
# tensor (operator set 11) to a shape that is an input of the declared type int64[1099511627776]; nothing has that many.
#
# One would guess: the checker or shape inference refuses it, since no tensor has 2 ** 40 dimensions, or the shape stays
# open.
# What happens: the checker accepts it, and inference makes a list of 2 ** 40 dimensions: it takes memory until there is
# none. Where memory is limited (4 GB here) it is a MemoryError, elsewhere the system ends the process.
#
# Seen:
#   109 bytes, which the checker accepts
#   MemoryError
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install -qq --no-compile onnx==1.23.0 numpy==2.4.6

ulimit -v 4000000
timeout 300 env/bin/python - <<'EOF'
import sys

from onnx import TensorProto, checker, helper
from onnx.shape_inference import infer_shapes

image = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3])
shape = helper.make_tensor_value_info("shape", TensorProto.INT64, [2**40])
result = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["any"])
node = helper.make_node("Expand", ["x", "shape"], ["y"])
graph = helper.make_graph([node], "network", [image, shape], [result])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)])
checker.check_model(model)
print(f"{model.ByteSize()} bytes, which the checker accepts")
try:
    infer_shapes(model, strict_mode=True)
except MemoryError:
    print("MemoryError")
else:
    sys.exit("the behaviour has changed")
EOF
