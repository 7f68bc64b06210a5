"""Small U-Nets that fill in digits (claim C7): the task, what is built, and how it is judged.

`task` measures a network; `real_size` is the same question for Stable Diffusion's own U-Net.
"""
