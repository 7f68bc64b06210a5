"""The best and worst modules (claim C3): scores, interventions that test them, and the verdict.

How a module is scored lives in `autobuild_lib.units`; panels of targets in `chapters.shared`.
"""
