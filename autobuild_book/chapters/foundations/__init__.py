"""The first two chapters: the data, and the method step by step.

What they show is computed by `autobuild_lib`; here are their figures.
"""
