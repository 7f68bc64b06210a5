"""What the task takes from diffusers, which is an optional dependency; its types do not say what can be called."""

from typing import Any

from autobuild_lib.extras import extra

with extra("sd"):
    import diffusers

AutoencoderKL: Any = diffusers.AutoencoderKL
DDIMScheduler: Any = diffusers.DDIMScheduler
UNet2DConditionModel: Any = diffusers.UNet2DConditionModel
