"""MRC by mrcfile: mapped into memory, voxel size in angstrom, one image a file."""

import contextlib
import importlib
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.errors import OutputError
from napari_sashiko.exports._reserving import Put, reserve
from napari_sashiko.exports.content import Box, Content

MRC_ENDINGS = (".mrc", ".rec", ".map")
ANGSTROM = {
    "angstrom": 1.0,
    "pm": 1e-2,
    "nm": 1e1,
    "um": 1e4,
    "mm": 1e7,
    "cm": 1e8,
    "m": 1e10,
}
MODES = {"int8": 0, "int16": 1, "float32": 2, "uint16": 6}
LABEL = 80  # characters of a line in the header


def fit_mrc(content: Content) -> tuple[Content, list[str]]:
    """Choose a type that MRC has and that holds every number as it is.

    Raises
    ------
    OutputError
        If there are several channels, or mrcfile is not installed.
    """
    _mrcfile(content)
    if content.names:
        raise OutputError(
            f"MRC holds one image a file, {content.title} are {len(content.names)}.",
            f"Name a {content.each}, with --{content.each}, or write a TIFF, which "
            "holds all of them.",
        )
    said = []
    if content.unit not in ANGSTROM:
        said.append(
            f"The voxel size has no unit of length ({content.unit}): none is written."
        )
    dtype = content.dtype
    if dtype not in MODES:
        small = content.largest is not None and content.largest <= np.iinfo("i1").max
        dtype = "int8" if small else "uint16"
        said.append(
            f"MRC has no {content.dtype}: the same numbers are kept as {dtype}."
        )
    return replace(content, dtype=dtype), said


@contextlib.contextmanager
def writing_mrc(file: IO[bytes], content: Content) -> Iterator[Put]:
    """Write the header, map the voxels into memory to be filled, sum them up.

    Yields
    ------
    callable
        Takes a box and its voxels.
    """
    made = _mrcfile(content).new_mmap(
        file.name, content.shape, mrc_mode=MODES[content.dtype], overwrite=True
    )
    with made as mrc:
        reserve(file, os.fstat(file.fileno()).st_size)
        if len(content.shape) == 3 and "Z" in content.axes:
            mrc.set_volume()
        elif len(content.shape) == 3:  # one picture after the other
            mrc.set_image_stack()
        factor = ANGSTROM.get(content.unit, 0.0)
        z, y, x = (content.voxel_size[0], *content.voxel_size)[-3:]
        mrc.voxel_size = (x * factor, y * factor, z * factor)
        for line in filter(None, (content.title, content.note)):
            mrc.add_label(line.encode("ascii", "replace").decode()[:LABEL])
        sums = Sums()

        def put(box: Box, values: NDArray[Any]) -> None:
            mrc.data[box] = values
            sums.add(values)

        yield put
        sums.tell(mrc.header)


@dataclass
class Sums:
    """Numbers that a header has about its voxels."""

    count: int = 0
    low: float = math.inf
    high: float = -math.inf
    total: float = 0.0
    squares: float = 0.0

    def add(self, values: NDArray[Any]) -> None:
        """Count some voxels in."""
        exact = values.astype(np.float64)
        self.count += values.size
        self.low = min(self.low, float(exact.min()))
        self.high = max(self.high, float(exact.max()))
        self.total += float(exact.sum())
        self.squares += float((exact**2).sum())

    def tell(self, header: Any) -> None:
        """Write least, largest, mean and root mean square deviation."""
        mean = self.total / self.count
        header.dmin, header.dmax, header.dmean = self.low, self.high, mean
        header.rms = math.sqrt(max(self.squares / self.count - mean**2, 0.0))


def _mrcfile(content: Content) -> Any:
    try:
        return importlib.import_module("mrcfile")
    except ImportError as error:
        raise OutputError(
            f"Writing {content.title} as MRC needs the package mrcfile, which is not "
            "installed.",
            'Install it: pip install "napari-sashiko[formats]".',
        ) from error
