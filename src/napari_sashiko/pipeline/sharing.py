"""An image in memory, put where other processes can read it."""

import contextlib
import shutil
from collections.abc import Generator, Iterator
from itertools import product
from pathlib import Path

import zarr

from napari_sashiko.errors import OutputError
from napari_sashiko.runners import Event, Message, Tick
from napari_sashiko.volumes import (
    Volume,
    check_writable,
    create_ome_image,
    new_folder_beside,
    open_volume,
)

CHUNK = (32, 128, 128)
NAME = "image"


@contextlib.contextmanager
def place_for_copy(out: Path) -> Iterator[Path]:
    """Make a folder beside a prediction, which is deleted in the end."""
    check_writable(out)
    try:
        folder = new_folder_beside(out.with_name(f"{out.name}.image"))
    except OSError as error:
        raise OutputError(
            f"{out} cannot be written: {error.strerror or error}.",
            "Choose another folder.",
        ) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def readable_by_all(
    volume: Volume, out: Path, runner: str, stack: contextlib.ExitStack
) -> Generator[Event, None, Volume]:
    """Copy an image that is in memory only to disk where other processes do the work.

    Parameters
    ----------
    volume : Volume
        The image.
    out : Path
        The copy lies beside it.
    runner : str
        Where the work runs.
    stack : ExitStack
        Deletes the copy in the end.

    Yields
    ------
    Message, Tick

    Returns
    -------
    Volume
        The image, or its copy.
    """
    if runner != "dask" or volume.source is not None:
        return volume
    folder = stack.enter_context(place_for_copy(out.absolute()))
    return (yield from copied(volume, folder))


def copied(volume: Volume, folder: Path) -> Generator[Event, None, Volume]:
    """Copy an image to disk by regions; the generator returns the copy.

    Parameters
    ----------
    volume : Volume
        An image that is in memory only.
    folder : Path
        An empty folder that all workers see.

    Yields
    ------
    Message, Tick

    Returns
    -------
    Volume
        The same image, of the same digest, with a `source`.
    """
    yield Message(f"{volume.name} is in memory: workers read a copy in {folder}.")
    check_writable(folder, volume.dtype.itemsize * volume.channels * _voxels(volume))
    first = 1 if volume.flat else 0
    colour = volume.channels > 1
    shape, chunks = volume.shape[first:], CHUNK[first:]
    path = folder / "copy.zarr"
    array = create_ome_image(
        zarr.create_group(str(path)),
        NAME,
        shape=(volume.channels, *shape) if colour else shape,
        chunks=(volume.channels, *chunks) if colour else chunks,
        dtype=str(volume.dtype),
        axes="czyx"[0 if colour else 1 :].replace("z", "" if volume.flat else "z"),
        voxel_size=volume.voxel_size[first:],
        unit=volume.unit,
    )
    for start in product(
        *(range(0, n, c) for n, c in zip(volume.shape, CHUNK, strict=True))
    ):
        z, y, x = (
            slice(s, min(s + c, n))
            for s, c, n in zip(start, CHUNK, volume.shape, strict=True)
        )
        block = volume.read((z, y, x))
        block = block[:, 0] if volume.flat else block
        array[(..., *(z, y, x)[first:])] = block if colour else block[0]
        yield Tick()
    copy = open_volume(path / NAME)
    copy.name, copy.path = volume.name, volume.path
    return copy


def _voxels(volume: Volume) -> int:
    z, y, x = volume.shape
    return z * y * x
