"""The commands `autobuild task ...`: one for each task, from the chapter of the task."""

import argparse

from autobuild_book.chapters.diffusion.commands import add_diffusion
from autobuild_book.chapters.panoptic.commands import add_panoptic
from autobuild_book.chapters.peers.commands import add_proxies
from autobuild_book.chapters.your_space.commands import add_mlps


def add_tasks(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `autobuild task`."""
    tasks = parser.add_subparsers(required=True, metavar="task")
    add_diffusion(tasks.add_parser("diffusion", help="inpainting U-Nets on handwritten digits"))
    add_panoptic(tasks.add_parser("panoptic", help="panoptic segmentation of generated images"))
    add_mlps(tasks.add_parser("mlps", help="small perceptrons on handwritten digits"))
    add_proxies(tasks.add_parser("proxies", help="zero-cost proxies of untrained networks"))
