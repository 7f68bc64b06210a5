"""Inpainting U-Nets trained by flow matching on 8x8 digits: the paper's diffusion experiment at a laptop's size."""

from autobuild_book.chapters.diffusion.task.images import Digits, digits
from autobuild_book.chapters.diffusion.task.measuring import Measurement, measure, read_rows, sample_architectures
from autobuild_book.chapters.diffusion.task.metrics import (
    baselines,
    evaluation_stream,
    frechet_distance,
    network_labels,
)
from autobuild_book.chapters.diffusion.task.space import Stage, costs, stages, unet_space
from autobuild_book.chapters.diffusion.task.table import Agreement, agreement
from autobuild_book.chapters.diffusion.task.training import Recipe, inpaint, train
from autobuild_book.chapters.diffusion.task.unet import UNet

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
