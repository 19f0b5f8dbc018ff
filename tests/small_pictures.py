"""Pictures of different sizes as a volume that tells who looks beyond their edges."""

import numpy as np

from napari_sashiko.volumes import Volume

BEYOND = 9.0  # grey value that no picture has: theirs are below 1
SIZES = ((40, 48), (12, 48), (40, 13), (9, 10))


class Fenced:
    """Pictures as `Sheets` has them, but for what lies beyond their edges."""

    dtype = np.dtype(np.float32)

    def __init__(self, sizes):
        self.extents = np.array(sizes)
        self.shape = (len(sizes), *self.extents.max(axis=0).tolist())
        self.values = np.full(self.shape, BEYOND, np.float32)
        rng = np.random.default_rng(0)
        for picture, (height, width) in zip(self.values, sizes, strict=True):
            picture[:height, :width] = rng.random((height, width))

    def __getitem__(self, key):
        return self.values[key]


def fenced(sizes=SIZES):
    """A volume of separate slices, `BEYOND` outside of the pictures."""
    return Volume(Fenced(sizes), axes="zyx", separate=True)
