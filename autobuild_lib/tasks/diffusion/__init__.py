"""Inpainting U-Nets trained by flow matching on 8x8 digits: the paper's diffusion experiment at a laptop's size."""

from autobuild_lib.tasks.diffusion.images import Digits, digits
from autobuild_lib.tasks.diffusion.measuring import Measurement, measure, read_rows, sample_architectures
from autobuild_lib.tasks.diffusion.metrics import baselines, evaluation_stream, frechet_distance, network_labels
from autobuild_lib.tasks.diffusion.space import Stage, costs, stages, unet_space
from autobuild_lib.tasks.diffusion.table import Agreement, agreement
from autobuild_lib.tasks.diffusion.training import Recipe, inpaint, train
from autobuild_lib.tasks.diffusion.unet import UNet

__all__ = [
    "Agreement",
    "Digits",
    "Measurement",
    "Recipe",
    "Stage",
    "UNet",
    "agreement",
    "baselines",
    "costs",
    "digits",
    "evaluation_stream",
    "frechet_distance",
    "inpaint",
    "measure",
    "network_labels",
    "read_rows",
    "sample_architectures",
    "stages",
    "train",
    "unet_space",
]
