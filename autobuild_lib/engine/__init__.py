"""Message passing over graphs, for several predictors side by side: on paths, and on op-level graphs.

Equal neighbourhoods of op-level graphs are computed once. What is learnt from it lives in `predictor`.
"""
