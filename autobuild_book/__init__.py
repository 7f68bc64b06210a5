"""The companion to the AutoBuild paper: what the chapters of the book compute, measure and draw, and how it is built.

Here lives what notebooks, pages, labs and the command line need beyond the method. The method itself does not:
it is `autobuild_lib`, which never imports anything from here.
"""
