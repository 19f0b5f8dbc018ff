"""Crowds of touching nuclei with their truth, and how well they are told apart."""

import numpy as np
from scipy import ndimage


def balls(shape, centers, radius, spacing=(1, 1, 1)):
    """A mask of balls; centres and radius in units of `spacing`."""
    axes = np.meshgrid(
        *[np.arange(n) * s for n, s in zip(shape, spacing, strict=True)], indexing="ij"
    )
    far = [sum((a - c) ** 2 for a, c in zip(axes, p, strict=True)) for p in centers]
    return np.min(far, axis=0) <= radius**2


def crowd(seed, shape, spacing=(1.0, 1.0, 1.0), radii=(6.5, 9.5)):
    """Labels of nuclei that touch; a voxel of two belongs where it is deeper."""
    rng = np.random.default_rng(seed)
    labels, best = np.zeros(shape, np.int32), np.ones(shape, np.float32)
    centers, sizes = np.zeros((0, 3)), np.zeros(0)
    for _ in range(4000):
        center, radius = rng.random(3) * shape * spacing, rng.uniform(*radii)
        far = np.linalg.norm(centers - center, axis=1)
        half = radius * rng.uniform(0.75, 1.3, 3)
        turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        if (far < 0.85 * (sizes + radius)).any():
            continue
        centers, sizes = np.vstack([centers, center]), np.append(sizes, radius)
        low = np.maximum((center - 1.4 * radius) / spacing, 0).astype(int)
        high = np.minimum((center + 1.4 * radius) / spacing + 2, shape).astype(int)
        box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        grid = np.stack(np.mgrid[box], axis=-1) * spacing - center
        depth = np.linalg.norm((grid @ turn) / half, axis=-1)
        nearer = depth < best[box]
        best[box][nearer] = depth[nearer]
        labels[box][nearer] = len(sizes)
    return labels


def seen(rng, values, noise):
    """Values as a network gives them: soft, and wrong here and there."""
    grain = ndimage.gaussian_filter(rng.standard_normal(values.shape), 1.5)
    soft = ndimage.gaussian_filter(values.astype(np.float32), 0.7)
    return np.clip(soft + noise * grain / grain.std(), 0, 1)


def contacts(labels):
    """Voxels of objects beside another object."""
    high = ndimage.maximum_filter(labels, 3)
    low = ndimage.minimum_filter(np.where(labels > 0, labels, labels.max() + 1), 3)
    return (labels > 0) & (high != low)


def f1_score(found, truth, iou=0.5):
    """F1 of objects that match by more than `iou`; every one counts."""
    both = (found > 0) & (truth > 0)
    pairs, common = np.unique(
        np.stack([found[both], truth[both]]), axis=1, return_counts=True
    )
    ours, theirs = np.bincount(found.ravel()), np.bincount(truth.ravel())
    union = ours[pairs[0]] + theirs[pairs[1]] - common
    hits = int((common / union > iou).sum())
    return 2 * hits / (np.count_nonzero(ours[1:]) + np.count_nonzero(theirs[1:]))
