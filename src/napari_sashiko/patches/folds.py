"""Folds: labelled voxels in groups that are held out in turn, apart in space."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.labels import LabelledVoxels, stroke_components
from napari_sashiko.patches._by_picture import (
    give_back_lonely,
    is_enough,
    spread_reserved,
)
from napari_sashiko.patches._near import near_held, near_others
from napari_sashiko.volumes import frames_apart

NEVER = -1  # fold of voxels that nobody can do without
NEW = -2  # of voxels that are not dealt yet


@dataclass(frozen=True)
class Dealt:
    """The folds of earlier paint, by place.

    Attributes
    ----------
    places : numpy.ndarray
        ``(N,)`` int64, flat places in the volume, ascending.
    fold : numpy.ndarray
        ``(N,)`` int8, as in `Folds`.
    """

    places: NDArray[np.int64]
    fold: NDArray[np.int8]

    def of(self, labelled: LabelledVoxels) -> NDArray[np.int8]:
        """Fold of each labelled voxel, ``NEW`` where there was no paint."""
        if not len(self.places):
            return np.full(len(labelled), NEW, np.int8)
        wanted = flat_places(labelled)
        found = np.minimum(np.searchsorted(self.places, wanted), len(self.places) - 1)
        known = self.places[found] == wanted
        return np.where(known, self.fold[found], np.int8(NEW))

    def with_folds(self, labelled: LabelledVoxels, folds: "Folds") -> "Dealt":
        """Also remember these; paint that was erased is not forgotten."""
        places = np.concatenate([flat_places(labelled), self.places])
        fold = np.concatenate([folds.fold, self.fold])
        # Of a place that is in both, `unique` keeps the first: the newer one.
        kept, first = np.unique(places, return_index=True)
        return Dealt(kept, fold[first])


NOTHING_DEALT = Dealt(np.zeros(0, np.int64), np.zeros(0, np.int8))


def flat_places(labelled: LabelledVoxels) -> NDArray[np.int64]:
    """Places ``(N,)`` in the flattened volume, ascending."""
    _, height, width = labelled.shape
    z, y, x = labelled.coords.astype(np.int64).T
    return np.asarray((z * height + y) * width + x)


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
    before: Dealt | None = None,
    frame: int | None = None,
) -> Folds:
    """Deal strokes to folds, so that what is held out is apart from what is learned.

    A class with fewer strokes than folds has its strokes cut across their length, and
    parts of a stroke may be on both sides of a split, a guard apart. Within ``guard``
    of a held-out voxel nothing is learned from, unless that would leave a class with
    less than half of its paint: then the guard gives way for that class. A class of a
    single voxel is never held out.

    Paint that was dealt before keeps its fold, whatever was painted since: what a
    model is judged on stays new to it.

    Where slices are pictures of their own, or volumes at several times, whole pictures
    or time points are dealt, if there are enough. Where paint is reserved, it alone is
    held out, and nobody learns from it.

    Parameters
    ----------
    labelled : LabelledVoxels
        All paint.
    folds : int
        Number of folds, 2 or more; 1 where paint is reserved.
    guard : float
        Distance in voxels of the finest axis.
    spacing : tuple of float
        Voxel size (z, y, x) relative to the finest axis.
    seed : int
        Decides ties.
    before : Dealt, optional
        Where earlier paint went.
    frame : int, optional
        Slices that belong together, of pictures or time points; None where all do.

    Returns
    -------
    Folds
        Every class is in every fold that has room for it.
    """
    rng = np.random.default_rng(seed)
    if labelled.reserved is not None and labelled.reserved.any():
        return _reserved(labelled, labelled.reserved, folds, rng)
    values = labelled.values
    fold = np.full(len(values), NEW, np.int8) if before is None else before.of(labelled)
    if frame is not None and is_enough(labelled, frame):
        return _by_picture(labelled, folds, rng, fold, frame)
    strokes = stroke_components(labelled, frame=frame)
    for label in np.unique(values):
        mine = np.flatnonzero(values == label)
        if len(mine) == 1 and fold[mine] == NEW:
            fold[mine] = NEVER
        elif (fold[mine] == NEW).any():
            pieces = _pieces(labelled.coords[mine], strokes[mine], folds)
            fold[mine] = _deal(pieces, folds, rng, fold[mine])
    moved = frames_apart(labelled.coords, frame, guard / spacing[0])
    train, note = _apart(replace(labelled, coords=moved), fold, folds, spacing, guard)
    lonely = values[fold == NEVER]
    return Folds(fold, train, f"{_never_held(lonely)} {note}".strip())


def _by_picture(
    labelled: LabelledVoxels,
    folds: int,
    rng: np.random.Generator,
    fold: NDArray[np.int8],
    frame: int,
) -> Folds:
    """Hold whole pictures out: no guard is needed between them."""
    pictures = labelled.coords[:, 0].astype(np.int64) // frame
    # The first folds are those that networks are judged on: none of them is empty.
    dealt = _deal(pictures, min(folds, len(np.unique(pictures))), rng, fold)
    dealt, lonely = give_back_lonely(labelled.values, dealt, NEVER)
    names = ", ".join(str(label) for label in lonely)
    what = "pictures" if frame == 1 else "time points"
    note = f"Class {names} is on too few {what}: no score says how well it is found."
    train = np.stack([dealt != number for number in range(folds)])
    return Folds(dealt, train, note if lonely else "")


def _reserved(
    labelled: LabelledVoxels,
    held: NDArray[np.bool_],
    folds: int,
    rng: np.random.Generator,
) -> Folds:
    """Hold out what is reserved, in as many parts; all others learn from the rest."""
    pieces = spread_reserved(labelled, held, folds)
    fold = np.full(len(labelled), NEVER, np.int8)
    new = np.full(int(held.sum()), NEW, np.int8)
    fold[held] = _deal(pieces[held], folds, rng, new)
    unjudged = set(labelled.values[~held].tolist()) - set(
        labelled.values[held].tolist()
    )
    names = ", ".join(str(label) for label in sorted(unjudged))
    note = f"Class {names} is not among what is reserved for judging: it has no score."
    return Folds(fold, np.tile(~held, (folds, 1)), note if unjudged else "")


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
    pieces: NDArray[np.int64],
    folds: int,
    rng: np.random.Generator,
    fold: NDArray[np.int8],
) -> NDArray[np.int8]:
    """Give each piece, large ones first, to the fold that has least.

    What has a fold keeps it, and draws the rest of its piece to it.
    """
    names, sizes = np.unique(pieces, return_counts=True)
    order = np.lexsort((rng.random(len(names)), -sizes))
    start = rng.permutation(folds)  # who gets the first piece
    load = np.bincount(fold[fold >= 0], minlength=folds).astype(float)
    dealt = fold.copy()
    rows, ends = np.argsort(pieces, kind="stable"), np.cumsum(sizes)
    for place in order:
        mine = rows[ends[place] - sizes[place] : ends[place]]
        new = mine[fold[mine] == NEW]
        known = fold[mine][fold[mine] >= 0]
        if len(known):
            target = int(np.bincount(known).argmax())
        else:
            target = int(start[np.argmin(load[start])])
        dealt[new] = target
        load[target] += len(new)
    return dealt


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
    meet = near_others(labelled.coords, fold, spacing, guard)
    close = labelled.coords[meet]
    for i in range(folds):
        held = fold == i
        if not held.any() or guard <= 0:
            continue
        if not held[meet].any():
            continue  # nobody is close
        near = np.zeros(len(fold), bool)
        near[meet] = near_held(close, held[meet], spacing, guard)
        near &= ~held
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
