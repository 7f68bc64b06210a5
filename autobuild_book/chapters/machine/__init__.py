"""Latency on the reader's own machine: measuring it, learning it, and judging what is built for it.
"""
