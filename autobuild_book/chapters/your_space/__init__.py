"""A space and an evaluator of your own, on the example of small networks for digits.
"""
