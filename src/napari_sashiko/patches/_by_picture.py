"""Folds of pictures or time points: whole ones are held out, or those set aside."""

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.labels import LabelledVoxels

ENOUGH = 4  # pictures with labels; of fewer, none can be spared as a whole


def is_enough(labelled: LabelledVoxels, frame: int) -> bool:
    """Whether whole pictures, or volumes of `frame` slices, can be held out in turn."""
    return len(np.unique(labelled.coords[:, 0] // frame)) >= ENOUGH


def spread_reserved(
    labelled: LabelledVoxels, held: NDArray[np.bool_], folds: int
) -> NDArray[np.int64]:
    """Number the pieces in which reserved voxels are held out; -1 for all others.

    Pictures stay whole where there is one for each fold.
    """
    reserved = np.flatnonzero(held)
    pieces = np.full(len(labelled), -1)
    numbers, picture = np.unique(labelled.coords[reserved, 0], return_inverse=True)
    if len(numbers) >= folds:
        pieces[reserved] = picture
    else:  # nothing is learned from any of them: they may be cut anywhere
        parts = np.array_split(reserved, folds)
        for number, part in enumerate(parts):
            pieces[part] = number
    return pieces


def give_back_lonely(
    values: NDArray[np.uint8], fold: NDArray[np.int8], never: int
) -> tuple[NDArray[np.int8], list[int]]:
    """Hold no class out that nobody else could learn.

    Parameters
    ----------
    values, fold : numpy.ndarray
        ``(N,)`` class and fold of each voxel.
    never : int
        The fold of what is never held out.

    Returns
    -------
    fold : numpy.ndarray
        ``(N,)``, `never` for the voxels of such classes.
    lonely : list of int
        These classes.
    """
    lonely = [
        int(label)
        for label in np.unique(values)
        if len(np.unique(fold[values == label])) < 2
    ]
    return np.where(np.isin(values, lonely), np.int8(never), fold), lonely
