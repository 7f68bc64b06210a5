"""Inpainting U-Nets trained by flow matching on 8x8 digits: the paper's diffusion experiment at a laptop's size."""
