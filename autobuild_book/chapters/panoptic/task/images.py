"""Generated images with 'things' before 'stuff', and their exact panoptic segmentation.

Every image is drawn from a random stream of its own, so a pool's first images do not depend on how many are asked for.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from autobuild_lib.progress import progress_bar

SIDE = 64
STUFF = ("stripes", "checker", "blobs", "waves")
THINGS = ("ellipse", "square", "triangle", "cross")
CLASSES = STUFF + THINGS
VOID = 255  # the class of pixels that belong to no segment
SMALLEST = 24  # visible pixels of a segment
POOLS = ("train", "A", "B")  # to train on, for labels, for final comparisons
POOL_SEED = 12345
NOISE = 0.06  # standard deviation, of colours in [0, 1]
MOST_THINGS = 7
RADII = (5.0, 12.0)  # of things, in pixels
PALETTE = np.array([[.80, .30, .25], [.25, .45, .80], [.30, .65, .35], [.75, .65, .25],
                    [.60, .30, .70], [.25, .70, .70], [.85, .50, .65], [.50, .40, .25]])  # fmt: skip

Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Scenes:
    """Images [N, 64, 64, 3] with, for every pixel, its class and its instance [N, 64, 64].

    Classes are places in `CLASSES`, or `VOID`. Instances count the things of an image from 1, with gaps where one is
    hidden; stuff and void have 0.
    """

    images: Bytes
    classes: Bytes
    instances: Bytes

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, rows: slice) -> "Scenes":
        return Scenes(self.images[rows], self.classes[rows], self.instances[rows])


def draw_scenes(pool: str, count: int, first: int = 0, progress: bool = False) -> Scenes:
    """Draw `count` images of a pool, "train", "A" or "B", from number `first` on; no image is in two pools."""
    if pool not in POOLS:
        raise ValueError(f"pool={pool!r}; choose from {', '.join(POOLS)}")
    if count < 1:
        raise ValueError(f"count={count} images; at least 1 is needed")
    numbers = progress_bar(range(first, first + count), f"drawing {pool}", unit="image", disable=not progress)
    drawn = [draw_scene(np.random.default_rng([POOL_SEED, POOLS.index(pool), number])) for number in numbers]
    return Scenes(*(np.stack(parts) for parts in zip(*drawn, strict=True)))


def draw_scene(rng: np.random.Generator) -> tuple[Bytes, Bytes, Bytes]:
    """Draw an image [64, 64, 3] with classes and instances [64, 64].

    2 to 4 regions of different stuff; before them 2 to 7 things, later ones hiding earlier ones.
    """
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5
    regions, things = int(rng.integers(2, len(STUFF) + 1)), int(rng.integers(2, MOST_THINGS + 1))
    kinds = np.concatenate([rng.permutation(len(STUFF))[:regions], len(STUFF) + rng.integers(0, len(THINGS), things)])
    behind = _regions(rng, x, y, regions)
    masks = _shapes(rng, x, y, kinds[regions:] - len(STUFF))
    top = masks.shape[0] - 1 - masks[::-1].argmax(0)  # the last thing that covers a pixel
    segment = np.where(masks.any(0), regions + top, behind)  # [64, 64], a number below regions + things
    patterns = [TEXTURES[kind](rng, x, y) for kind in kinds[:regions]]
    patterns += [_fine_stripes(rng, x, y) if rng.random() < 0.5 else np.zeros_like(x) for _ in range(things)]
    image = _paint(rng, kinds, np.stack(patterns), segment)
    visible = np.bincount(segment.ravel(), minlength=len(kinds)) >= SMALLEST
    classes = np.where(visible, kinds, VOID).astype(np.uint8)[segment]
    numbers = np.where(visible & (kinds >= len(STUFF)), np.arange(len(kinds)) - regions + 1, 0)
    return image, classes, numbers.astype(np.uint8)[segment]


def _paint(rng: np.random.Generator, kinds: Places, patterns: Numbers, segment: Places) -> Bytes:
    """Colour segments by two colours each, half the palette's and half random, mixed by patterns [S, 64, 64]."""
    first = (PALETTE[kinds] + rng.random((len(kinds), 3))) / 2
    second = first + rng.uniform(0.15, 0.35, (len(kinds), 1)) * rng.choice([-1, 1], (len(kinds), 1))
    mix = np.take_along_axis(patterns, segment[None], 0)[0][..., None]
    colours = first[segment] * (1 - mix) + second[segment] * mix
    noisy = colours + NOISE * rng.standard_normal((SIDE, SIDE, 3))
    return np.asarray(np.rint(noisy.clip(0, 1) * 255), dtype=np.uint8)


