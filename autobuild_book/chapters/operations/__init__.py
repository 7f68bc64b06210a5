"""Importance of operations in op-level graphs of two families (claim C2).
"""
