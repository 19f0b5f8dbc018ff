"""MRC (electron tomography), by mrcfile: mapped into memory, voxel size in angstrom."""

import warnings
from pathlib import Path

from napari_sashiko.errors import VolumeError
from napari_sashiko.volumes._found import Ask, Found, known_size
from napari_sashiko.volumes._optional import need


def open_mrc(path: Path, _ask: Ask) -> Found:
    """Map an MRC volume or image into memory.

    Of a stack of volumes the file does not say what the first axis is.

    Raises
    ------
    VolumeError
        If it holds no data.
    """
    mrcfile = need("mrcfile", path)
    with warnings.catch_warnings():
        # Many programs write headers that are slightly wrong; the data are fine.
        warnings.simplefilter("ignore", RuntimeWarning)
        with mrcfile.mmap(path, mode="r", permissive=True) as file:
            array, size = file.data, file.voxel_size
    if array is None:
        raise VolumeError(f"{path} is damaged: no data fit its header.")
    found = known_size((float(size.z or size.y), float(size.y), float(size.x)))
    unit = "pixel" if found is None else "angstrom"
    axes = "zyx"[-array.ndim :] if array.ndim < 4 else None
    return Found(array, axes, found, unit)
