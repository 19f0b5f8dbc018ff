"""Generated volumes that serve to claim: no default was ever chosen on their kind.

Each function of `UNSEEN` returns what those of `phantoms.PHANTOMS` do, and imitates a
material that is none of theirs.
"""

import numpy as np
from drawing import ball, border, cupping, field, seen, spots
from phantoms import SHAPE
from scipy import ndimage
from scipy.spatial import cKDTree


def foam(seed=0, shape=SHAPE):
    """Gas cells in a liquid that gathers where walls meet: 0 gas, 1 liquid."""
    rng = np.random.default_rng(seed)
    seeds = rng.uniform(-0.1, 1.1, (140, 3)) * shape
    grid = np.indices(shape, dtype=np.float32)
    warp = [2 * field(rng, shape, 10) for _ in range(3)]
    places = np.stack([g + w for g, w in zip(grid, warp, strict=True)], -1)
    near, _ = cKDTree(seeds).query(places.reshape(-1, 3), k=3)
    near = near.reshape(*shape, 3)
    films = near[..., 1] - near[..., 0] < 1.6
    borders = near[..., 2] - near[..., 0] < 5.5  # where three cells meet
    truth = (films | borders).astype(np.uint8)
    streaks = 0.07 * field(rng, shape, (0.6, 9, 0.6))
    image = 0.35 + 0.22 * truth + streaks + cupping(shape, 0.1)
    return seen(rng, image, blur=1.0, noise=0.1, grain=0.7), truth, (1.0, 1.0, 1.0)


def sandstone(seed=0, shape=SHAPE):
    """Grains, pores and clay in a tomogram with rings: 0 pore, 1 grain, 2 clay."""
    rng = np.random.default_rng(seed)
    grains = np.zeros(shape, np.uint8)
    for centre in spots(rng, shape, round(1e-4 * np.prod(shape))):
        size = rng.uniform(8, 15)
        ball(grains, centre, size, 1, squash=rng.uniform(0.7, 1.4, 3))
    clay = (grains == 0) & (field(rng, shape, 5) > 0.45)
    truth = np.where(clay, 2, grains).astype(np.uint8)
    dense = 0.16 * (field(rng, shape, 11) > 0.9) * (truth == 1)  # other minerals
    texture = 0.09 * field(rng, shape, 1.3) * (truth == 2)
    grey = np.array([0.2, 0.6, 0.43], np.float32)[truth]
    image = grey + dense + texture + _rings(rng, shape, 0.05)
    return seen(rng, image, blur=1.0, noise=0.1, grain=0.7), truth, (1.0, 1.0, 1.0)


def wood(seed=0, shape=SHAPE):
    """Cells cut across, of early and late wood, and rays: 0 lumen, 1 wall, 2 ray."""
    rng = np.random.default_rng(seed)
    _, height, width = shape
    rows, columns = np.mgrid[0 : height + 14 : 7.5, 0 : width + 14 : 7.5]
    columns = columns + 3.7 * (np.arange(len(rows)) % 2)[:, None]
    seeds = np.stack([rows.ravel(), columns.ravel()], 1)
    seeds += rng.normal(0, 0.9, seeds.shape)
    bend = [1.5 * field(rng, shape, (24, 16, 16)) for _ in range(2)]
    z, y, x = np.indices(shape, dtype=np.float32)
    places = np.stack([y + bend[0], x + bend[1]], -1).reshape(-1, 2)
    near, _ = cKDTree(seeds).query(places, k=2)
    gap = (near[:, 1] - near[:, 0]).reshape(shape)
    season = 0.5 + 0.5 * np.sin(x * 2 * np.pi / 70 + rng.uniform(0, 6))
    truth = (gap < 0.8 + 2.2 * season).astype(np.uint8)
    for _ in range(9):
        middle, deep = rng.uniform(0, height), rng.uniform(0, shape[0])
        long = np.abs(y + bend[0] - middle) < rng.uniform(1.6, 2.6)
        truth[long & (np.abs(z - deep) < rng.uniform(6, 14))] = 2
    grain = field(rng, shape, (1, 1.4, 1.4)) * (truth == 2)
    image = np.array([0.25, 0.62, 0.52], np.float32)[truth] + 0.1 * grain
    return seen(rng, image, blur=0.8, noise=0.12, grain=0.6), truth, (1.0, 1.0, 1.0)


