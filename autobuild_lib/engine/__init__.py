"""Message passing over any graph, forward and backward, for several predictors side by side.

`passing` says what is computed, `kernels` are its compiled loops; equal neighbourhoods of op-level graphs are computed
once (`neighbourhoods`). What is learnt from it lives in `predictor`.
"""
