"""Pareto regions: reduced spaces that improve them (claim C4), and searches inside (claim C5).

Clusters of built networks, searches and their gains, the explorer's data, and both verdicts. Evolution itself lives in
`autobuild_lib.search`.
"""