# -------------------------------------------------------------------- shapes


def _regions(rng: np.random.Generator, x: Numbers, y: Numbers, count: int) -> Places:
    """Number the pixels by the nearest of `count` sites, after a wavy warp."""
    sites = rng.random((count, 2, 1, 1)) * SIDE
    amplitude, phase = rng.uniform(1, 5, 2), rng.uniform(0, 2 * np.pi, 2)
    wave = 2 * np.pi / rng.uniform(20, 50, 2)
    warped = np.stack([x + amplitude[0] * np.sin(wave[0] * y + phase[0]),
                       y + amplitude[1] * np.sin(wave[1] * x + phase[1])])  # fmt: skip
    return np.asarray(np.square(warped - sites).sum(1).argmin(0))


def _shapes(rng: np.random.Generator, x: Numbers, y: Numbers, kinds: Places) -> npt.NDArray[np.bool_]:
    """Return masks [T, 64, 64] of things at random places, of random sizes and turned at random."""
    shape = (len(kinds), 1, 1)
    centre, radius = rng.uniform(4, SIDE - 4, (2, *shape)), rng.uniform(*RADII, shape)
    angle = rng.uniform(0, 2 * np.pi, shape)
    along, across = np.stack([x - centre[0], y - centre[1]]) / radius
    u, v = along * np.cos(angle) + across * np.sin(angle), across * np.cos(angle) - along * np.sin(angle)
    far, near = np.maximum(abs(u), abs(v)), np.minimum(abs(u), abs(v))
    triangle = np.maximum(np.maximum(v, -v / 2 + u * np.sqrt(0.75)), -v / 2 - u * np.sqrt(0.75)) < 0.5
    inside = np.stack([u**2 + (v / 0.65) ** 2 < 1, far < 0.8, triangle, (near < 0.3) & (far < 1)])
    return np.asarray(inside[kinds, np.arange(len(kinds))])


# -------------------------------------------------------------------- textures: patterns [64, 64] in [0, 1]


def _turned(rng: np.random.Generator, x: Numbers, y: Numbers) -> Numbers:
    angle = rng.uniform(0, np.pi)
    return np.stack([x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)])


def _stripes(rng: np.random.Generator, x: Numbers, y: Numbers) -> Numbers:
    place = _turned(rng, x, y)[0] / rng.uniform(6, 11) + rng.random()
    return np.asarray(place % 1 < 0.5, dtype=np.float64)


def _fine_stripes(rng: np.random.Generator, x: Numbers, y: Numbers) -> Numbers:
    place = _turned(rng, x, y)[0] / rng.uniform(3, 5) + rng.random()
    return np.asarray(place % 1 < 0.5, dtype=np.float64)


def _checker(rng: np.random.Generator, x: Numbers, y: Numbers) -> Numbers:
    places = _turned(rng, x, y) / rng.uniform(4, 7) + rng.random((2, 1, 1))
    return np.asarray(np.floor(places).sum(0) % 2)


def _blobs(rng: np.random.Generator, x: Numbers, y: Numbers) -> Numbers:
    waves = rng.normal(scale=0.45, size=(2, 8, 1, 1))  # a random field: the sum of eight plane waves
    field = np.cos(waves[0] * x + waves[1] * y + rng.uniform(0, 2 * np.pi, (8, 1, 1))).sum(0)
    return np.asarray(field > 0.8, dtype=np.float64)


def _waves(rng: np.random.Generator, x: Numbers, y: Numbers) -> Numbers:
    along, across = _turned(rng, x, y)
    bend = rng.uniform(2, 4) * np.sin(2 * np.pi * across / rng.uniform(12, 20) + rng.uniform(0, 2 * np.pi))
    return np.asarray(0.5 + 0.5 * np.sin(2 * np.pi * (along + bend) / rng.uniform(6, 11)))


TEXTURES = (_stripes, _checker, _blobs, _waves)
