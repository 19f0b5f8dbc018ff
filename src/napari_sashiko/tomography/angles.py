"""At which angles the rows of a sinogram were measured."""

from collections.abc import Sequence

import numpy as np

from napari_sashiko.errors import VolumeError

HALF_TURN = 180.0  # degrees


def even_angles(count: int) -> tuple[float, ...]:
    """Angles spread evenly over half a turn: row ``k`` at ``180 k / count`` degrees.

    Parameters
    ----------
    count : int
        Rows of a sinogram.
    """
    return tuple(HALF_TURN * row / count for row in range(count))


def check_angles(angles: Sequence[float] | None, count: int) -> tuple[float, ...]:
    """Return an angle for each row of a sinogram, degrees.

    Parameters
    ----------
    angles : sequence of float or None
        Degrees; None spreads them evenly over half a turn.
    count : int
        Rows of a sinogram.

    Raises
    ------
    VolumeError
        If there are more or fewer, or they are no finite numbers.
    """
    if angles is None:
        return even_angles(count)
    if len(angles) != count:
        raise VolumeError(
            f"There are {len(angles)} angles for sinograms of {count} rows.",
            "Give one angle for each row; a sinogram has the axes (angle, detector).",
        )
    found = tuple(float(angle) for angle in angles)
    if not np.isfinite(found).all():
        raise VolumeError("The angles are not all finite numbers.", "Give degrees.")
    return found
