"""The label store: sparse paint of a volume of any size, on disk from the first dab.

Strategy: ``labels.raw`` is a sparse file of one byte a voxel, mapped into memory: the
system keeps what was painted even when the process is killed. ``labels.json`` holds the
classes and an index of blocks with paint. While the index is behind, ``labels.dirty``
exists; a store that is opened with it looks for paint in the file itself.
"""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.errors import LabelError, OutputError
from napari_sashiko.labels.classes import LabelClass, default_classes
from napari_sashiko.labels.labelled import LabelledVoxels
from napari_sashiko.labels.tracked import Box, TrackedArray, bounding_box

FORMAT_VERSION = 1
RAW, INDEX, DIRTY = "labels.raw", "labels.json", "labels.dirty"
BLOCK = 64  # edge of a block of the index, voxels
SLAB = 1 << 22  # voxels that are counted at once

Shape = tuple[int, int, int]


class LabelStore:
    """Paint on disk; use `create`, `open` or `adopt`.

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
    """

    def __init__(
        self, folder: Path, shape: Shape, classes: Sequence[LabelClass]
    ) -> None:
        self.folder = folder
        self.shape = shape
        self.classes = tuple(classes)
        self.array = TrackedArray(folder / RAW, dtype=np.uint8, mode="r+", shape=shape)
        self.array.watcher = self
        self._plain = self.array.view(np.ndarray)
        self._table = np.zeros((shape[0], 256), np.int64)
        self._blocks: set[Shape] = set()
        self._listeners: list[Callable[[Box], None]] = []
        self._dirty = False

    @classmethod
    def create(
        cls, folder: Path, shape: Sequence[int], classes: Sequence[LabelClass]
    ) -> "LabelStore":
        """Make an empty store; the file is sparse where the file system can.

        Raises
        ------
        LabelError
            If there is a store already.
        OutputError
            If the folder cannot be written.
        """
        folder = Path(folder)
        if (folder / RAW).exists():
            raise LabelError(f"There is paint in {folder} already.", "Open it instead.")
        size = (int(shape[0]), int(shape[1]), int(shape[2]))
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / RAW).open("wb") as file:
                file.truncate(int(np.prod(size)))
            store = cls(folder, size, classes)
            store._write_index()
        except OSError as error:
            raise OutputError(
                f"Paint cannot be kept in {folder}: {error.strerror or error}.",
                "Free some space or choose another folder.",
            ) from error
        return store

    @classmethod
    def open(cls, folder: Path) -> "LabelStore":
        """Open a store; paint that its index does not know yet is found again.

        Raises
        ------
        LabelError
            If it is no store, is damaged, or comes from a newer version.
        """
        folder = Path(folder)
        record = _read_index(folder)
        try:
            shape = tuple(int(n) for n in record["shape"])
            classes = [LabelClass.model_validate(c) for c in record["classes"]]
            blocks = {tuple(int(i) for i in block) for block in record["blocks"]}
            size = (folder / RAW).stat().st_size
        except (KeyError, TypeError, ValueError, OSError) as error:
            raise LabelError(f"The paint in {folder} is damaged: {error}.") from error
        if len(shape) != 3 or size != int(np.prod(shape)):
            raise LabelError(
                f"The paint in {folder} is damaged: {RAW} has {size} bytes, its index "
                f"says {shape}."
            )
        store = cls(folder, shape, classes)
        if (folder / DIRTY).exists():
            blocks = set(store._search())
        for block in blocks:
            store._count(store._box_of(block), 1)
        store._blocks = blocks  # type: ignore[assignment]
        return store

    @classmethod
    def adopt(
        cls, folder: Path, array: Any, classes: Sequence[LabelClass] | None
    ) -> "LabelStore":
        """Copy an array's labels, block by block, into a store at `folder`.

        An empty store that is there is taken over.

        Raises
        ------
        LabelError
            If a value is negative or above 255, or belongs to no class.
        """
        folder = Path(folder)
        flat = len(array.shape) == 2
        shape = (1, *array.shape) if flat else tuple(array.shape)
        store = (
            cls.open(folder)
            if (folder / INDEX).exists()
            else cls.create(folder, shape, classes or default_classes(2))
        )
        for box in _boxes(store.shape, 4 * BLOCK):
            part = np.asarray(array[box[1:] if flat else box])
            if part.any():
                _check_values(part)
                store.array[box] = part[None] if flat else part
        found = [value for value, count in store.counts().items() if count]
        if classes is None:
            classes = default_classes(max([2, *found]))
        unknown = set(found) - {c.id for c in classes}
        if unknown:
            raise LabelError(f"Label {min(unknown)} belongs to no class.")
        store.set_classes(classes)
        store.flush()
        return store

    def on_change(self, callback: Callable[[Box], None]) -> None:
        """Have `callback` called with the box of each write."""
        self._listeners.append(callback)

    def set_classes(self, classes: Sequence[LabelClass]) -> None:
        """Change names or colours or add classes.

        Raises
        ------
        LabelError
            If an id occurs twice, or a class with paint would vanish.
        """
        ids = [c.id for c in classes]
        if len(set(ids)) != len(ids):
            raise LabelError(f"Two classes have the same number: {sorted(ids)}.")
        lost = {value for value, count in self.counts().items() if count} - set(ids)
        if lost:
            raise LabelError(
                f"Class {min(lost)} has paint.", "Erase its paint before removing it."
            )
        self.classes = tuple(sorted(classes, key=lambda c: c.id))
        self._mark_dirty()

    def counts(self) -> dict[int, int]:
        """Painted voxels by class id; classes without paint have 0."""
        totals = self._table.sum(axis=0)
        ids = {c.id for c in self.classes} | set(np.flatnonzero(totals).tolist())
        return {value: int(totals[value]) for value in sorted(ids - {0})}

    def counts_by_slice(self, z: int) -> dict[int, int]:
        """Painted voxels by class id on one slice."""
        return {value: int(self._table[z, value]) for value in self.counts()}

    def slices_per_class(self) -> dict[int, int]:
        """Return the number of slices with paint, by class id."""
        slices = (self._table > 0).sum(axis=0)
        return {value: int(slices[value]) for value in self.counts()}

    def labelled(self) -> LabelledVoxels:
        """Read all painted voxels; only blocks with paint are touched."""
        coords, values = [np.zeros((0, 3), np.int64)], [np.zeros(0, np.uint8)]
        for block in sorted(self._blocks):
            box = self._box_of(block)
            part = self._plain[box]
            places = np.argwhere(part)
            coords.append(places + [side.start for side in box])
            values.append(part[tuple(places.T)])
        where, what = np.concatenate(coords), np.concatenate(values)
        order = np.lexsort(where.T[::-1])
        return LabelledVoxels(where[order].astype(np.int32), what[order], self.shape)

    def write(self, key: Any, value: Any) -> None:
        """Write ``array[key] = value`` and count what changed (the array's hook)."""
        box = bounding_box(key, self.shape)
        if any(side.stop <= side.start for side in box):
            self._plain[key] = value
            return
        self._mark_dirty()
        self._count(box, -1)
        try:
            self._plain[key] = value
        finally:
            self._count(box, 1)
        for block in _blocks_in(box):
            if block not in self._blocks and self._plain[self._box_of(block)].any():
                self._blocks.add(block)
        for callback in list(self._listeners):
            callback(box)

    def flush(self) -> None:
        """Bring paint and index to the disk.

        Raises
        ------
        OutputError
            If the disk is full or gone; the paint stays in memory.
        """
        try:
            self.array.flush()
            self._write_index()
        except OSError as error:
            raise OutputError(
                f"Paint cannot be saved in {self.folder}: {error.strerror or error}."
            ) from error

    def close(self) -> None:
        """Save and let go of the file; the array must not be used any more."""
        if self._dirty:
            self.flush()
        self._listeners.clear()
        self.array.watcher = None

    def _count(self, box: Box, sign: int) -> None:
        rows = max(1, SLAB // max(1, _area(box)))
        for start in range(box[0].start, box[0].stop, rows):
            stop = min(start + rows, box[0].stop)
            part = self._plain[start:stop, box[1], box[2]]
            if sign > 0 and not part.any():
                self._table[start:stop, 0] += sign * part[0].size
                continue
            offset = 256 * np.arange(stop - start)[:, None, None]
            found = np.bincount((part + offset).ravel(), minlength=256 * (stop - start))
            self._table[start:stop] += sign * found.reshape(-1, 256)

    def _mark_dirty(self) -> None:
        if not self._dirty:
            (self.folder / DIRTY).touch()
            self._dirty = True

    def _write_index(self) -> None:
        record = {
            "format_version": FORMAT_VERSION,
            "shape": self.shape,
            "classes": [c.model_dump() for c in self.classes],
            "blocks": sorted(self._blocks),
        }
        part = self.folder / (INDEX + ".part")
        with part.open("w", encoding="utf-8") as file:
            json.dump(record, file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.folder / INDEX)
        (self.folder / DIRTY).unlink(missing_ok=True)
        self._dirty = False

    def _search(self) -> Iterator[Shape]:
        """Find blocks with paint in the file; holes of a sparse file are skipped."""
        plane = self.shape[1] * self.shape[2]
        seen: set[Shape] = set()
        for low, high in _data_ranges(self.folder / RAW):
            first, last = low // plane, min(-(-high // plane), self.shape[0])
            for z in range(first // BLOCK, -(-last // BLOCK)):
                rows, columns = (range(-(-n // BLOCK)) for n in self.shape[1:])
                for block in product([z], rows, columns):
                    if block not in seen and self._plain[self._box_of(block)].any():
                        seen.add(block)
                        yield block

    def _box_of(self, block: Sequence[int]) -> Box:
        return tuple(
            slice(i * BLOCK, min((i + 1) * BLOCK, n))
            for i, n in zip(block, self.shape, strict=True)
        )


def _read_index(folder: Path) -> dict[str, Any]:
    try:
        record = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LabelError(f"There is no paint in {folder}.") from None
    except (OSError, ValueError) as error:
        raise LabelError(f"The paint in {folder} is damaged: {error}.") from error
    version = record.get("format_version", 0) if isinstance(record, dict) else 0
    if version > FORMAT_VERSION:
        raise LabelError(
            f"The paint in {folder} has format {version}, this version reads up to "
            f"{FORMAT_VERSION}.",
            "Update napari-sashiko.",
        )
    return dict(record)


def _data_ranges(path: Path) -> Iterator[tuple[int, int]]:
    """Byte ranges of a file that may hold data; all of it where holes are unknown."""
    size = path.stat().st_size
    if not hasattr(os, "SEEK_DATA"):
        yield 0, size
        return
    with path.open("rb") as file:
        place = 0
        while place < size:
            try:
                low = os.lseek(file.fileno(), place, os.SEEK_DATA)
            except OSError:  # no data after this place
                return
            place = os.lseek(file.fileno(), low, os.SEEK_HOLE)
            yield low, place


def _boxes(shape: Shape, edge: int) -> Iterator[Box]:
    for corner in product(*(range(0, n, edge) for n in shape)):
        yield tuple(
            slice(c, min(c + edge, n)) for c, n in zip(corner, shape, strict=True)
        )


def _blocks_in(box: Box) -> Iterator[Shape]:
    z, y, x = (range(s.start // BLOCK, -(-s.stop // BLOCK)) for s in box)
    yield from product(z, y, x)


def _area(box: Box) -> int:
    return int((box[1].stop - box[1].start) * (box[2].stop - box[2].start))


def _check_values(part: NDArray[Any]) -> None:
    low, high = int(part.min()), int(part.max())
    if low < 0 or high > 255:
        raise LabelError(
            f"There is a label {low if low < 0 else high}.",
            "Class numbers go from 1 to 255; 0 is no label.",
        )
