"""Tiny phantoms of ellipses and their sinograms, for tests of reconstruction."""

import numpy as np
from skimage.transform import radon

SIDE, ANGLES = 24, 18


def make_slices(count, side=SIDE, seed=0):
    """Slices ``(count, side, side)`` with some ellipses inside the circle seen."""
    rng = np.random.default_rng(seed)
    axis = np.arange(side) - side // 2
    y, x = np.meshgrid(axis, axis, indexing="ij")
    slices = np.zeros((count, side, side), np.float32)
    for image in slices:
        for _ in range(rng.integers(1, 4)):
            a, b = rng.uniform(2, 5, 2)
            away, way, turn = rng.uniform((0, 0, 0), (side / 2 - 6, 6.3, 3.1))
            u, v = x - away * np.cos(way), y - away * np.sin(way)
            along = u * np.cos(turn) + v * np.sin(turn)
            across = v * np.cos(turn) - u * np.sin(turn)
            image[(along / a) ** 2 + (across / b) ** 2 <= 1] = rng.uniform(0.5, 1.5)
    return slices


def make_sinograms(slices, angles=ANGLES):
    """Sinograms ``(slice, angle, detector)``; `angles` are degrees, or how many."""
    ways = (
        np.linspace(0, 180, angles, endpoint=False) if np.ndim(angles) == 0 else angles
    )
    found = [radon(image, np.asarray(ways), circle=True).T for image in slices]
    return np.stack(found).astype(np.float32)
