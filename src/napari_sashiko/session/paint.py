"""The paint of one volume: its store on disk, saved soon after the last stroke."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from napari_sashiko.errors import LabelError, SashikoError
from napari_sashiko.labels import (
    LabelClass,
    LabelledVoxels,
    LabelStore,
    accept_half,
    check_shape,
    default_classes,
    holds_paint,
    was_interrupted,
)
from napari_sashiko.runners import Event, Job, Tick
from napari_sashiko.volumes import Stacking

LARGEST_ID = 255
SLAB = 1 << 24  # voxels that are looked at at once
QUIET_SECONDS = 0.3
LONGEST_SECONDS = 0.6  # and the time that the disk takes: below a second in all
REST_SECONDS = 1.0  # after which the hand is said to rest
SECONDS_TO_RETRY = 5.0


class Paint:
    """A label store with autosave.

    Strategy: what is painted lies in a mapped file at once and outlives the process.
    Saving brings it to the disk itself, so that it outlives the machine too; that may
    take a while, so a job does it.

    Parameters
    ----------
    store : LabelStore
        Where the paint is kept.
    folder : Path
        Its folder.

    Attributes
    ----------
    version : int
        Another number whenever paint or classes have changed.
    is_half : bool
        Whether it is half a copy of other labels, which nobody has painted on since.
    """

    def __init__(self, store: LabelStore, folder: Path) -> None:
        self.store = store
        self.folder = folder
        self.saved_at = time.monotonic()
        self._changed_at = 0.0
        self._dirty_since = 0.0
        self._not_before = 0.0
        self._unseen = False
        self.version = 0
        self._resting = True
        self._saving: Job | None = None
        self._since = 0.0  # when what is being saved was painted
        store.on_change(self._touch)
        self.is_half = not store.readonly and was_interrupted(folder)
        if self.is_half:
            store.on_change(self._accept_half)

    @property
    def classes(self) -> tuple[LabelClass, ...]:
        """The label classes in order of their ids."""
        return tuple(self.store.classes)

    @property
    def readonly(self) -> bool:
        """Whether it can only be looked at."""
        return self.store.readonly

    def set_classes(self, classes: tuple[LabelClass, ...]) -> None:
        """Change names or colours, or add classes; ids are never reused."""
        self.store.set_classes(classes)
        self._touch()

    @property
    def dirty(self) -> bool:
        """Whether something is not saved yet."""
        return self._dirty_since > 0 or self._saving is not None

    def counts(self) -> dict[int, int]:
        """Painted voxels by class id; only classes with paint."""
        return {each: count for each, count in self.store.counts().items() if count}

    def slices(self) -> dict[int, int]:
        """Return the number of slices with paint, by class id."""
        return dict(self.store.slices_per_class())

    def labelled(self) -> LabelledVoxels:
        """All painted voxels."""
        return self.store.labelled()

    def read(self) -> tuple[LabelledVoxels, tuple[LabelClass, ...]]:
        """All painted voxels and all classes; may be called beside who paints."""
        return self.labelled(), self.classes

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

    def take_rest(self) -> bool:
        """Whether all is saved and the hand rests; said once after each change."""
        rested = time.monotonic() - self._changed_at >= REST_SECONDS
        if self._resting or self.dirty or not rested:
            return False
        self._resting = True
        return True

    def save_if_due(self) -> bool:
        """Begin to save when the hand rests, or at the latest after half a second.

        Returns
        -------
        bool
            Whether a save has come to its end since the last call.

        Raises
        ------
        SashikoError
            If it failed; it is tried again after some seconds.
        """
        saved = self._ended()
        now = time.monotonic()
        rested = now - self._changed_at >= QUIET_SECONDS
        late = now - self._dirty_since >= LONGEST_SECONDS
        due = self._dirty_since > 0 and (rested or late) and now >= self._not_before
        if due and self._saving is None:
            self._since, self._dirty_since = self._dirty_since, 0.0
            self._saving = Job(self._save, name="Saving paint")
            self._saving.start()
        return saved

    def save(self) -> None:
        """Write everything to disk now.

        Raises
        ------
        OutputError
            If the disk is full or gone; the paint stays in memory.
        """
        job, self._saving = self._saving, None
        if job is not None:
            job.wait()
        since, self._dirty_since = self._dirty_since, 0.0
        try:
            self.store.flush()
        except SashikoError:
            self._dirty_since = since or time.monotonic()
            raise
        self.saved_at = time.monotonic()

    def flush(self) -> None:
        """Write everything to disk now; may be called beside who paints.

        Raises
        ------
        OutputError
            If the disk is full or gone; the paint stays in memory.
        """
        self.store.flush()

    def _save(self) -> Iterator[Event]:
        yield Tick()
        self.flush()

    def _ended(self) -> bool:
        """Whether a save ended well since the last call; raises if it did not."""
        job = self._saving
        if job is None or not job.wait(0):
            return False
        self._saving = None
        if job.status.state == "done":
            self.saved_at = time.monotonic()
            return True
        self._dirty_since = self._dirty_since or self._since
        self._not_before = time.monotonic() + SECONDS_TO_RETRY
        if job.status.error is not None:
            raise job.status.error
        return False  # stopped because the program ends, which saves once more

    def _accept_half(self, _region: Any) -> None:
        if self.is_half:
            self.is_half = False
            accept_half(self.folder)

    def _touch(self, _region: Any = None) -> None:
        self._changed_at = time.monotonic()
        self._dirty_since = self._dirty_since or self._changed_at
        self._unseen = True
        self.version += 1
        self._resting = False


def has_paint(folder: Path) -> bool:
    """Whether paint was kept in this folder before, whole or damaged."""
    return holds_paint(folder)


def open_paint(folder: Path, stack: Stacking, *, readonly: bool = False) -> Paint:
    """Open the paint in a folder, or begin with none and two classes.

    Damaged paint is mended as far as it goes; ``paint.store.mended`` says what was.

    Parameters
    ----------
    folder : Path
        Where it is, or will be.
    stack : Stacking
        How the slices of the volume lie.
    readonly : bool
        Open it for reading: another window paints.

    Raises
    ------
    LabelError
        If the paint belongs to a volume of another shape, or is damaged beyond mending.
    """
    if readonly:
        store = LabelStore.open(folder, readonly=True)
    elif not has_paint(folder):
        return Paint(LabelStore.create(folder, stack.shape, default_classes(2)), folder)
    else:
        store = LabelStore.rescue(folder, stack.shape)
    try:
        check_shape(
            store.shape,
            stack,
            f"The paint in {folder} has",
            "The file has changed: move that folder away to begin again.",
        )
    except LabelError:
        store.close()
        raise
    return Paint(store, folder)


def check_adoptable(array: Any, stack: Stacking) -> None:
    """Refuse labels that cannot belong to a volume of these slices.

    Raises
    ------
    LabelError
        If shape or kind of numbers do not fit.
    """
    check_shape(array.shape, stack)
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
        part = np.asarray(array[start : start + rows, :, :])
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
        if was_interrupted(folder):
            store.erase()  # half a copy, which nobody has painted on
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
