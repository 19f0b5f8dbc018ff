"""Where pictures end that are smaller than others of their stack.

What lies beyond is their mirror image: it fills the stack, and is no data.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_sashiko.volumes.region import Region
from napari_sashiko.volumes.volume import Volume

Extents = npt.NDArray[np.integer]
KEY = "extents"  # in the record of a result


def extents_of(volume: Volume) -> Extents | None:
    """Height and width ``(Z, 2)`` of each slice; None where all fill the stack."""
    if not volume.separate:
        return None
    found = np.array([volume.extent(z) for z in range(volume.shape[0])])
    return found if (found < volume.shape[1:]).any() else None


def extents_record(volume: Volume) -> dict[str, Any]:
    """What a result notes of pictures of unequal sizes; empty of all others."""
    found = extents_of(volume)
    return {} if found is None else {KEY: found.tolist()}


def extents_in(record: Mapping[str, Any]) -> Extents | None:
    """Heights and widths ``(Z, 2)`` that a result notes; None if all are equal.

    Raises
    ------
    TypeError, ValueError
        If it says nonsense.
    """
    known = record.get(KEY)
    if known is None:
        return None
    return np.asarray(known, np.int64).reshape(int(record["shape"][0]), 2)


def beyond(extents: Extents, region: Region) -> npt.NDArray[np.bool_]:
    """Where smaller pictures have ended in a region, ``(z, y, x)``.

    Parameters
    ----------
    extents : array, (Z, 2)
        Height and width of each slice of the stack.
    region : Region
        Voxels (z, y, x).
    """
    height, width = extents[region[0]].T
    y, x = (np.arange(part.start, part.stop) for part in region[1:])
    below: npt.NDArray[np.bool_] = y[None, :, None] >= height[:, None, None]
    right: npt.NDArray[np.bool_] = x[None, None, :] >= width[:, None, None]
    return np.logical_or(below, right)
