#!/usr/bin/env bash
# What: numba 0.68.0 (llvmlite 0.50.0, numpy 2.4.6), with fastmath={"reassoc"}, which lets sums be reordered.
# A loop reads float32 arrays of a few dozen numbers, writes one, and sums. The arrays are parts of one buffer that do
# not overlap; only the gap between the one that is written and one that is read changes. The numbers are the same.
#
# One would guess: which order of the sum the compiler takes is settled when it compiles, so that the same compiled
# function has the same result for the same numbers, wherever they lie in memory.
# What happens: two orders are compiled, and each call chooses by the addresses. Where what is written begins less than
# some dozens of numbers before what is read, the loop adds one by one, though nothing overlaps; otherwise in vectors.
# So one process gives two results for the same numbers, and which one depends on where the allocator puts arrays.
# A loop that sums and writes nothing has one result.
#
# Seen (compiled for processors with AVX2, NUMBA_CPU_NAME=haswell; 24 layouts of 32 numbers for each function):
#   sums and writes: 2 different sums
#   sums alone: 1 sum
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install -qq numba==0.68.0 llvmlite==0.50.0 numpy==2.4.6

NUMBA_CPU_NAME=haswell env/bin/python - <<'EOF'
import numpy as np
from numba import njit


@njit(fastmath={"reassoc"})
def sum_and_write(first, second, weights, written):
    total = np.float32(0)
    for i in range(len(weights)):
        value = first[i] + second[i]
        written[i] = value
        total += weights[i] * value
    return total


@njit(fastmath={"reassoc"})
def sum_alone(first, second, weights, written):
    total = np.float32(0)
    for i in range(len(weights)):
        total += weights[i] * (first[i] + second[i])
    return total


LENGTH, GAPS = 32, (0, 1, 2, 4, 8, 16, 24, 32, 48, 64, 128, 256)
first, second, values = np.random.default_rng(0).normal(size=(3, LENGTH)).astype(np.float32)


def results(function):
    """The sums of the same numbers in all layouts: what is written before the weights or behind, and how far."""
    sums = set()
    for gap in GAPS:
        for written_first in (True, False):
            buffer = np.zeros(2 * LENGTH + gap, np.float32)
            parts = buffer[:LENGTH], buffer[LENGTH + gap :]
            written, weights = parts if written_first else parts[::-1]
            weights[:] = values
            sums.add(float(function(first, second, weights, written)))
    return sums


writes, alone = len(results(sum_and_write)), len(results(sum_alone))
print("sums and writes:", writes, "different sums; sums alone:", alone)
assert (writes, alone) == (2, 1), "numba or its compiler chooses otherwise now"
EOF
