#!/usr/bin/env bash
# What: nas-bench-graph 1.4.0 (whose __version__ says 1.3; Python 3.11, numpy 2.4.6, which its files need). The
# benchmark of the data set "proteins" has five operations instead of nine, and Arch.hash_arch, which computes the
# number under which a network stands in a benchmark, has an argument use_proteins.
#
# One would guess: for that benchmark the number is hash_arch(use_proteins=True), or else there is an error.
# What happens: the file numbers its networks as all others do, with ten digits a place, while use_proteins=True counts
# with six. So nearly all look-ups end in a KeyError, and seven give the results of another network: no error, and wrong
# by up to ten points of accuracy. hash_arch() without the argument, or valid_hash(), is right for every network.
#
# Seen:
#   hash_arch(): right 2021, another network 0, absent 0; wrong by up to 0.000
#   hash_arch(use_proteins=True): right 0, another network 7, absent 2014; wrong by up to 0.100
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install -qq --no-compile nas-bench-graph==1.4.0 numpy==2.4.6

env/bin/python - <<'EOF'
import sys

from nas_bench_graph import Arch, light_read
from nas_bench_graph.architecture import gnn_list, link_list

bench = light_read("proteins")
seen = {}
for arguments in ({}, {"use_proteins": True}):
    right = other = absent = 0
    worst = 0.0
    for number, results in bench.items():
        tree, *operations = (int(digit) for digit in f"{number:05d}")
        network = Arch(list(link_list[tree]), [gnn_list[operation] for operation in operations])
        assert network.valid_hash() == number
        looked_up = network.hash_arch(**arguments)
        right += looked_up == number
        absent += looked_up not in bench
        if looked_up in bench and looked_up != number:
            other += 1
            worst = max(worst, abs(bench[looked_up]["valid_perf"] - results["valid_perf"]))
    text = ", ".join(f"{name}={value}" for name, value in arguments.items())
    print(f"hash_arch({text}): right {right}, another network {other}, absent {absent}; wrong by up to {worst:.3f}")
    seen[text] = (right, other, absent)
expected = {"": (2021, 0, 0), "use_proteins=True": (0, 7, 2014)}
sys.exit(0 if seen == expected else "the behaviour has changed")
EOF
