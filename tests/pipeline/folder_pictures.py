"""Folders of small pictures with labels, of different sizes."""

import imageio.v3 as iio
import numpy as np

SIZES = ((40, 60), (52, 44), (36, 70), (64, 48))
GREY = (60, 140)  # of what is outside and inside of the discs


def make_picture(seed, size):
    """Bright discs in the dark: the picture, and where the discs are."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: size[0], : size[1]]
    inside = np.zeros(size, bool)
    for _ in range(4):
        cy, cx, r = rng.integers(size[0]), rng.integers(size[1]), rng.integers(4, 9)
        inside |= (y - cy) ** 2 + (x - cx) ** 2 < r * r
    grey = np.where(inside, GREY[1], GREY[0]) + rng.normal(0, 10, size)
    return grey.clip(0, 255).astype(np.uint8), inside


def write_pair(part, name, seed, size, values=(0, 255)):
    """Write a picture and its labels; return where the discs are."""
    grey, inside = make_picture(seed, size)
    labels = np.asarray(values, np.uint8)[inside.astype(int)]
    for kind, picture in (("images", grey), ("labels", labels)):
        (part / kind).mkdir(parents=True, exist_ok=True)
        iio.imwrite(part / kind / f"{name}.png", picture)
    return inside


def write_data(folder, *, values=(0, 255)):
    """Write train, validate and test."""
    for number, size in enumerate(SIZES):
        write_pair(folder / "train", f"a{number}", number, size, values)
    write_pair(folder / "validate", "v0", 10, (50, 50), values)
    for number in range(2):
        write_pair(
            folder / "test", f"t{number}", 20 + number, (45, 66 + number), values
        )
    return folder


def cut_short(path):
    """Damage a file as an interrupted copy does."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
