"""Other predictors beside AutoBuild, on the same rows: contests, results, costs.

`models` holds the peers themselves.
"""
