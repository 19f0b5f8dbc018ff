"""Generated volumes with exact truth, for choosing training defaults.

Each function of `PHANTOMS` returns `(image, truth, spacing)`: float32 `(Z, Y, X)`,
uint8 `(Z, Y, X)` with 0 for the first class, and the voxel size `(z, y, x)`; where the
second class is made of objects, int32 `(Z, Y, X)` follows with a number for each. They
imitate what makes real volumes hard (correlated noise, blur, shading, look-alikes), so
that a random forest on multiscale filter features scores a macro F1 between 0.5 and 0.9
from a few strokes. What is claimed is measured on other kinds: `unseen.py`.
"""

import numpy as np
from drawing import (
    ball,
    border,
    cupping,
    field,
    nearest_ball,
    seen,
    spots,
)
from scipy import ndimage
from scipy.spatial import cKDTree

SHAPE = (64, 160, 160)


def membranes(seed=0, shape=SHAPE):
    """Cells with thin dark walls, as in electron microscopy: 0 cell, 1 membrane."""
    rng = np.random.default_rng(seed)
    spacing = (2.0, 1.0, 1.0)
    gap, cell = _voronoi(rng, shape, spacing, cells=110)
    truth = (gap < 2.6).astype(np.uint8)
    shade = rng.normal(0, 0.06, cell.max() + 1)[cell]
    # Vesicles and mitochondrial folds inside cells: thin and dark like a membrane.
    folds = np.abs(field(rng, shape, (1.5, 4, 4))) < 0.12
    inner = folds & (field(rng, shape, (6, 12, 12)) > 0.9) & (gap > 5)
    body = 0.7 + shade + 0.07 * field(rng, shape, (0.7, 1.5, 1.5))
    fade = 0.32 + 0.1 * field(rng, shape, 8)
    image = body - fade * truth - 0.28 * inner
    return seen(rng, image, blur=(0.5, 0.9, 0.9), noise=0.1), truth, spacing


def organelles(seed=0, shape=SHAPE):
    """Blobs known by texture and by their hull only: 0 cytoplasm, 1 organelle."""
    rng = np.random.default_rng(seed)
    truth = np.zeros(shape, np.uint8)
    for centre in spots(rng, shape, 26):
        ball(truth, centre, rng.uniform(10, 18), 1, squash=rng.uniform(0.6, 1.4, 3))
    truth = _rough(rng, truth, 0.6)
    hull = border(truth)
    loose = (
        np.abs(field(rng, shape, (4, 6, 6))) < 0.05
    )  # membranes that enclose nothing
    outside = 0.1 * field(rng, shape, 2.0) + 0.06 * field(rng, shape, 4.0)
    inside = 0.1 * field(rng, shape, (2.0, 1.0, 3.2)) + 0.06 * field(rng, shape, 1.2)
    image = 0.6 + np.where(truth, inside, outside) - 0.2 * (hull | loose)
    return seen(rng, image, blur=0.7, noise=0.05), truth, (1.0, 1.0, 1.0)


def vessels(seed=0, shape=SHAPE):
    """Branching tubes whose contrast changes along them: 0 tissue, 1 vessel."""
    rng = np.random.default_rng(seed)
    truth = np.zeros(shape, np.uint8)
    signal = np.zeros(shape, np.float32)
    for path, radius, contrast in _tree(rng, shape, roots=18):
        for point in path:
            ball(truth, point, radius, 1)
            ball(signal, point, radius, contrast)
    tissue = 0.03 * field(rng, shape, 2) + 0.08 * field(rng, shape, 14)
    image = 0.4 + tissue + signal
    return seen(rng, image, blur=1.0, noise=0.08, grain=0.8), truth, (1.0, 1.0, 1.0)


def pores(seed=0, shape=SHAPE):
    """Faint pores in a cupped tomogram of a mortar: 0 solid, 1 pore."""
    rng = np.random.default_rng(seed)
    truth = np.zeros(shape, np.uint8)
    for centre in spots(rng, shape, 700):
        radius = min(rng.lognormal(0.8, 0.45), 8)
        ball(truth, centre, radius, 1, squash=rng.uniform(0.7, 1.3, 3))
    grains = field(rng, shape, 6) > 0.8
    solid = 0.6 + 0.08 * grains + 0.05 * field(rng, shape, 1.5)
    image = solid - 0.3 * truth + cupping(shape, 0.14)
    return seen(rng, image, blur=1.1, noise=0.08, grain=0.9), truth, (1.0, 1.0, 1.0)


