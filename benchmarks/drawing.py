"""What generated volumes are drawn with: fields, balls, blur and noise."""

import numpy as np
from scipy import ndimage


def field(rng, shape, sigma):
    """Gaussian noise of unit variance with correlation length `sigma`."""
    smooth = ndimage.gaussian_filter(
        rng.standard_normal(shape, dtype=np.float32), sigma, mode="wrap", truncate=3
    )
    return (smooth - smooth.mean()) / smooth.std()


def seen(rng, image, *, blur, noise, grain=0.0):
    """Add what the instrument adds: blur, then noise with its own grain."""
    clean = ndimage.gaussian_filter(image.astype(np.float32), blur)
    return (clean + noise * field(rng, image.shape, grain)).astype(np.float32)


def spots(rng, shape, count):
    """Random places, ``(count, axes)``."""
    return rng.uniform(0, 1, (count, len(shape))) * shape


def ball(target, centre, radius, value, squash=(1.0, 1.0, 1.0)):
    """Set an axis-aligned ellipsoid with half axes `radius * squash` (voxels)."""
    box, far = _ellipsoid(target.shape, centre, radius, squash)
    target[box][far <= 1] = value


def nearest_ball(objects, nearest, centre, radius, number, squash):
    """Number an ellipsoid where `nearest`, infinite at first, knows no nearer one."""
    box, far = _ellipsoid(objects.shape, centre, radius, squash)
    mine = (far <= 1) & (far < nearest[box])
    objects[box][mine] = number
    nearest[box][mine] = far[mine]


def _ellipsoid(shape, centre, radius, squash):
    """Box of an ellipsoid, and squared distances in it; 1 at the surface."""
    half = np.asarray(squash) * radius
    low = np.maximum(np.floor(centre - half), 0).astype(int)
    high = np.minimum(np.ceil(centre + half) + 1, shape).astype(int)
    high = np.maximum(low, high)  # outside: an empty box
    axes = np.ogrid[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    far = sum(((a - c) / h) ** 2 for a, c, h in zip(axes, centre, half, strict=True))
    return tuple(slice(a, b) for a, b in zip(low, high, strict=True)), far


def border(truth):
    """Voxels on either side of an outline."""
    return ndimage.binary_dilation(truth) ^ ndimage.binary_erosion(truth)


def cupping(shape, depth):
    """Darker towards the axis of rotation, as beam hardening leaves it."""
    y, x = np.ogrid[: shape[1], : shape[2]]
    far = np.hypot(y / shape[1] - 0.5, x / shape[2] - 0.5) / 0.5
    return (depth * (far**2 - 0.5)).astype(np.float32)
