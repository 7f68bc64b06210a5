"""A space and an evaluator of your own, on the example of small networks for digits.

Of two notebooks: 09 learns in a space from a file, 10 measures networks and searches among them.
"""
