"""Pareto regions: reduced spaces that improve them (claim C4), and searches inside (claim C5).
"""
