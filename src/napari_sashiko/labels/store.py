"""The label store: sparse paint of a volume of any size, on disk from the first dab."""

import math
import os
import shutil
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_sashiko.errors import LabelError, OutputError
from napari_sashiko.labels._adopting import Raised, copy_labels, remove_files
from napari_sashiko.labels._holes import holes_are_known, painted_planes
from napari_sashiko.labels._keys import (
    Box,
    Shape,
    block_box,
    bounding_box,
    touched_planes,
)
from napari_sashiko.labels._mending import (
    ADOPTING,
    DIRTY,
    RAW,
    mend_store,
    name_unknown,
)
from napari_sashiko.labels._record import (
    INDEX,
    SPARE,
    Record,
    read_record,
    write_record,
    write_spare,
)
from napari_sashiko.labels._tally import Tally
from napari_sashiko.labels.classes import LabelClass, default_classes
from napari_sashiko.labels.labelled import Gathering, LabelledVoxels
from napari_sashiko.labels.thinning import MOST_LABELLED
from napari_sashiko.labels.tracked import TrackedArray

ROOM = 1 << 25  # bytes that a disk keeps free: paint on a full disk ends the process


class LabelStore:
    """Paint on disk; use `create`, `open` or `adopt`.

    Strategy: ``labels.raw`` is a sparse file of one byte a voxel, mapped into memory:
    the system keeps what was painted even when the process is killed. ``labels.json``
    holds the classes and an index of blocks with paint. The system knows the holes of
    the file, so paint is found by looking between them; where it does not, the index
    says where paint is, unless ``labels.dirty`` says that the index is behind: then
    the whole file is looked at. ``labels.spare.json`` has shape and classes once more.

    Attributes
    ----------
    folder : Path
        Where it lives.
    shape : tuple of int
        (Z, Y, X).
    classes : tuple of LabelClass
        Named classes.
    array : TrackedArray
        ``(Z, Y, X)`` uint8; whatever is written into it is counted and kept.
    mended : tuple of str
        What was damaged when it was opened, a sentence each.
    """

    def __init__(
        self,
        folder: Path,
        shape: Shape,
        classes: Sequence[LabelClass],
        *,
        readonly: bool = False,
    ) -> None:
        self.folder = folder
        self.shape = shape
        self.classes = tuple(classes)
        self.mended: tuple[str, ...] = ()
        self.readonly = readonly or not os.access(folder / RAW, os.W_OK)
        mode: Any = "r" if self.readonly else "r+"
        self.array = TrackedArray(folder / RAW, dtype=np.uint8, mode=mode, shape=shape)
        self.array.watcher = self
        self._plain = self.array.view(np.ndarray)
        self._tally = Tally(self._plain)
        self._listeners: list[Callable[[Box], None]] = []
        self._dirty = False
        self._lock = threading.RLock()
        self._flushing = threading.Lock()

    @classmethod
    def create(
        cls, folder: Path, shape: Sequence[int], classes: Sequence[LabelClass]
    ) -> "LabelStore":
        """Make an empty store; the file is sparse where the file system can.

        Paint that lost its index is taken over.

        Raises
        ------
        LabelError
            If there is a store already.
        OutputError
            If the folder cannot be written.
        """
        folder = Path(folder)
        z, y, x = (int(n) for n in shape)
        lost = (folder / RAW).exists()
        if (folder / INDEX).exists() or (lost and _size(folder) not in (0, z * y * x)):
            raise LabelError(
                f"There is paint in {folder} already.", "Open it or move it away."
            )
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / RAW).open("ab") as file:
                file.truncate(z * y * x)
            store = cls(folder, (z, y, x), classes)
            if lost:
                store._find_paint()
            store.flush()
        except OSError as error:
            raise OutputError(
                f"Paint cannot be kept in {folder}: {error.strerror or error}.",
                "Free some space or choose another folder.",
            ) from error
        return store

    @classmethod
    def open(cls, folder: Path, *, readonly: bool = False) -> "LabelStore":
        """Open a store; paint that its index does not know yet is found again.

        A store that cannot be written is opened for reading.

        Parameters
        ----------
        folder : Path
            Where it is.
        readonly : bool
            Open it for reading, because somebody else writes.

        Raises
        ------
        LabelError
            If it is no store, is damaged, or comes from a newer version.
        """
        folder = Path(folder)
        record = read_record(folder)
        try:
            size = _size(folder)
            if size != math.prod(record.shape):
                raise LabelError(
                    f"The paint in {folder} is damaged: {RAW} has {size} bytes, its "
                    f"index says {record.shape}."
                )
            store = cls(folder, record.shape, record.classes, readonly=readonly)
            if holes_are_known() or (folder / DIRTY).exists():
                store._find_paint()
            else:
                for block in record.blocks:
                    store._tally.recount(block)
        except (OSError, ValueError) as error:
            raise LabelError(f"The paint in {folder} is damaged: {error}.") from error
        return store

    @classmethod
    def rescue(cls, folder: Path, shape: Sequence[int] | None = None) -> "LabelStore":
        """Open a store, damaged or not; `mended` says what was damaged.

        Damaged files are kept beside the mended ones, as ``NAME.damaged``.

        Parameters
        ----------
        folder : Path
            Where it is.
        shape : sequence of int, optional
            (Z, Y, X) of the image, for a store that does not know it any more.

        Raises
        ------
        LabelError
            If nothing says of which shape it is, or it comes from a newer version.
        OutputError
            If it cannot be mended because nothing can be written.
        """
        folder = Path(folder)
        known = None if shape is None else (int(shape[0]), int(shape[1]), int(shape[2]))
        try:
            notes = mend_store(folder, known)
            store = cls.open(folder)
            if notes and not store.readonly:
                painted = [value for value, count in store.counts().items() if count]
                store.classes = name_unknown(store.classes, painted)
                store.flush()
        except OSError as error:
            raise OutputError(
                f"The damaged paint in {folder} cannot be mended: "
                f"{error.strerror or error}."
            ) from error
        store.mended = tuple(notes)
        return store

    @classmethod
    def adopt(
        cls, folder: Path, array: Any, classes: Sequence[LabelClass] | None
    ) -> "LabelStore":
        """Copy an array's labels, block by block, into a store at `folder`.

        An empty store that is there is taken over.

        Parameters
        ----------
        folder : Path
            Where the store is or will be.
        array : array-like
            ``([Z,] Y, X)`` of class ids.
        classes : sequence of LabelClass, optional
            All classes; made up when left out.

        Raises
        ------
        LabelError
            If a value is negative or above 255, or belongs to no class; if the store
            has paint or another shape.
        OutputError
            If the disk has no room.
        """
        folder = Path(folder)
        labels = Raised(array) if len(array.shape) == 2 else array
        known = (folder / INDEX).exists()
        store = (
            cls.open(folder)
            if known
            else cls.create(folder, labels.shape, classes or default_classes(2))
        )
        (folder / ADOPTING).touch()  # there if the process dies on the way
        try:
            copy_labels(store, labels, classes)
        except BaseException:
            store.array.watcher = None
            remove_files(folder, () if known else (RAW, INDEX, SPARE, DIRTY))
            raise
        finally:
            remove_files(folder, (ADOPTING,))
        return store

    def on_change(self, callback: Callable[[Box], None]) -> None:
        """Have `callback` called with the box of each write."""
        self._listeners.append(callback)

    def set_classes(self, classes: Sequence[LabelClass]) -> None:
        """Change names or colours or add classes.

        Raises
        ------
        LabelError
            If an id occurs twice, a class with paint would vanish, or the store is open
            for reading.
        """
        self._check_writable()
        ids = [c.id for c in classes]
        if len(set(ids)) != len(ids):
            raise LabelError(f"Two classes have the same number: {sorted(ids)}.")
        lost = {value for value, count in self.counts().items() if count} - set(ids)
        if lost:
            raise LabelError(
                f"Class {min(lost)} has paint.", "Erase its paint before removing it."
            )
        self._mark_dirty()
        self.classes = tuple(sorted(classes, key=lambda c: c.id))

    def counts(self) -> dict[int, int]:
        """Painted voxels by class id; classes without paint have 0."""
        totals = self._tally.per_class()
        ids = {c.id for c in self.classes} | set(np.flatnonzero(totals).tolist())
        return {value: int(totals[value]) for value in sorted(ids)}

    def counts_by_slice(self, z: int) -> dict[int, int]:
        """Painted voxels by class id on one slice."""
        return {v: int(self._tally.per_slice()[z, v]) for v in self.counts()}

    def slices_per_class(self) -> dict[int, int]:
        """Return the number of slices with paint, by class id."""
        slices = np.count_nonzero(self._tally.per_slice(), axis=0)
        return {value: int(slices[value]) for value in self.counts()}

    def blocks_of(self, class_id: int) -> list[Box]:
        """Boxes of the blocks with paint of a class, in row-major order.

        Paint that slipped in through a view is found. May be called beside a thread
        that paints.
        """
        if holes_are_known():
            self._find_paint()
        return [
            block_box(block, self.shape)
            for block in self._tally.blocks
            if self._tally.has(block, class_id)
        ]

    def labelled(self, *, most: int = MOST_LABELLED) -> LabelledVoxels:
        """Read the painted voxels; only blocks with paint are touched.

        Of more than `most` cells are drawn (`kept_places`). Paint that slipped in
        through a view is found and counted. May be called beside a thread that paints.
        """
        if holes_are_known():
            self._find_paint()
        found = Gathering(self._tally.per_class(), most)
        for block in self._tally.blocks:
            _, rows, columns = block_box(block, self.shape)
            for z in self._tally.planes(block):
                with self._lock:
                    self._tally.recount(block, z, z + 1)
                    part = np.array(self._plain[z, rows, columns])
                y, x = np.nonzero(part)
                places = [np.full(len(y), z), y + rows.start, x + columns.start]
                found.add(np.stack(places, axis=1), part[y, x])
        return found.labelled(self.shape)

    def write(self, key: Any, value: Any) -> None:
        """Write ``array[key] = value`` and count what changed (the array's hook).

        Raises
        ------
        OutputError
            If the disk has no room for it; nothing was written then.
        LabelError
            If the store is open for reading.
        """
        self._check_writable()
        box = bounding_box(key, self.shape)
        if any(side.stop <= side.start for side in box):
            self._plain[key] = value
            return
        with self._lock:
            self._check_room(box)
            self._mark_dirty()
            try:
                self._plain[key] = value
            finally:
                for block, first, last in touched_planes(key, self.shape):
                    self._tally.recount(block, first, last)
        for callback in list(self._listeners):
            callback(box)

    def erase(self) -> None:
        """Remove all paint; the classes stay."""
        for block in self._tally.blocks:
            self.write(block_box(block, self.shape), 0)

    def flush(self) -> None:
        """Bring paint and index to the disk; others may paint meanwhile.

        Raises
        ------
        OutputError
            If the disk is full or gone; the paint stays in memory.
        """
        if self.readonly:
            return
        with self._flushing:
            with self._lock:
                record = Record(self.shape, self.classes, self._tally.blocks)
                self._dirty = False
            try:
                self._sync()
                write_spare(self.folder, record)
                write_record(self.folder, record)
                with self._lock:
                    # What was painted since is not in the index.
                    if not self._dirty:
                        (self.folder / DIRTY).unlink(missing_ok=True)
            except OSError as error:
                self._dirty = True
                raise OutputError(
                    f"Paint cannot be saved in {self.folder}: "
                    f"{error.strerror or error}."
                ) from error

    def close(self) -> None:
        """Save and let go of the file; the array must not be used any more."""
        if self._dirty:
            self.flush()
        self._listeners.clear()
        self.array.watcher = None

    def _sync(self) -> None:
        """Bring the paint to the disk, in a way that lets other threads go on."""
        if not sys.platform.startswith("linux"):
            self.array.flush()  # there, files do not know of pages in memory
        with (self.folder / RAW).open("r+b") as file:
            os.fsync(file.fileno())

    def _find_paint(self) -> None:
        for block, plane in painted_planes(self.folder / RAW, self._plain):
            with self._lock:
                if not self._tally.knows(block, plane):
                    self._tally.recount(block, plane, plane + 1)

    def _check_room(self, box: Box) -> None:
        """A mapped file that finds no room ends the process: ask before."""
        try:
            free = shutil.disk_usage(self.folder).free
        except OSError as error:
            raise OutputError(f"The paint's folder is gone: {self.folder}.") from error
        if free < ROOM + int(np.prod([side.stop - side.start for side in box])):
            raise OutputError(
                f"The disk of {self.folder} has {free / 1e6:.0f} MB left: nothing was "
                "painted.",
                "Free some space.",
            )

    def _check_writable(self) -> None:
        if self.readonly:
            raise LabelError(
                f"The paint in {self.folder} is open for reading only.",
                "It cannot be written, or another window paints on it.",
            )

    def _mark_dirty(self) -> None:
        if not self._dirty:
            try:
                (self.folder / DIRTY).touch()
            except OSError as error:
                raise OutputError(
                    f"Paint cannot be kept in {self.folder}: {error.strerror or error}."
                ) from error
            self._dirty = True


def _size(folder: Path) -> int:
    return (folder / RAW).stat().st_size
