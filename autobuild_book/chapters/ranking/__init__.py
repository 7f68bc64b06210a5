"""How well each hop ranks architectures (claim C1).
"""
