"""The inpainting U-Net of Stable Diffusion as a search space: the mini task's choices at the real size.

What stands here needs no diffusers. `networks` builds the U-Nets as diffusers' own modules and `evaluator` measures
them with the reader's weights and images; both need `pip install 'autobuild-book[sd]'`.
"""

from autobuild_book.chapters.diffusion.real_size.counting import costs, costs_of_codes
from autobuild_book.chapters.diffusion.real_size.space import Stage, original, stages, unet_space

__all__ = ["Stage", "costs", "costs_of_codes", "original", "stages", "unet_space"]
