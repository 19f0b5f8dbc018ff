"""The paint of one volume: its store on disk, saved soon after the last stroke."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from napari_sashiko.errors import LabelError
from napari_sashiko.labels import (
    LabelClass,
    LabelledVoxels,
    LabelStore,
    default_classes,
)

INDEX = "labels.json"
LARGEST_ID = 255
SLAB = 1 << 24  # voxels that are looked at at once
QUIET_SECONDS = 1.0
LONGEST_SECONDS = 5.0


class Paint:
    """A label store with autosave.

    Parameters
    ----------
    store : LabelStore
        Where the paint is kept.
    folder : Path
        Its folder.
    """

    def __init__(self, store: LabelStore, folder: Path) -> None:
        self.store = store
        self.folder = folder
        self.saved_at = time.monotonic()
        self._changed_at = 0.0
        self._dirty_since = 0.0
        self._unseen = False
        store.on_change(self._touch)

    @property
    def classes(self) -> tuple[LabelClass, ...]:
        """The label classes in order of their ids."""
        return tuple(self.store.classes)

    def set_classes(self, classes: tuple[LabelClass, ...]) -> None:
        """Change names or colours, or add classes; ids are never reused."""
        self.store.set_classes(classes)
        self._touch()

    @property
    def dirty(self) -> bool:
        """Whether something is not saved yet."""
        return self._dirty_since > 0

    def counts(self) -> dict[int, int]:
        """Painted voxels by class id; only classes with paint."""
        return {each: count for each, count in self.store.counts().items() if count}

    def slices(self) -> dict[int, int]:
        """Return the number of slices with paint, by class id."""
        return dict(self.store.slices_per_class())

    def labelled(self) -> LabelledVoxels:
        """All painted voxels."""
        return self.store.labelled()

    def is_near(
        self, coords: tuple[int, int, int], reach: tuple[int, int, int]
    ) -> bool:
        """Whether there is paint within `reach` voxels (z, y, x) of a voxel."""
        box = tuple(
            slice(max(c - r, 0), c + r + 1) for c, r in zip(coords, reach, strict=True)
        )
        return bool(np.asarray(self.store.array[box]).any())

    def take_news(self) -> bool:
        """Whether paint changed since the last call."""
        unseen, self._unseen = self._unseen, False
        return unseen

    def save_if_due(self) -> bool:
        """Save when the hand rests, or at the latest after some seconds."""
        now = time.monotonic()
        rested = now - self._changed_at >= QUIET_SECONDS
        late = now - self._dirty_since >= LONGEST_SECONDS
        if not self.dirty or not (rested or late):
            return False
        self.save()
        return True

    def save(self) -> None:
        """Write everything to disk now."""
        self._dirty_since = 0.0
        self.store.flush()
        self.saved_at = time.monotonic()

    def _touch(self, _region: Any = None) -> None:
        self._changed_at = time.monotonic()
        self._dirty_since = self._dirty_since or self._changed_at
        self._unseen = True


def has_paint(folder: Path) -> bool:
    """Whether paint was kept in this folder before."""
    return (folder / INDEX).exists()


def open_paint(folder: Path, shape: tuple[int, int, int]) -> Paint:
    """Open the paint in a folder, or begin with none and two classes.

    Raises
    ------
    LabelError
        If the paint belongs to a volume of another shape.
    """
    if not has_paint(folder):
        return Paint(LabelStore.create(folder, shape, default_classes(2)), folder)
    store = LabelStore.open(folder)
    if tuple(store.shape) != tuple(shape):
        store.close()
        raise LabelError(
            f"The paint in {folder} has shape {tuple(store.shape)}, the image has "
            f"{tuple(shape)}.",
            "The file has changed: move that folder away to begin again.",
        )
    return Paint(store, folder)


def check_adoptable(array: Any, shape: tuple[int, int, int]) -> None:
    """Refuse labels that cannot belong to a volume of this shape.

    Raises
    ------
    LabelError
        If shape or kind of numbers do not fit.
    """
    if tuple(array.shape) != tuple(shape):
        raise LabelError(
            f"The labels have shape {tuple(array.shape)}, the image has "
            f"{tuple(shape)}.",
            "Choose labels that were painted on this image.",
        )
    if np.dtype(array.dtype).kind not in "iub":
        raise LabelError(
            f"Labels of type {array.dtype} are not class numbers.",
            "Convert the layer to integers first.",
        )


def check_values(array: Any) -> Iterator[None]:
    """Look for numbers that are no class ids, slab by slab; yields between slabs.

    Raises
    ------
    LabelError
        If there is one, before anything was copied.
    """
    rows = max(1, SLAB // max(1, int(np.prod(array.shape[1:]))))
    for start in range(0, array.shape[0], rows):
        part = np.asarray(array[start : start + rows])
        low, high = int(part.min(initial=0)), int(part.max(initial=0))
        if low < 0 or high > LARGEST_ID:
            raise LabelError(
                f"There is a label {low if low < 0 else high}.",
                f"Class numbers go from 1 to {LARGEST_ID}; 0 is not labelled.",
            )
        yield


def adopt_paint(
    folder: Path, array: Any, classes: tuple[LabelClass, ...] | None
) -> Paint:
    """Copy an existing label array into a new store.

    Raises
    ------
    LabelError
        If the folder holds paint that would be lost, or a value is no class id.
    """
    if has_paint(folder):
        store = LabelStore.open(folder)
        painted = any(store.counts().values())
        store.close()
        if painted:
            raise LabelError(
                "This volume has paint already, which would be lost.",
                "Go on with it by Continue labelling, or erase it there first.",
            )
    store = LabelStore.adopt(folder, array, classes)
    if classes is None:
        # Only the classes that occur, with their numbers: 3 and 7 stay 3 and 7.
        counts = store.counts()
        found = [c for c in store.classes if counts.get(c.id)]
        store.set_classes(found or default_classes(2))
        store.flush()
    return Paint(store, folder)