def nuclei(seed=0, shape=SHAPE):
    """Touching nuclei that fade with depth, coarse in z: 0 background, 1 nucleus.

    Where two overlap, a voxel belongs to the one in which it lies deeper.
    """
    rng = np.random.default_rng(seed)
    spacing = (2.0, 1.0, 1.0)
    objects = np.zeros(shape, np.int32)
    nearest = np.full(shape, np.inf, np.float32)
    signal = np.zeros(shape, np.float32)
    for number, centre in enumerate(spots(rng, shape, 280), 1):
        squash = rng.uniform(0.75, 1.3, 3) / spacing
        radius, bright = rng.uniform(6.5, 9.5), rng.uniform(0.25, 1.1)
        nearest_ball(objects, nearest, centre, radius, number, squash)
        ball(signal, centre, radius, bright, squash=squash)
    truth = (objects > 0).astype(np.uint8)
    signal *= 1 + 0.35 * field(rng, shape, (0.8, 1.6, 1.6))
    haze = ndimage.gaussian_filter(signal, (6, 9, 9))  # light from out of focus
    depth = np.linspace(1, 0.3, shape[0], dtype=np.float32)[:, None, None]
    image = depth * (ndimage.gaussian_filter(signal, (1.4, 1.1, 1.1)) + 0.7 * haze)
    photons = rng.poisson(np.clip(9 * image + 1.5, 0, None)).astype(np.float32)
    return seen(rng, photons, blur=0.0, noise=0.6), truth, spacing, objects


def filaments(seed=0, shape=SHAPE):
    """Thin filaments in a noisy tilt series' tomogram: 0 solvent, 1 filament."""
    rng = np.random.default_rng(seed)
    truth = np.zeros(shape, np.uint8)
    for path in _threads(rng, shape, 90, bend=0.03, flat=0.35):
        for point in path:
            ball(truth, point, 2.6, 1)
    crowd = np.zeros(shape, np.float32)
    for centre in spots(rng, shape, 260):  # proteins: as dense as a filament, but round
        ball(crowd, centre, rng.uniform(1.5, 3.5), 0.8)
    density = truth + crowd + 0.2 * field(rng, shape, 2)
    image = _missing_wedge(density, half_angle=30) + 0.38 * field(rng, shape, 0.7)
    return image.astype(np.float32), truth, (1.0, 1.0, 1.0)


def fibres(seed=0, shape=SHAPE):
    """Fibres, voids and grains in cement: 0 matrix, 1 fibre, 2 void."""
    rng = np.random.default_rng(seed)
    truth = np.zeros(shape, np.uint8)
    for path in _threads(rng, shape, 60, bend=0.015, flat=0.7):
        for point in path:
            ball(truth, point, 3.0, 1)
    for centre in spots(rng, shape, 45):
        ball(truth, centre, rng.uniform(3, 9), 2, squash=rng.uniform(0.8, 1.25, 3))
    grains = field(rng, shape, 7) > 1.0  # aggregate: brighter than the matrix
    grey = np.array([0.6, 0.44, 0.3], np.float32)[truth] + 0.1 * (grains & (truth == 0))
    pits = (truth == 0) & (field(rng, shape, 1.3) > 2.0)  # small pores look like fibres
    image = grey - 0.2 * pits + 0.03 * field(rng, shape, 2) + cupping(shape, 0.08)
    return seen(rng, image, blur=0.9, noise=0.06, grain=0.8), truth, (1.0, 1.0, 1.0)


def plies(seed=0, shape=SHAPE):
    """Woven regions that differ by direction alone: 0 along y, 1 along x."""
    rng = np.random.default_rng(seed)
    truth = (field(rng, shape, (8, 18, 18)) > 0).astype(np.uint8)
    along_y = field(rng, shape, (1.2, 7.0, 1.2))
    along_x = field(rng, shape, (1.2, 1.2, 7.0))
    image = 0.5 + 0.12 * np.where(truth, along_x, along_y)
    return seen(rng, image, blur=0.6, noise=0.1), truth, (1.0, 1.0, 1.0)


