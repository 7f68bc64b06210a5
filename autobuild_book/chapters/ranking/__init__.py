"""How well each hop ranks architectures (claim C1).

Rank correlations by hop, of presets and of training sizes, and the verdict. Figures of ranks live in `figures`.
"""
