"""Search spaces as context-free grammars (Schrodi et al., NeurIPS 2023): texts, derivations, counts, moves, kernel.

Construction of Hierarchical Neural Architecture Search Spaces based on Context-free Grammars.
"""
