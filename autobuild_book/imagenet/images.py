"""Folders of images in ImageNet's layout, read and cut as the once-for-all project does; reading is done in threads."""

import hashlib
import math
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from autobuild_lib.extras import extra
from autobuild_lib.values import naming

with extra("imagenet"):
    from PIL import Image

Picture: TypeAlias = Image.Image
Labelled: TypeAlias = tuple[Path, int]  # an image, and the number of its class
Batches: TypeAlias = Iterator[tuple[Tensor, Tensor]]  # images, and the numbers of their classes
Cut: TypeAlias = Callable[[Picture, int], Picture]  # from an image and its place in a list to the part that is used

FORMATS = ("BMP", "JPEG", "PNG", "PPM", "TIFF", "WEBP")  # no others are tried, whatever a file says that it is
SUFFIXES = {".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
MOST_PIXELS = 1 << 26  # of one image
KEPT = 0.875  # side of the centre, as a part of the shorter side
AREAS, RATIO = (0.08, 1.0), 4 / 3  # of a random part: its share of the area, its longer side over its shorter one
TRIES = 10  # at a random part that lies inside
MEAN, SD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])  # of ImageNet's red, green, blue
END = 1 << 16  # bytes at the beginning, and at the end, of a file by which it is told from others
AHEAD = 2  # batches that are read before they are used


def list_images(folder: Path) -> tuple[list[str], list[Labelled]]:
    """Return classes and images of a folder that has a folder of images for each class, both in the order of names.

    Raises `ValueError` for a folder without classes, for a class without images, and for an image that is no file.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder}: there is no such folder; needed is one with a folder of images for each class")
    classes = sorted(path.name for path in folder.iterdir() if path.is_dir())
    images: list[Labelled] = []
    for number, name in enumerate(classes):
        paths = sorted(path for path in (folder / name).iterdir() if path.suffix.lower() in SUFFIXES)
        if not paths:
            raise ValueError(f"{folder / name}: there are no images; allowed are files {', '.join(sorted(SUFFIXES))}")
        if no_files := [path for path in paths if not path.is_file()]:
            raise ValueError(f"{no_files[0]}: not a regular file; allowed are files and links to them")
        images += [(path, number) for path in paths]
    if not images:
        raise ValueError(f"{folder}: it is empty; needed is a folder of images for each class")
    return classes, images


def choose(images: Sequence[Labelled], count: int, seed: int) -> list[Labelled]:
    """Return `count` random images in their order, or all where there are no more; 0 means all."""
    if not 0 < count < len(images):
        return list(images)
    return [images[place] for place in sorted(np.random.default_rng(seed).permutation(len(images))[:count])]


def checksum(path: Path) -> str:
    """Return a checksum of a file's size and of its first and last `END` bytes; `ValueError` for what is no file."""
    with naming(f"{path}: not a file that can be read", caught=(OSError, ValueError)), open_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        digest = hashlib.sha256(b"%d " % size + file.read(END))
        file.seek(max(size - END, 0))
        digest.update(file.read(END))
    return digest.hexdigest()


def open_file(path: Path) -> BinaryIO:
    """Open a regular file to read; `ValueError` for anything else, such as a pipe, which would be waited for."""
    if not path.is_file():
        raise ValueError("not a regular file")
    return path.open("rb")


def read(path: Path) -> Picture:
    """Return an image in colours; `ValueError` for what is none, is damaged, or has more than `MOST_PIXELS`."""
    refusal = naming(f"{path}: not an image that can be read", caught=(Exception,))  # Pillow raises many kinds
    with refusal, open_file(path) as file, Image.open(file, formats=FORMATS) as picture:
        if (pixels := picture.width * picture.height) > MOST_PIXELS:
            raise ValueError(f"{pixels:,} pixels; allowed are at most {MOST_PIXELS:,}")
        return picture.convert("RGB")


def centre(picture: Picture, side: int) -> Picture:
    """Return the square of `side` pixels in the middle, after the shorter side has been made that long over `KEPT`."""
    short, scaled = min(picture.size), math.ceil(side / KEPT)
    width, height = (int(scaled * length / short) for length in picture.size)
    left, top = round((width - side) / 2), round((height - side) / 2)
    return picture.resize((width, height), Image.Resampling.BILINEAR).crop((left, top, left + side, top + side))


def random_part(picture: Picture, side: int, rng: np.random.Generator) -> Picture:
    """Return a random part as a square of `side` pixels, mirrored half of the time (`AREAS`, `RATIO`)."""
    width, height = picture.size
    wide, high = min(width, round(RATIO * height)), min(height, round(RATIO * width))  # where no try lies inside
    left, top = (width - wide) // 2, (height - high) // 2
    for _ in range(TRIES):
        area, ratio = width * height * rng.uniform(*AREAS), RATIO ** rng.uniform(-1, 1)
        drawn = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < drawn[0] <= width and 0 < drawn[1] <= height:
            wide, high = drawn
            left, top = int(rng.integers(width - wide + 1)), int(rng.integers(height - high + 1))
            break
    part = picture.resize((side, side), Image.Resampling.BILINEAR, (left, top, left + wide, top + high))
    return part.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else part


def batches(images: Sequence[Labelled], cut: Cut, size: int, threads: int) -> Batches:
    """Yield images, uint8 [N, 3, side, side], and the numbers of their classes, [N], in order, `size` at a time."""

    def pixels(place: int) -> npt.NDArray[np.uint8]:
        return np.asarray(cut(read(images[place][0]), place))

    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[tuple[Iterator[npt.NDArray[np.uint8]], Tensor]] = deque()
        for start in range(0, len(images), size):
            places = range(start, min(start + size, len(images)))
            waiting.append((pool.map(pixels, places), torch.tensor([images[place][1] for place in places])))
            if len(waiting) > AHEAD:
                yield _stacked(*waiting.popleft())
        while waiting:
            yield _stacked(*waiting.popleft())


def _stacked(pictures: Iterator[npt.NDArray[np.uint8]], classes: Tensor) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(np.stack(list(pictures))).permute(0, 3, 1, 2), classes


def normalised(pixels: Tensor) -> Tensor:
    """Return uint8 [N, 3, side, side] as the numbers that networks take: float32, of mean 0 and deviation 1."""
    mean, sd = (moment.to(pixels.device).view(3, 1, 1) for moment in (MEAN, SD))
    return (pixels.float() / 255 - mean) / sd
