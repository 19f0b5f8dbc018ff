"""BigTIFF with OME metadata: any size, voxel size and unit, channels by name."""

import contextlib
import os
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_sashiko.exports._reserving import Put, reserve
from napari_sashiko.exports.content import Box, Content

TIFF_ENDINGS = (".tif", ".tiff")
OME_UNITS = {"um": "µm", "angstrom": "Å"} | {
    u: u for u in ("nm", "mm", "cm", "pm", "m")
}

OME_TIMES = ("us", "ms", "s", "min", "h", "day")


def fit_tiff(content: Content) -> tuple[Content, list[str]]:
    """TIFF holds all types of results; only units of length may be unknown."""
    if content.unit in OME_UNITS:
        return content, []
    said = f"The voxel size has no unit of length ({content.unit}): none is written."
    return content, [said]


@contextlib.contextmanager
def writing_tiff(file: IO[bytes], content: Content) -> Iterator[Put]:
    """Write the pages, empty, then map them into memory to be filled.

    Yields
    ------
    callable
        Takes a box and its voxels.
    """
    place: Any = tifffile.imwrite(
        file,
        shape=content.shape,
        dtype=content.dtype,
        bigtiff=True,
        ome=True,
        photometric="minisblack",
        metadata=_facts(content),
        returnoffset=True,
    )
    file.flush()
    reserve(file, os.fstat(file.fileno()).st_size)
    kept = [np.memmap(file.name, content.dtype, "r+", place[0], content.shape)]

    def put(box: Box, values: NDArray[Any]) -> None:
        kept[0][box] = values

    try:
        yield put
        kept[0].flush()
    finally:
        kept.clear()  # a file that is mapped cannot be renamed on Windows


def _facts(content: Content) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "axes": content.axes,
        "Name": content.title,
        "Description": content.note,
    }
    if content.names:
        facts["Channel"] = {"Name": list(content.names)}
    time = content.stack.time
    if time is not None and time.unit in OME_TIMES:
        facts |= {"TimeIncrement": time.step, "TimeIncrementUnit": time.unit}
    if content.unit in OME_UNITS:
        space = content.axes.removeprefix("T").removeprefix("C")
        for axis, size in zip(space, content.voxel_size, strict=True):
            facts[f"PhysicalSize{axis}"] = size
            facts[f"PhysicalSize{axis}Unit"] = OME_UNITS[content.unit]
    return facts
