"""Folders of images: lists, hostile files, and the parts of images that networks see."""

import contextlib
import os
import re
import socket
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from autobuild_book.imagenet import images
from tests.helpers.image_folders import write_images


def gradient(width: int, height: int) -> Image.Image:
    """An image whose red is the place from the left, and whose green that from the top."""
    rows, columns = np.mgrid[:height, :width]
    return Image.fromarray(np.stack([columns, rows, 0 * rows], axis=2).astype(np.uint8))


def pipe(path: Path) -> None:
    os.mkfifo(path)


def unix_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound, contextlib.chdir(path.parent):  # whole paths may be too long
        bound.bind(path.name)


NO_FILES: dict[str, Callable[[Path], object]] = {
    "pipe": pipe, "socket": unix_socket, "folder": Path.mkdir, "broken link": lambda path: path.symlink_to("nowhere"),
}  # fmt: skip


class TestLists:
    def test_classes_are_numbered_by_name(self, tmp_path: Path) -> None:
        folder = write_images(tmp_path, [1], [2, 1]) / "val"
        (folder / "n000" / "note.txt").write_text("no image")
        (folder / "list.txt").write_text("no class")
        classes, labelled = images.list_images(folder)
        assert classes == ["n000", "n001"]
        assert [(path.relative_to(folder).as_posix(), number) for path, number in labelled] == [
            ("n000/0.png", 0), ("n000/1.png", 0), ("n001/0.png", 1),
        ]  # fmt: skip

    def test_what_is_missing_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="val"):
            images.list_images(tmp_path / "val")
        with pytest.raises(ValueError, match=str(tmp_path)):
            images.list_images(tmp_path)
        (tmp_path / "n000").mkdir()
        with pytest.raises(ValueError, match="n000"):
            images.list_images(tmp_path)

    @pytest.mark.parametrize("kind", NO_FILES)
    def test_an_image_that_is_no_file_is_refused_at_once(self, tmp_path: Path, kind: str) -> None:
        folder = write_images(tmp_path, [], [1, 1]) / "val"
        NO_FILES[kind](folder / "n001" / "x.png")
        with pytest.raises(ValueError, match=re.escape(f"{folder / 'n001' / 'x.png'}: not a regular file")) as error:
            images.list_images(folder)
        assert type(error.value) is ValueError and "\n" not in str(error.value)

    def test_a_link_to_an_image_is_an_image(self, tmp_path: Path) -> None:
        folder = write_images(tmp_path, [], [1]) / "val"
        (folder / "n000" / "link.png").symlink_to(folder / "n000" / "0.png")
        _, labelled = images.list_images(folder)
        assert [path.name for path, _ in labelled] == ["0.png", "link.png"]
        assert images.checksum(labelled[0][0]) == images.checksum(labelled[1][0])

    def test_a_choice_depends_on_the_seed_alone(self) -> None:
        labelled = [(Path(str(number)), number) for number in range(50)]
        first, again, other = (images.choose(labelled, 10, seed) for seed in (1, 1, 2))
        assert first == again != other
        assert len(set(first)) == 10 and first == sorted(first, key=lambda pair: pair[1])
        assert images.choose(labelled, 0, 1) == images.choose(labelled, 80, 1) == labelled


