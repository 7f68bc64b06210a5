"""Backbones for panoptic segmentation (claim C6): the task, what is built, and how it is judged.

`task` draws images, trains a network and measures its panoptic quality.
"""
