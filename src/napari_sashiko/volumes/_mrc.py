"""MRC (electron tomography), by mrcfile: mapped into memory, voxel size in angstrom."""

import warnings
from pathlib import Path

from napari_sashiko.errors import VolumeError
from napari_sashiko.volumes._found import Ask, Found, known_size
from napari_sashiko.volumes._optional import need


def open_mrc(path: Path, _ask: Ask) -> Found:
    """Map an MRC volume or image into memory.

    Raises
    ------
    VolumeError
        If it is a stack of volumes, or holds no data.
    """
    mrcfile = need("mrcfile", path)
    with warnings.catch_warnings():
        # Many programs write headers that are slightly wrong; the data are fine.
        warnings.simplefilter("ignore", RuntimeWarning)
        with mrcfile.mmap(path, mode="r", permissive=True) as file:
            array, size = file.data, file.voxel_size
            stack = array is not None and file.is_volume_stack()
    if array is None:
        raise VolumeError(f"{path} is damaged: no data fit its header.")
    if stack:
        raise VolumeError(
            f"{path.name} is a stack of volumes, shape {array.shape}.",
            "Split it into single volumes.",
        )
    found = known_size((float(size.z or size.y), float(size.y), float(size.x)))
    unit = "pixel" if found is None else "angstrom"
    return Found(array, "zyx"[-array.ndim :], found, unit)
