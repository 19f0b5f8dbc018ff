"""What a network learns from and is judged on, exchanged while it learns."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.training.lessons import Lessons
from napari_sashiko.training.sampler import Sampler
from napari_sashiko.training.tiles import Tile
from napari_sashiko.transforms import Transform


@dataclass(frozen=True, eq=False)
class HeldOut:
    """The voxels that a network is judged on.

    Attributes
    ----------
    tiles : sequence of (Tile, rows)
        Tiles with places in ``tile.rows``.
    values : numpy.ndarray
        ``(N,)`` labels 1..C, in the order of the tiles.
    rows : numpy.ndarray
        ``(N,)`` their places in the labelled voxels.
    version : int
        Of the paint that the places are meant in.
    """

    tiles: Sequence[tuple[Tile, NDArray[np.intp]]]
    values: NDArray[np.intp]
    rows: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    version: int = 0


@dataclass(frozen=True, eq=False)
class Material:
    """What one network learns from and is judged on.

    Attributes
    ----------
    sampler : Sampler
        Draws patches with paint.
    held_out : HeldOut
        Paint that the network does not see.
    transform : callable
        Flips and rotations.
    lessons : Lessons or None
        What the forest says elsewhere.
    """

    sampler: Sampler
    held_out: HeldOut
    transform: Transform
    lessons: Lessons | None = None


class Supply:
    """Hands its material to one network in another thread.

    Parameters
    ----------
    material : Material
        What there is at first; assign another to exchange it.
    endless : bool
        Whether there may be more paint when all is learned.

    Attributes
    ----------
    resting : bool
        Whether the network has learned what there is and waits for more paint.
    """

    def __init__(self, material: Material, *, endless: bool = False) -> None:
        self.material = material
        self.endless = endless
        self.resting = False
