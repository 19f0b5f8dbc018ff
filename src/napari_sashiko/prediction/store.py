"""The folder NAME.zarr of a prediction: created whole, resumed, or refused."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from napari_sashiko.errors import OutputError
from napari_sashiko.prediction._ledger import Ledger, create_ledger
from napari_sashiko.prediction.predictor import FloatArray, Triple
from napari_sashiko.volumes import (
    ATTRIBUTES,
    DAMAGED,
    ChunkWriter,
    Scratch,
    Stacking,
    Time,
    create_ome_image,
    new_folder_beside,
    padded,
    reading,
    spans,
    temporary_beside,
)

FORMAT_VERSION = 2
BEFORE_TIME = 1  # of what has no time axis, which older versions read as well
PREDICTION, RESTORED = "prediction", "restored image"  # kinds of what is stored here
RECONSTRUCTED = "reconstruction"
KINDS = (PREDICTION, RESTORED, RECONSTRUCTED)
KEYS = (  # of the record, without which nothing can be done
    "model_digest",
    "input_digest",
    "plan",
    "shape",
    "voxel_size",
    "unit",
    "flat",
    "classes",
)
DAMAGE = "Mend it, with: sashiko mend; else predict it again, with overwrite."
FLATTEST_CHUNK = 16  # a plane of a thick chunk costs as much as the whole chunk


@dataclass(frozen=True)
class Layout:
    """How a prediction lies on disk: cells of equal shape, each of whole chunks.

    Parameters
    ----------
    shape : (int, int, int)
        Volume, in voxels.
    cell : (int, int, int)
        Shape of a cell; the last one of an axis may be shorter.
    channels : int
        Of mean and deviation: one for each class, or those of a restored image.
    dtype : str
        How they are stored.
    flat : bool
        Whether the arrays on disk have no z axis.
    classifies : bool
        Whether there is an array of the most probable class, too.
    images : tuple of str
        Names of the arrays of so many channels.
    frame : int, optional
        Slices of a frame: no cell lies in two. None where all belong together.
    time : Time, optional
        Of frames that are time points: the arrays on disk have a t axis.
    """

    shape: Triple
    cell: Triple
    channels: int
    dtype: str
    flat: bool
    classifies: bool = True
    images: tuple[str, ...] = ("mean", "std")
    frame: int | None = None
    time: Time | None = None

    @property
    def stack(self) -> Stacking:
        """How slices fall into frames, and which axes there are on disk."""
        return Stacking(self.shape, self.frame, self.flat, self.time)

    @cached_property
    def rows(self) -> list[tuple[int, int]]:
        """First slice of each row of cells, and one after the last."""
        return spans(self.shape[0], self.cell[0], self.frame)

    @property
    def grid(self) -> Triple:
        """Number of cells along each axis."""
        y, x = (-(-n // c) for n, c in zip(self.shape[1:], self.cell[1:], strict=True))
        return len(self.rows), y, x

    @property
    def chunk(self) -> Triple:
        """A chunk: flat enough for browsing, and never part of two cells."""
        depth, height, width = self.cell
        alone = self.stack.depth <= depth
        flat = min(depth, FLATTEST_CHUNK) if alone else flat_part(depth)
        return flat, height, width

    @property
    def bytes(self) -> int:
        """Room that all arrays take before compression."""
        width = np.dtype(self.dtype).itemsize * len(self.images)
        return int(np.prod(self.shape)) * (width * self.channels + self.classifies)

    def box(self, low: int, y: int, x: int) -> tuple[int, ...]:
        """Place of a chunk in the grid of chunks of an array without channels.

        Parameters
        ----------
        low : int
            Its first slice.
        y, x : int
            Its place along the other axes.
        """
        if self.time is None:
            return self.stack.lying(0, (low // self.chunk[0], y, x))
        early, deep = divmod(low, self.stack.depth)
        return self.stack.lying(early, (deep // self.chunk[0], y, x))

    def with_channel(self, channel: Any, entries: tuple[Any, ...]) -> tuple[Any, ...]:
        """Put an entry for channels behind that of time, before all others."""
        first = 0 if self.time is None else 1
        return (*entries[:first], channel, *entries[first:])

    @property
    def arrays(self) -> tuple[str, ...]:
        """Names of the arrays."""
        return (*self.images, "classes") if self.classifies else self.images


def flat_part(depth: int, most: int = FLATTEST_CHUNK) -> int:
    """Largest divisor of `depth` that is at most `most`."""
    return next(part for part in range(min(depth, most), 0, -1) if depth % part == 0)


class PredictionStore:
    """An open prediction: where cells are written and noted.

    Parameters
    ----------
    path : Path
        Folder of the prediction.
    layout : Layout
        How it lies on disk.
    """

    def __init__(self, path: Path, layout: Layout) -> None:
        self.path = path
        self.layout = layout
        with reading_prediction(path):
            group: Any = zarr.open_group(str(path), mode="r+")
            writers = {
                name: ChunkWriter(path / name / "0", group[f"{name}/0"])
                for name in layout.arrays
            }
        self._images = [writers[name] for name in layout.images]
        self._mean, self._std = self._images[0], self._images[-1]
        self._classes = writers.get("classes")
        self._scratch = Scratch()
        self.ledger = Ledger(path)

    @property
    def dtype(self) -> str:
        """How probabilities are stored on disk."""
        return str(self._mean.dtype)

    def write_images(self, index: Triple, images: Sequence[FloatArray]) -> int:
        """Write one cell of a store without classes.

        Parameters
        ----------
        index : (int, int, int)
            Place of the cell in the grid.
        images : sequence of (K, z, y, x) float32
            One for each array.

        Returns
        -------
        int
            Bytes on disk.
        """
        depth, first = self.layout.chunk[0], self.layout.rows[index[0]][0]
        size = 0
        for low in range(0, images[0].shape[1], depth):
            box = self.layout.box(first + low, *index[1:])
            size += self._write_image(
                box, [image[:, low : low + depth] for image in images]
            )
        return size

    def write(
        self,
        region: tuple[slice, slice, slice],
        mean: FloatArray,
        std: FloatArray,
        ids: np.ndarray[Any, Any],
    ) -> int:
        """Write one cell: mean, deviation, and the most probable class.

        Parameters
        ----------
        region : tuple of slice
            The cell, in voxels of the volume.
        mean, std : (K, z, y, x) float32
        ids : (K,) uint8
            Class id of each channel; not looked at where there are no classes.

        Returns
        -------
        int
            Bytes on disk.
        """
        depth, height, width = self.layout.chunk
        size = 0
        for low in range(0, mean.shape[1], depth):
            rows = slice(low, low + depth)
            box = self.layout.box(
                region[0].start + low,
                region[1].start // height,
                region[2].start // width,
            )
            size += self._write_chunks(box, mean[:, rows], std[:, rows], ids)
        return size

    def size_of(self, index: Triple) -> int:
        """Bytes on disk of the cell at this place of the grid."""
        paths = (writer.path(place) for writer, place in self._chunks_of(index))
        return sum(path.stat().st_size for path in paths if path.exists())

    def damaged_files(self, index: Triple) -> list[Path]:
        """Files of a cell that are there and are not what was written."""
        return [
            writer.path(place)
            for writer, place in self._chunks_of(index)
            if writer.is_torn(place)
        ]

    def odd_file(self, index: Triple, size: int | None) -> Path | None:
        """A file of a finished cell that is damaged or missing; None if it is whole.

        Parameters
        ----------
        index : (int, int, int)
            Place of the cell in the grid.
        size : int or None
            Bytes that the cell takes; None or 0 if nobody has noted it.
        """
        if size and self.size_of(index) == size:
            return None
        damaged = self.damaged_files(index)
        if damaged:
            return damaged[0]
        # Classes are never 0 everywhere, probabilities may be.
        needed = [
            writer.path(place)
            for writer, place in self._chunks_of(index)
            if size or writer is self._classes
        ]
        missing = [path for path in needed if not path.exists()]
        return next(iter(missing or (needed if size else [])), None)

    def _chunks_of(self, index: Triple) -> Iterator[tuple[ChunkWriter, Any]]:
        """All chunks of a cell, classes first."""
        layout = self.layout
        for low in range(*layout.rows[index[0]], layout.chunk[0]):
            box = layout.box(low, *index[1:])
            if self._classes is not None:
                yield self._classes, box
            for channel in range(layout.channels):
                place = layout.with_channel(channel, box)
                yield from ((writer, place) for writer in self._images)

    def _write_chunks(
        self, box: tuple[int, ...], mean: FloatArray, std: FloatArray, ids: Any
    ) -> int:
        """Write the chunks of one place: while they are in the processor's cache."""
        if self._classes is None:
            return self._write_image(box, (mean, std))
        best = self._chunk("best", self._mean, self.layout.chunk)
        stored = self._chunk("stored", self._mean, self.layout.chunk)
        winner = self._chunk("winner", self._classes, self.layout.chunk)
        shape = mean.shape[1:]
        corner = tuple(slice(0, extent) for extent in shape)
        size = 0
        for channel, number in enumerate(ids):
            values = padded(mean[channel], stored if channel else best)
            place = self.layout.with_channel(channel, box)
            size += self._mean.write(place, self._drop_z(values))
            # From the stored values, so that classes and argmax never differ.
            if channel == 0:
                winner.fill(0)
                winner[corner] = number
            else:
                np.copyto(winner[corner], number, where=(stored > best)[corner])
                np.maximum(stored, best, out=best)
        size += self._classes.write(box, self._drop_z(winner))
        for channel in range(len(ids)):
            values = padded(std[channel], stored)
            place = self.layout.with_channel(channel, box)
            size += self._std.write(place, self._drop_z(values))
        return size

    def _write_image(self, box: Any, images: Sequence[FloatArray]) -> int:
        room = self._chunk("stored", self._mean, self.layout.chunk)
        size = 0
        for writer, image in zip(self._images, images, strict=True):
            for channel, values in enumerate(image):
                chunk = self._drop_z(padded(values, room))
                size += writer.write(self.layout.with_channel(channel, box), chunk)
        return size

    def _chunk(self, name: str, writer: ChunkWriter, shape: Triple) -> Any:
        return self._scratch.array(name, shape, writer.dtype)

    def _drop_z(self, chunk: Any) -> Any:
        return chunk[0] if self.layout.flat else chunk


