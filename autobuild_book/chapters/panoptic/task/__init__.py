"""Panoptic segmentation of generated images with elastic backbones: the paper's experiment at a laptop's size.

The search space, images, network, training and the quality itself, with rows of measurements. Which backbones are built
and how they are judged lives one folder up.
"""
