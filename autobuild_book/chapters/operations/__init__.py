"""Importance of operations in op-level graphs of two families (claim C2).

Importance at hop 0, effects of operations, their rankings, and the verdict. The graphs live in `autobuild_lib.graphs`.
"""
