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
    Slices,
    Volume,
    check_writable,
    create_ome_image,
    new_folder_beside,
    open_volume,
    spans,
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
    stack, colour = volume.stacking, volume.channels > 1
    shape, chunks = stack.on_disk, stack.lying(1, CHUNK)
    first = 0 if stack.time is None else 1
    early, late = slice(0, first), slice(first, None)  # around channels
    path = folder / "copy.zarr"
    array = create_ome_image(
        zarr.create_group(str(path)),
        NAME,
        shape=(*shape[early], volume.channels, *shape[late]) if colour else shape,
        chunks=(*chunks[early], volume.channels, *chunks[late]) if colour else chunks,
        dtype=str(volume.dtype),
        axes=stack.axes[early] + ("c" if colour else "") + stack.axes[late],
        voxel_size=volume.voxel_size[1 if stack.flat else 0 :],
        unit=volume.unit,
        time=stack.time,
    )
    target, every = Slices(array), (slice(None),) if colour else ()
    cuts = [
        spans(*each)
        for each in zip(volume.shape, CHUNK, (volume.frame, None, None), strict=True)
    ]
    for box in product(*cuts):
        z, y, x = (slice(*side) for side in box)
        block = volume.read((z, y, x))
        target[(*every, z, y, x)] = block if colour else block[0]
        yield Tick()
    copy = open_volume(path / NAME)
    copy.name, copy.path = volume.name, volume.path
    return copy


def _voxels(volume: Volume) -> int:
    z, y, x = volume.shape
    return z * y * x
