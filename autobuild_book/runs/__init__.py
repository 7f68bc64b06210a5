"""What a notebook's run records, and many runs: sweeps and their comparison.

How notebooks are run lives in `chain`.
"""
