"""NIfTI (medical images), by nibabel; axes x, y, z on disk."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sashiko.errors import VolumeError
from napari_sashiko.volumes._found import Ask, Fetched, Found, known_size, known_time
from napari_sashiko.volumes._optional import need
from napari_sashiko.volumes.units import short_unit


def open_nifti(path: Path, _ask: Ask) -> Found:
    """Open an image; a packed one (``.gz``) is read as a whole.

    Raises
    ------
    VolumeError
        If it cannot be understood.
    """
    nibabel = need("nibabel", path)
    try:
        image = nibabel.load(path)
    except nibabel.filebasedimages.ImageFileError as error:
        raise VolumeError(f"{path} is not NIfTI, or it is damaged.") from error
    shape = image.shape
    axes = "xyzt"[: len(shape)] if len(shape) < 5 else None
    zooms = [float(zoom) for zoom in image.header.get_zooms()[:3]]
    size = known_size((*[1.0] * (3 - len(zooms)), *reversed(zooms)))
    length, lapse = image.header.get_xyzt_units()
    unit = short_unit(length) if size else "pixel"
    steps = [float(zoom) for zoom in image.header.get_zooms()[3:4]]
    time = known_time(steps[0], lapse) if steps else None
    return Found(_array(path, image), axes, size, unit, time=time)


def _array(path: Path, image: Any) -> Any:
    slope, shift = image.dataobj.slope, image.dataobj.inter
    plain = (slope, shift) == (1.0, 0.0)
    dtype = image.get_data_dtype() if plain else np.dtype(np.float32)

    def fetch(key: Any) -> NDArray[Any]:
        return np.asarray(image.dataobj[key]).astype(dtype, copy=False)

    if path.suffix.lower() == ".gz":  # no way to read a part of it
        return np.asarray(image.dataobj).astype(dtype, copy=False)
    return Fetched(image.shape, dtype, fetch)
