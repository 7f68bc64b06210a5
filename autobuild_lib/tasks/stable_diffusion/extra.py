"""What the task takes from diffusers, which is an optional dependency; its types do not say what can be called."""

from typing import Any

try:
    import diffusers
except ModuleNotFoundError as error:
    raise ImportError(f"{error.name} is not installed: pip install 'autobuild-book[sd]'") from None

AutoencoderKL: Any = diffusers.AutoencoderKL
DDIMScheduler: Any = diffusers.DDIMScheduler
UNet2DConditionModel: Any = diffusers.UNet2DConditionModel
