"""Notebooks in a batch: plans, how one notebook runs, one batch at a time in a folder, progress to follow.

What a run records, and how many runs are compared, lives in `runs`.
"""
