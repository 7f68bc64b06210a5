"""Modules: the corpus of all unit contents, their scores (norm, effect), and the spaces reduced to the best.

Predictors, which the scores come from, live in `predictor`; searches inside a reduced space live in `search`.
"""
