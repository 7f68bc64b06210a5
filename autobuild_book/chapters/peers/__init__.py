"""Other predictors beside AutoBuild, on the same rows: contests, results, costs."""