def create_store(
    path: Path,
    layout: Layout,
    record: Mapping[str, Any],
    *,
    voxel_size: tuple[float, float, float],
    unit: str,
) -> None:
    """Make an empty prediction; it appears under its name only when complete.

    Parameters
    ----------
    path : Path
        Where; nothing may be there.
    layout : Layout
        Shapes and types.
    record : mapping
        Digests, plan and classes, kept in the attributes.
    voxel_size : (float, float, float)
        z, y, x in `unit`.
    unit : str
        Unit of length.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    try:
        part = new_folder_beside(path)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written: {error.strerror or error}.",
            "Choose another folder.",
        ) from error
    try:
        _fill(part, layout, record, voxel_size, unit)
        part.rename(path)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def _fill(
    path: Path,
    layout: Layout,
    record: Mapping[str, Any],
    voxel_size: tuple[float, float, float],
    unit: str,
) -> None:
    group = zarr.create_group(str(path), attributes={ATTRIBUTES: dict(record)})
    stack = layout.stack
    shape, chunks = stack.on_disk, stack.lying(1, layout.chunk)
    axes = tuple(stack.axes)
    for name in layout.arrays:
        one = name == "classes"
        create_ome_image(
            group,
            name,
            shape=shape if one else layout.with_channel(layout.channels, shape),
            chunks=chunks if one else layout.with_channel(1, chunks),
            dtype="uint8" if one else layout.dtype,
            axes="".join(axes if one else layout.with_channel("c", axes)),
            voxel_size=voxel_size[1 if layout.flat else 0 :],
            unit=unit,
            time=layout.time,
        )
    create_ledger(group, layout.grid)


def read_record(path: Path) -> dict[str, Any] | None:
    """Read what a prediction, or another result of this room, says about itself.

    Returns
    -------
    dict or None
        None if `path` is not there.

    Raises
    ------
    OutputError
        If there is something else, or a prediction that is damaged or of a newer
        version.
    """
    record = _own_record(path)
    if record is not None:
        with reading_prediction(path):
            for key in KEYS:
                record[key]
    return record


def record_of(path: Path, *kinds: str) -> dict[str, Any]:
    """Read what a result says about itself.

    Parameters
    ----------
    path : Path
        Folder NAME.zarr.
    *kinds : str
        What it may be, of `KINDS`.

    Raises
    ------
    OutputError
        If there is none, it is damaged, of another kind, or of a newer version.
    """
    record = read_record(path)
    if record is None:
        raise OutputError(f"There is no {kinds[0]} at {path}.", "Predict it first.")
    if record["kind"] not in kinds:
        raise OutputError(
            f"{path} is a {record['kind']}, not a {' or a '.join(kinds)}.",
            "Choose another one.",
        )
    return record


def reading_prediction(path: Path) -> AbstractContextManager[None]:
    """Say in words that a prediction is damaged."""
    return reading(f"The prediction {path}", DAMAGE)


def _own_record(path: Path) -> dict[str, Any] | None:
    """What identifies a prediction, whole or damaged."""
    if not path.exists():
        return None
    try:
        record: Any = zarr.open_group(str(path), mode="r").attrs.get(ATTRIBUTES)
    except DAMAGED:
        record = None
    if not isinstance(record, dict) or record.get("kind") not in KINDS:
        raise OutputError(
            f"{path} exists and is not a prediction of this program.",
            "Choose another name; it is left as it is.",
        )
    if record.get("format_version", 0) > FORMAT_VERSION:
        raise OutputError(
            f"{path} was written by a newer version (format "
            f"{record['format_version']}, here {FORMAT_VERSION}).",
            "Update napari-sashiko, or choose another name.",
        )
    return record


def remove_store(path: Path) -> None:
    """Delete a prediction; anything else is refused.

    Raises
    ------
    OutputError
        If `path` is not a prediction or cannot be deleted.
    """
    if _own_record(path) is None:
        return
    try:
        # Renamed first: what is half deleted must not look like a prediction.
        doomed = temporary_beside(path)
        path.rename(doomed)
        shutil.rmtree(doomed)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be replaced: {error.strerror or error}."
        ) from error