class TestReading:
    @pytest.mark.parametrize("mode", ["L", "P", "CMYK", "RGBA", "1", "I;16"])
    def test_all_kinds_of_images_become_colours(self, tmp_path: Path, mode: str) -> None:
        path = tmp_path / ("x.jpg" if mode == "CMYK" else "x.png")
        Image.new(mode, (5, 4)).save(path)
        assert images.read(path).mode == "RGB" and images.read(path).size == (5, 4)

    def test_what_is_no_image_is_one_line(self, tmp_path: Path) -> None:
        path = tmp_path / "x.png"
        gradient(60, 60).save(path)
        whole = path.read_bytes()
        gradient(4, 4).save(tmp_path / "x.gif")
        other_format = (tmp_path / "x.gif").read_bytes()
        for content in (b"", b"text", whole[:60], whole[: len(whole) // 2], other_format, b"%!PS-Adobe-3.0 EPSF-3.0"):
            path.write_bytes(content)
            with pytest.raises(ValueError, match=r"x\.png") as error:
                images.read(path)
            assert "\n" not in str(error.value)

    @pytest.mark.parametrize("side", [8200, 10_000, 100_000])
    def test_an_image_of_too_many_pixels_is_not_decoded(self, tmp_path: Path, side: int) -> None:
        header = b"IHDR" + struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
        chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
        (tmp_path / "x.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 0) + b"IDAT")
        with pytest.raises(ValueError, match=r"x\.png.*pixels"):
            images.read(tmp_path / "x.png")

    @pytest.mark.parametrize("kind", NO_FILES)
    @pytest.mark.parametrize("look", [images.read, images.checksum])
    def test_what_is_no_file_is_not_waited_for(self, tmp_path: Path, kind: str, look: Callable[[Path], object]) -> None:
        NO_FILES[kind](tmp_path / "x.png")
        with pytest.raises(ValueError, match=r"x\.png: .*not a regular file") as error:
            look(tmp_path / "x.png")
        assert type(error.value) is ValueError and "\n" not in str(error.value)


class TestChecksums:
    @pytest.mark.parametrize("size", [0, 1, images.END - 1, images.END, images.END + 1, 3 * images.END])
    def test_size_and_both_ends_count(self, tmp_path: Path, size: int) -> None:
        path, content = tmp_path / "x.png", bytes(size)
        path.write_bytes(content)
        seen = {images.checksum(path)}
        for other in (content + b"\0", *(content[:at] + b"x" + content[at + 1 :] for at in (0, size - 1) if size > 1)):
            path.write_bytes(other)
            seen.add(images.checksum(path))
        assert len(seen) == (4 if size > 1 else 2) and {len(text) for text in seen} == {64}
        path.write_bytes(content)
        assert images.checksum(path) in seen


class TestParts:
    def test_the_centre_of_a_square(self) -> None:
        pixels = np.asarray(images.centre(gradient(147, 147), 128))  # 128 / 0.875 rounded up: nothing is scaled
        assert pixels.shape == (128, 128, 3)
        assert pixels[0, 0].tolist() == [10, 10, 0] and pixels[127, 127].tolist() == [137, 137, 0]

    def test_the_centre_of_a_long_image(self) -> None:
        pixels = np.asarray(images.centre(gradient(199, 147), 128))
        assert pixels[0, 0].tolist() == [36, 10, 0] and pixels[127, 127].tolist() == [163, 137, 0]

    def test_the_shorter_side_is_scaled(self) -> None:
        pixels = np.asarray(images.centre(gradient(40, 80), 224)).astype(float)  # to 256 x 512
        assert pixels.shape == (224, 224, 3)
        for place, channel, middle in (((112, 0), 0, 16 / 6.4), ((112, 223), 0, 240 / 6.4), ((0, 112), 1, 144 / 6.4)):
            assert pixels[place][channel] == pytest.approx(middle, abs=1)

    @pytest.mark.parametrize("size", [(200, 100), (100, 200), (200, 200)])
    def test_random_parts_have_the_areas_and_shapes(self, size: tuple[int, int]) -> None:
        picture, mirrored, areas = gradient(*size), 0, []
        for seed in range(200):
            pixels = np.asarray(images.random_part(picture, 64, np.random.default_rng(seed))).astype(float)
            assert pixels.shape == (64, 64, 3)
            red, green = pixels[32, :, 0], pixels[:, 32, 1]
            mirrored += red[0] > red[-1]
            wide, high = ((abs(line[-1] - line[0]) + 1) * 64 / 63 for line in (red, green))
            assert wide / high == pytest.approx(1, abs=0.45)
            areas.append(wide * high / (size[0] * size[1]))
        assert 70 < mirrored < 130
        assert 0.05 < min(areas) < 0.2 and 0.4 < max(areas) < 1.05

    def test_where_no_part_lies_inside_it_is_the_middle(self) -> None:
        pixels = np.asarray(images.random_part(gradient(250, 3), 32, np.random.default_rng(0)))
        assert 123 <= pixels[..., 0].min() < pixels[..., 0].max() <= 126  # 4 of 250 columns
        assert pixels[..., 1].max() == 2


class TestBatches:
    @pytest.mark.parametrize("threads", [1, 3])
    def test_they_come_in_order(self, tmp_path: Path, threads: int) -> None:
        labelled = []
        for number in range(7):
            Image.new("RGB", (6, 6), (number, 0, 255)).save(tmp_path / f"{number}.png")
            labelled.append((tmp_path / f"{number}.png", 10 * number))
        seen = list(images.batches(labelled, lambda picture, place: picture.crop((0, 0, 4, 4)), 2, threads))
        assert [tuple(pixels.shape) for pixels, _ in seen] == [(2, 3, 4, 4)] * 3 + [(1, 3, 4, 4)]
        assert torch.cat([classes for _, classes in seen]).tolist() == [0, 10, 20, 30, 40, 50, 60]
        assert torch.cat([pixels for pixels, _ in seen])[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 4, 5, 6]

    def test_an_image_that_cannot_be_read_ends_them(self, tmp_path: Path) -> None:
        (tmp_path / "x.png").write_text("text")
        with pytest.raises(ValueError, match=r"x\.png"):
            list(images.batches([(tmp_path / "x.png", 0)], lambda picture, place: picture, 2, 1))

    def test_colours_are_normalised_as_in_training(self) -> None:
        pixels = torch.tensor([124, 116, 104], dtype=torch.uint8).view(1, 3, 1, 1)  # ImageNet's mean, rounded
        assert images.normalised(pixels).abs().max() < 0.01
        white = images.normalised(torch.full((1, 3, 1, 1), 255, dtype=torch.uint8)).flatten()
        assert white.tolist() == pytest.approx([0.515 / 0.229, 0.544 / 0.224, 0.594 / 0.225], rel=1e-6)
