"""What several chapters use: splits, panels of targets, frontiers, estimates with their intervals, and verdicts.

What one chapter alone uses lives in that chapter; what the method itself needs lives in `autobuild_lib`.
"""
