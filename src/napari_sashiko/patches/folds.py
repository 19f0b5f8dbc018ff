"""Folds: labelled voxels in groups that are held out in turn, apart in space."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.labels import LabelledVoxels, stroke_components
from napari_sashiko.patches._near import near_held

NEVER = -1  # fold of voxels that nobody can do without


@dataclass(frozen=True)
class Folds:
    """Which fold each labelled voxel belongs to, and who must stay away from whom.

    Attributes
    ----------
    fold : numpy.ndarray
        ``(N,)`` int8, 0..n-1; ``NEVER`` for voxels that are never held out.
    train : numpy.ndarray
        ``(n, N)`` bool: voxels from which a model may learn that is judged on the fold.
    note : str
        What could not be honoured, in words; empty when all could.
    """

    fold: NDArray[np.int8]
    train: NDArray[np.bool_]
    note: str

    def __len__(self) -> int:
        """Number of folds."""
        return len(self.train)


def fold_labelled(
    labelled: LabelledVoxels,
    folds: int,
    *,
    guard: float,
    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0),
    seed: int = 0,
) -> Folds:
    """Deal whole strokes to folds, so that no stroke is on both sides of a split.

    A class with fewer strokes than folds has its strokes cut across their length.
    Within ``guard`` of a held-out voxel nothing is learned from, unless that would
    leave a class with less than half of its paint: then the guard gives way for that
    class. A class of a single voxel is never held out.

    Parameters
    ----------
    labelled : LabelledVoxels
        All paint.
    folds : int
        Number of folds, 2 or more.
    guard : float
        Distance in voxels of the finest axis.
    spacing : tuple of float
        Voxel size (z, y, x) relative to the finest axis.
    seed : int
        Decides ties.

    Returns
    -------
    Folds
        Every class is in every fold that has room for it.
    """
    rng = np.random.default_rng(seed)
    values = labelled.values
    fold = np.zeros(len(values), np.int8)
    strokes = stroke_components(labelled)
    for label in np.unique(values):
        mine = np.flatnonzero(values == label)
        if len(mine) == 1:
            fold[mine] = NEVER
        else:
            pieces = _pieces(labelled.coords[mine], strokes[mine], folds)
            fold[mine] = _deal(pieces, folds, rng)
    train, note = _apart(labelled, fold, folds, spacing, guard)
    lonely = values[fold == NEVER]
    return Folds(fold, train, f"{_never_held(lonely)} {note}".strip())


def _never_held(lonely: NDArray[np.uint8]) -> str:
    if not len(lonely):
        return ""
    names = ", ".join(str(label) for label in lonely)
    return f"Class {names} has one voxel only: no score says how well it is found."


def _pieces(
    coords: NDArray[np.int32], strokes: NDArray[np.int64], folds: int
) -> NDArray[np.int64]:
    """Number the strokes of one class; cut them when there are too few."""
    names, piece = np.unique(strokes, return_inverse=True)
    count = len(names)
    if count >= folds:
        return np.asarray(piece, np.int64)
    cuts = -(-folds // count)
    out = np.zeros(len(coords), np.int64)
    for stroke in range(count):
        mine = np.flatnonzero(piece == stroke)
        order = mine[np.argsort(_along(coords[mine]), kind="stable")]
        for part, chunk in enumerate(np.array_split(order, cuts)):
            out[chunk] = stroke * cuts + part
    return out


def _along(coords: NDArray[np.int32]) -> NDArray[np.float64]:
    """Position of each voxel along the longest axis of its stroke."""
    centred = coords - coords.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    return np.asarray(centred @ axes[0])


def _deal(
    pieces: NDArray[np.int64], folds: int, rng: np.random.Generator
) -> NDArray[np.int8]:
    """Give each piece, large ones first, to the fold that has least."""
    names, sizes = np.unique(pieces, return_counts=True)
    order = np.lexsort((rng.random(len(names)), -sizes))
    load = np.zeros(folds)
    dealt = np.zeros(names.max() + 1, np.int8)
    start = rng.permutation(folds)  # who gets the first piece
    for place in order:
        target = start[np.argmin(load[start])]
        dealt[names[place]] = target
        load[target] += sizes[place]
    return np.asarray(dealt[pieces])


def _apart(
    labelled: LabelledVoxels,
    fold: NDArray[np.int8],
    folds: int,
    spacing: tuple[float, float, float],
    guard: float,
) -> tuple[NDArray[np.bool_], str]:
    values = labelled.values
    train = np.stack([fold != i for i in range(folds)])
    gave_way = set()
    for i in range(folds):
        held = fold == i
        if not held.any() or guard <= 0:
            continue
        near = near_held(labelled.coords, held, spacing, guard) & ~held
        for label in np.unique(values):
            mine = train[i] & (values == label)
            if (mine & ~near).sum() * 2 >= mine.sum():
                train[i] &= ~(near & (values == label))
            else:
                gave_way.add(int(label))
    if not gave_way:
        return train, ""
    names = ", ".join(str(label) for label in sorted(gave_way))
    return train, (
        f"Strokes of class {names} lie closer than {guard:g} voxels together: held-out "
        "scores may be a little too good there."
    )
