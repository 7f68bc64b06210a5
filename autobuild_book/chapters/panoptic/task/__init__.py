"""Panoptic segmentation of generated images with elastic backbones: the paper's experiment at a laptop's size."""