def electrode(seed=0, shape=SHAPE):
    """Cracked particles in binder: 0 pore, 1 binder, 2 particle; binder is faint."""
    rng = np.random.default_rng(seed)
    particles = np.zeros(shape, np.uint8)
    for centre in spots(rng, shape, 70):
        size = rng.uniform(7, 14)
        ball(particles, centre, size, 1, squash=rng.uniform(0.8, 1.2, 3))
    cracks = (np.abs(field(rng, shape, (4, 5, 5))) < 0.06) & (particles > 0)
    around = ndimage.distance_transform_edt(particles == 0) < 5
    binder = around & (field(rng, shape, 2.5) > -0.1) & (particles == 0)
    truth = np.where(particles & ~cracks, 2, binder).astype(np.uint8)
    grey = np.array([0.3, 0.38, 0.75], np.float32)[truth]
    edge = ndimage.gaussian_laplace(truth == 2, 1.5, output=np.float32)
    image = grey - 0.35 * edge + 0.05 * field(rng, shape, (0.8, 2.4, 2.4))
    return seen(rng, image, blur=0.9, noise=0.07, grain=0.7), truth, (1.0, 1.0, 1.0)


def mitochondria(seed=0, shape=SHAPE):
    """Sausages with folded insides beside round vesicles: 0 cytoplasm, 1 mitochondrion.

    Slices are thick, and each has its own brightness.
    """
    rng = np.random.default_rng(seed)
    spacing = (3.0, 1.0, 1.0)
    truth = np.zeros(shape, np.uint8)
    for start in spots(rng, shape, 70):
        heading = rng.normal(size=3)
        steps = heading / np.linalg.norm(heading) + np.cumsum(
            rng.normal(0, 0.06, (rng.integers(20, 70), 3)), axis=0
        )
        radius = rng.uniform(6, 9)
        for point in start + np.cumsum(steps, axis=0) / spacing:
            ball(truth, point, radius, 1, squash=1 / np.array(spacing))
    vesicles = np.zeros(shape, np.uint8)
    for centre in spots(rng, shape, 120):
        size = rng.uniform(3, 7)
        ball(vesicles, centre, size, 1, squash=1 / np.array(spacing))
    vesicles &= truth == 0
    hulls = border(truth)
    hulls |= ndimage.binary_erosion(vesicles) != (vesicles > 0)
    folds = (np.abs(field(rng, shape, (0.8, 1.6, 4.0))) < 0.25) & (truth > 0)
    grit = 0.07 * field(rng, shape, (0.5, 1.2, 1.2))
    light = rng.normal(0, 0.05, shape[0])[:, None, None]
    image = 0.6 + grit - 0.22 * hulls - 0.16 * folds + 0.06 * vesicles + light
    return seen(rng, image, blur=(0.2, 0.8, 0.8), noise=0.07), truth, spacing


UNSEEN = {
    made.__name__: made for made in (foam, sandstone, wood, electrode, mitochondria)
}


def _rings(rng, shape, strength):
    """Rings around the axis of rotation, as bad detector pixels leave them."""
    y, x = np.ogrid[: shape[1], : shape[2]]
    far = np.hypot(y - shape[1] / 2, x - shape[2] / 2).astype(int)
    rows = rng.normal(0, strength, (shape[0], far.max() + 1))
    smooth = ndimage.gaussian_filter1d(rows, 2, axis=0) * 2
    return smooth[:, far].astype(np.float32)
