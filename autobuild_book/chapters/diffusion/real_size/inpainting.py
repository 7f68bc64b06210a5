"""Inpainting with a latent diffusion U-Net, and nothing of the pipeline but autoencoder, scheduler and one prompt.

diffusers' own inpainting pipeline cannot be imported without transformers; this is what it computes without guidance
(R. Rombach et al., 2022), by deterministic steps (J. Song et al., "Denoising Diffusion Implicit Models", 2021).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from autobuild_book.chapters.diffusion.real_size.extra import AutoencoderKL, DDIMScheduler
from autobuild_book.chapters.diffusion.real_size.files import read_text, weights_file


@dataclass(frozen=True, eq=False)
class Inpainter:
    """Everything but the U-Net: `vae`, `scheduler`, and the prompt's embedding `text` [1, tokens, channels]."""

    vae: Any
    scheduler: Any
    text: Tensor

    @classmethod
    def load(cls, weights: Path, text: Path, device: str) -> "Inpainter":
        """Load from a local folder, safetensors only; no code comes along."""
        variant = "fp16" if "fp16" in weights_file(weights / "vae").name else None
        local: dict[str, Any] = {"local_files_only": True}
        try:
            vae = AutoencoderKL.from_pretrained(
                weights, subfolder="vae", use_safetensors=True, low_cpu_mem_usage=False, variant=variant, **local
            )
            # Clipping, which a file may leave to the default, is for pixels; latents leave [-1, 1].
            scheduler = DDIMScheduler.from_pretrained(weights, subfolder="scheduler", clip_sample=False, **local)
        except (OSError, RuntimeError) as error:
            raise ValueError(f"{weights}: cannot be loaded ({' '.join(str(error).split()):.300})") from None
        return cls(vae.float().to(device).eval().requires_grad_(False), scheduler, read_text(text).to(device))

    @property
    def shrink(self) -> int:
        """Pixels of an image per pixel of its latents, along a side."""
        return int(2 ** (len(self.vae.config.block_out_channels) - 1))

    @torch.no_grad()
    def fill(self, network: Callable[..., Any], images: Tensor, masks: Tensor, noise: Tensor, steps: int) -> Tensor:
        """Inpaint images [B, 3, H, W] in [-1, 1] where masks [B, 1, H, W] are 1, from latent noise [B, C, h, w].

        network: a U-Net of 2 C + 1 input channels. The visible pixels of the result are those of the images.
        """
        scale = self.vae.config.scaling_factor
        seen = self.vae.encode(images * (1 - masks)).latent_dist.mode() * scale
        inputs = [F.interpolate(masks, size=noise.shape[2:]), seen]
        text, latents = self.text.expand(len(images), -1, -1), noise * self.scheduler.init_noise_sigma
        self.scheduler.set_timesteps(steps)
        for time in self.scheduler.timesteps:
            noisy = self.scheduler.scale_model_input(latents, time)
            predicted = network(torch.cat([noisy, *inputs], 1), time, text).sample
            latents = self.scheduler.step(predicted, time, latents).prev_sample
        filled: Tensor = self.vae.decode(latents / scale).sample.clamp(-1, 1)
        return images * (1 - masks) + filled * masks
