"""Small folders of images in ImageNet's layout, of random pixels."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image


def write_images(folder: Path, train: Sequence[int], val: Sequence[int], seed: int = 0) -> Path:
    """Write as many images per class as the numbers say, of 20 to 60 pixels, and return the folder."""
    rng = np.random.default_rng(seed)
    for part, counts in {"train": train, "val": val}.items():
        for number, count in enumerate(counts):
            place = folder / part / f"n{number:03}"
            place.mkdir(parents=True)
            for name in range(count):
                height, width = rng.integers(20, 60, 2)
                pixels = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(place / f"{name}.png")
    return folder
