"""How unsure a voxel is: one number, whatever the ensemble consists of."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def doubt(mean: Floats, std: Floats) -> Floats:
    """Deviation of the class that members disagree on most; see `members_differ`.

    A single network has no deviation: there it is one minus the highest probability.

    Parameters
    ----------
    mean, std : numpy.ndarray
        ``(K, ...)`` of the classes' probabilities over the members.

    Returns
    -------
    numpy.ndarray
        ``(...)`` float32: 0 to 0.5 where members differ, else 0 to ``1 - 1 / K``.
    """
    if members_differ(std):
        return np.asarray(std.max(axis=0), np.float32)
    return np.asarray(1.0 - mean.max(axis=0), np.float32)


def members_differ(std: Floats) -> bool:
    """Whether there is any deviation: members that never differ are as good as one."""
    return bool(std.any())
