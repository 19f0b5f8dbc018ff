"""Opening files: one reader per format, chosen by the name's ending."""

import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from zipfile import BadZipFile

import tifffile

from napari_sashiko.errors import VolumeError
from napari_sashiko.volumes._found import Ask, Found
from napari_sashiko.volumes._hdf5 import open_hdf5
from napari_sashiko.volumes._mrc import open_mrc
from napari_sashiko.volumes._nifti import open_nifti
from napari_sashiko.volumes._numpy import open_npy, open_npz
from napari_sashiko.volumes._pictures import PICTURES, open_folder, open_picture
from napari_sashiko.volumes._tiff import open_tiff
from napari_sashiko.volumes._zarr import open_zarr
from napari_sashiko.volumes.picture_folder import is_portfolio, open_portfolio
from napari_sashiko.volumes.volume import Volume, as_volume

Reader = Callable[[Path, Ask], Found]
HDF5 = (".h5", ".hdf5", ".hdf", ".nxs")
READERS: dict[str, Reader] = {
    ".npy": open_npy,
    ".npz": open_npz,
    **dict.fromkeys((".tif", ".tiff"), open_tiff),
    ".zarr": open_zarr,
    **dict.fromkeys((".mrc", ".rec", ".map", ".st"), open_mrc),
    **dict.fromkeys(HDF5, open_hdf5),
    **dict.fromkeys((".nii", ".nii.gz"), open_nifti),
    **dict.fromkeys(PICTURES, open_picture),
}
WITH_LEVELS = (open_tiff, open_zarr)
WITH_NAMES = (*HDF5, ".npz")  # in a Zarr a name is a folder, and needs no help
DAMAGED = (
    OSError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    EOFError,
    BadZipFile,
    struct.error,
    tifffile.TiffFileError,
)


def open_volume(
    path: Path | str,
    *,
    axes: str | None = None,
    unnamed: str | None = None,
    dataset: str | None = None,
    level: int = 0,
    without: Sequence[str] = (),
) -> Volume:
    """Open a file or folder; voxels are read later, by regions.

    Parameters
    ----------
    path : path
        NumPy (``.npy``, ``.npz``), TIFF, Zarr and OME-Zarr, MRC, HDF5 and NeXus, NIfTI,
        pictures, or a folder with one TIFF or picture a slice. Pictures in a folder
        ``images``, or in ``images`` of its parts ``train``, ``validate`` and ``test``,
        are no slices of a block: they may be of any sizes. An array in a file may
        follow its name, as in ``scan.h5/entry/data``.
    axes : str, optional
        One letter of ``tczyx`` per axis, where the file does not say or is wrong.
    unnamed : str, optional
        The same, only for a file that does not say and has as many axes.
    dataset : str, optional
        Array inside a ``.npz``, ``.zarr`` or HDF5 file.
    level : int
        Level of an image pyramid (OME-Zarr, TIFF), 0 is the finest.
    without : sequence of str
        Pictures that are left out of a folder that has them under ``images``, as paths
        in it: ``"test/images/c.png"``.

    Raises
    ------
    VolumeError
        If the file is not there, damaged, of an unknown format, its axes are not
        clear, or it has no such level.
    """
    place, inside = _split(Path(path))
    dataset = dataset or inside
    reader = _reader(place)
    if level and reader not in WITH_LEVELS:
        raise VolumeError(
            f"{place.name} has no level {level}.",
            "OME-Zarr and TIFF may have levels; leave the level out.",
        )
    try:
        found = reader(place, Ask(dataset, level, axes or unnamed, tuple(without)))
    except DAMAGED as error:
        raise VolumeError(f"{place} cannot be read: {_reason(error)}.") from error
    volume = as_volume(
        found.array,
        axes=axes or found.axes,
        unnamed=unnamed,
        voxel_size=found.voxel_size,
        unit=found.unit,
        name=place.name.split(".")[0] or place.name,
        time=found.time,
    )
    volume.path = place
    volume.levels = found.levels
    if found.separate:
        volume.frame = 1
    volume.source = {
        "path": str(place.absolute()),
        "axes": axes,
        **({} if unnamed is None else {"unnamed": unnamed}),
        "dataset": dataset,
        "level": level,
        **({"without": list(without)} if without else {}),
    }
    return volume


def _split(path: Path) -> tuple[Path, str | None]:
    """Part ``scan.h5/entry/data`` into the file and the name of the array in it."""
    if path.exists():
        return path, None
    for place in path.parents:
        if place.is_file() and place.suffix.lower() in WITH_NAMES:
            return place, path.relative_to(place).as_posix()
    raise VolumeError(f"{path} is not there.")


def _reader(path: Path) -> Reader:
    name = path.name.lower()
    fitting = [ending for ending in READERS if name.endswith(ending)]
    if path.is_dir():
        is_zarr = any((path / f).exists() for f in ("zarr.json", ".zarray", ".zgroup"))
        if is_zarr or ".zarr" in fitting:
            return open_zarr
        return open_portfolio if is_portfolio(path) else open_folder
    if not fitting:
        raise VolumeError(
            f"{path.name} has a format that cannot be read.",
            f"Known: {', '.join(sorted(READERS))}, and folders of slices.",
        )
    return READERS[max(fitting, key=len)]


def _reason(error: Exception) -> str:
    return str(error).rstrip(".") or type(error).__name__
