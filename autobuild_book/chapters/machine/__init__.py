"""Latency on the reader's own machine: measuring it, learning it, and judging what is built for it.

The meter, the learnt models, what is built, and the verdict. Latencies of other people's machines are labels of `data`.
"""
