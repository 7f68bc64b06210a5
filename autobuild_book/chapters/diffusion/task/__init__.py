"""Inpainting U-Nets trained by flow matching on 8x8 digits: the paper's diffusion experiment at a laptop's size.

The search space, the network, its training, its log distance, and rows of measurements. Which networks are built and
how they are judged lives one folder up; Stable Diffusion at its own size in `real_size`.
"""
