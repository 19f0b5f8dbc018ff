"""Whether a place on disk can take what is to be written."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from napari_sashiko.errors import OutputError

# What files, Zarr and its decoders raise on something that is damaged.
DAMAGED = (
    OSError,
    LookupError,
    TypeError,
    ValueError,
    RuntimeError,
    AttributeError,  # where Zarr finds a list in place of a table
)


def check_writable(path: Path, bytes_needed: int = 0) -> None:
    """Refuse a place that cannot be written or has no room.

    Parameters
    ----------
    path : Path
        File or folder to be made; its nearest existing parent is asked.
    bytes_needed : int
        Room that will be taken.

    Raises
    ------
    OutputError
        Naming the place, the room that is there and the room that is needed.
    """
    place = Path(path).absolute()
    while not place.exists():
        if place.parent == place:
            raise OutputError(f"{path} cannot be written: {place} is not there.")
        place = place.parent
    if not place.is_dir() and place != Path(path).absolute():
        raise OutputError(f"{path} cannot be written: {place} is a file.")
    if not os.access(place, os.W_OK | os.X_OK if place.is_dir() else os.W_OK):
        raise OutputError(
            f"{path} cannot be written: no permission in {place}.",
            "Choose another folder.",
        )
    free = shutil.disk_usage(place).free
    if free < bytes_needed:
        raise OutputError(
            f"{path} needs {_readable(bytes_needed)}, the disk has {_readable(free)} "
            "left.",
            "Free some space or choose another disk.",
        )


def remove_torn(folder: Path) -> None:
    """Delete what killed processes were writing into a zarr folder.

    Chunks get their name when they are whole; until then they are ``*.partial``.
    """
    for torn in Path(folder).rglob("*.partial"):
        torn.unlink(missing_ok=True)


@contextlib.contextmanager
def reading(what: str, instead: str) -> Iterator[None]:
    """Say in words that something written by this program cannot be read.

    Parameters
    ----------
    what : str
        What is read, e.g. ``"The prediction seg.zarr"``.
    instead : str
        What to do about it.

    Raises
    ------
    OutputError
        If reading fails in any of the ways of files, Zarr and its decoders.
    """
    try:
        yield
    except DAMAGED as error:
        reason = str(error).rstrip(".") or type(error).__name__
        if isinstance(error, KeyError):
            reason = f"{error} is missing"
        raise OutputError(f"{what} is damaged: {reason}.", instead) from error


def _readable(size: int) -> str:
    value = float(size)
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} TB"