def diagonals(seed=0, shape=SHAPE):
    """Woven regions that only a mirror exchanges: 0 along one diagonal, 1 the other."""
    rng = np.random.default_rng(seed)
    truth = (field(rng, shape, (8, 18, 18)) > 0).astype(np.uint8)
    wide = 2 * max(shape[1:])
    straight = field(rng, (shape[0], wide, wide), (1.2, 7.0, 1.2))
    places = [slice(None)]
    places += [slice((wide - n) // 2, (wide - n) // 2 + n) for n in shape[1:]]
    falling, rising = (
        ndimage.rotate(straight, angle, axes=(1, 2), reshape=False, order=1)
        for angle in (45, -45)
    )
    woven = np.where(truth, rising[tuple(places)], falling[tuple(places)])
    return seen(rng, 0.5 + 0.12 * woven, blur=0.6, noise=0.1), truth, (1.0, 1.0, 1.0)


def phases3(seed=0, shape=SHAPE):
    """Three phases that fill the volume, close in grey value: 0, 1, 2."""
    rng = np.random.default_rng(seed)
    first, second = field(rng, shape, 5), field(rng, shape, 4)
    truth = np.where(first > 0.35, 1, np.where(second > 0.6, 2, 0)).astype(np.uint8)
    texture = np.choose(truth, [field(rng, shape, s) for s in (1.0, 2.2, 1.4)])
    grey = np.array([0.45, 0.55, 0.65], np.float32)[truth]
    image = grey + 0.06 * texture + 0.04 * field(rng, shape, 25)
    return seen(rng, image, blur=0.7, noise=0.055, grain=0.7), truth, (1.0, 1.0, 1.0)


def micrographs(seed=0, shape=SHAPE):
    """Separate images: 0 matrix, 1 large precipitate, 2 small one (about 2.5 %)."""
    rng = np.random.default_rng(seed)
    pages = [_micrograph(rng, shape[1:]) for _ in range(shape[0])]
    image, truth = (np.stack(part) for part in zip(*pages, strict=True))
    return image, truth, (1.0, 1.0, 1.0)


PHANTOMS = {
    phantom.__name__: phantom
    for phantom in (
        membranes,
        organelles,
        vessels,
        pores,
        nuclei,
        filaments,
        fibres,
        plies,
        diagonals,
        phases3,
        micrographs,
    )
}


def _micrograph(rng, shape):
    large = field(rng, shape, 5.5)
    truth = (large > rng.uniform(0.1, 0.4)).astype(np.uint8)
    channel = ndimage.binary_erosion(truth == 0, iterations=3)
    spots = np.argwhere(channel)
    for y, x in spots[rng.permutation(len(spots))[:45]]:
        ball(truth[None], (0, y, x), rng.uniform(1.3, 2.9), 2)
    grey = np.array([0.4, 0.62, 0.6], np.float32)[truth]
    texture = 0.06 * field(rng, shape, 1.2) + 0.06 * field(rng, shape, 30)
    image = grey * rng.uniform(0.85, 1.15) + texture + rng.normal(0, 0.04)
    return seen(rng, image, blur=0.8, noise=0.09), truth


def _threads(rng, shape, count, *, bend, flat):
    """Yield smooth space curves `(n, 3)`; `flat` < 1 turns them towards the plane."""
    for start in spots(rng, shape, count):
        heading = rng.normal(size=3) * (flat, 1, 1)
        steps = np.cumsum(rng.normal(0, bend, (rng.integers(60, 200), 3)), axis=0)
        ways = heading / np.linalg.norm(heading) + steps * (flat, 1, 1)
        ways /= np.linalg.norm(ways, axis=1, keepdims=True)
        yield start + np.cumsum(ways, axis=0)


def _tree(rng, shape, *, roots):
    """Yield `(path, radius, contrast)` of vessels that branch and thin out."""
    waiting = [
        (p, rng.normal(size=3), rng.uniform(3, 5.5), 0)
        for p in spots(rng, shape, roots)
    ]
    while waiting:
        start, heading, radius, level = waiting.pop()
        steps = heading / np.linalg.norm(heading) + np.cumsum(
            rng.normal(0, 0.08, (rng.integers(25, 55), 3)), axis=0
        )
        path = start + np.cumsum(steps / np.linalg.norm(steps, axis=1)[:, None], axis=0)
        yield path, radius, rng.uniform(0.12, 0.45)
        if level < 3 and radius > 1.6:
            turns = steps[-1] + rng.normal(0, 0.8, (2, 3))
            waiting += [(path[-1], t, radius * 0.75, level + 1) for t in turns]


def _voronoi(rng, shape, spacing, *, cells):
    """Distance to the wall (about, in units of y) and the cell's number, per voxel."""
    size = np.multiply(shape, spacing)
    seeds = rng.uniform(-0.1, 1.1, (cells, 3)) * size
    warp = [4 * field(rng, shape, (6, 12, 12)) for _ in range(3)]
    grid = np.indices(shape, dtype=np.float32)
    places = np.stack(
        [g * s + w for g, s, w in zip(grid, spacing, warp, strict=True)], -1
    )
    near, which = cKDTree(seeds).query(places.reshape(-1, 3), k=2)
    between = np.linalg.norm(seeds[which[:, 0]] - seeds[which[:, 1]], axis=1)
    gap = (near[:, 1] ** 2 - near[:, 0] ** 2) / np.maximum(between, 1e-6)
    return gap.reshape(shape), which[:, 0].reshape(shape)


def _rough(rng, truth, strength):
    """Make outlines irregular without moving them far."""
    soft = ndimage.gaussian_filter(truth.astype(np.float32), 2)
    return (soft + 0.2 * strength * field(rng, truth.shape, 3) > 0.5).astype(np.uint8)


def _missing_wedge(density, half_angle):
    """Drop the directions that a tilt series about y does not see (degrees)."""
    spectrum = np.fft.rfftn(density)
    kz = np.fft.fftfreq(density.shape[0])[:, None, None]
    kx = np.fft.rfftfreq(density.shape[2])[None, None, :]
    unseen = np.abs(kz) * np.tan(np.radians(half_angle)) > np.abs(kx) + 1e-9
    return np.fft.irfftn(np.where(unseen, 0, spectrum), s=density.shape, axes=(0, 1, 2))
