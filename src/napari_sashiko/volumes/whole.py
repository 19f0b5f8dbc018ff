"""Files and results that appear under their name only when they are complete."""

import contextlib
import errno
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import zarr

from napari_sashiko.errors import OutputError
from napari_sashiko.volumes.disk import DAMAGED, remove_torn
from napari_sashiko.volumes.temporary import (
    remove,
    remove_abandoned,
    temporary_beside,
)

ATTRIBUTES = "sashiko"  # of a group: what this program notes of its results
DISK_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))  # no quota: Windows
TRIES, SECONDS_BETWEEN = 50, 0.02  # where a file that somebody reads stays in place


@contextlib.contextmanager
def written_file(path: Path) -> Iterator[IO[bytes]]:
    """Give a file for writing that takes the place of `path` when all went well.

    Who reads meanwhile, or after the process or the machine died, sees the old file or
    the new one.

    Yields
    ------
    binary file
        Empty.

    Raises
    ------
    OSError
        If the disk is full or cannot be written; nothing has changed then.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = temporary_beside(path)
    try:
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _put(part, path)
    except BaseException:
        remove(part)
        raise
    _sync_folder(path.parent)


def write_file(path: Path, content: bytes | str) -> None:
    """Write a file as a whole, see `written_file`; text becomes UTF-8.

    Raises
    ------
    OSError
        If the disk is full or cannot be written; nothing has changed then.
    """
    with written_file(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


def relative(path: Path, folder: Path) -> str:
    """Path from a folder, as it is written to files; absolute on another drive."""
    try:
        return Path(os.path.relpath(path.absolute(), folder)).as_posix()
    except ValueError:
        return path.absolute().as_posix()


def check_replaceable(path: Path, kind: str, what: str) -> None:
    """Refuse to write over anything but an older result of the same kind.

    Parameters
    ----------
    path : Path
        Where a zarr group is to be written.
    kind : str
        What this program's attributes call such a result.
    what : str
        What people call it.

    Raises
    ------
    OutputError
        If there is something else; it is left as it is.
    """
    if not path.exists():
        return
    try:
        record: Any = zarr.open_group(str(path), mode="r").attrs.get(ATTRIBUTES)
    except DAMAGED:
        record = None
    if not isinstance(record, dict) or record.get("kind") != kind:
        raise OutputError(
            f"{path} exists and does not hold {what}.",
            "Choose another name; it is left as it is.",
        )


@contextlib.contextmanager
def written_whole(target: Path) -> Iterator[Path]:
    """Give a folder beside `target` that takes its place when all went well.

    What was there before stays until then, and stays if anything goes wrong.

    Yields
    ------
    Path
        An empty folder, for a zarr group.

    Raises
    ------
    OutputError
        If the disk is full or cannot be written.
    """
    part = None
    try:
        part = new_folder_beside(target)
        yield part
        remove_torn(part)
        _replace(part, target)
    except OSError as error:
        full = error.errno in DISK_FULL
        raise OutputError(
            f"{target} cannot be written: "
            f"{'the disk is full' if full else error.strerror or error}.",
            "Free some space and start again." if full else "Choose another folder.",
        ) from error
    finally:
        if part is not None:
            # What is still in work sees at once that its folder is gone.
            (part / "zarr.json").unlink(missing_ok=True)
            remove(part)


def new_folder_beside(target: Path) -> Path:
    """Make a temporary folder for what will be `target`, and the folder they lie in.

    What killed processes left of earlier attempts is removed.

    Raises
    ------
    OSError
        If it cannot be made.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    finish_replacing(target)
    remove_abandoned(target.parent, target.name)
    part = temporary_beside(target)
    part.mkdir()
    return part


def finish_replacing(target: Path) -> None:
    """Put a folder back that was moved away when the process died before its heir came.

    Raises
    ------
    OSError
        If it cannot be moved.
    """
    old = _old(target)
    if not old.exists():
        return
    if target.exists():
        remove(old)
    else:
        old.rename(target)


def _replace(part: Path, target: Path) -> None:
    """Put the finished folder in place of an older one."""
    finish_replacing(target)
    old = _old(target)
    if target.exists():
        target.rename(old)
    try:
        part.rename(target)
    except BaseException:  # also when it is stopped just now
        if old.exists() and not target.exists():
            old.rename(target)
        raise
    remove(old)


def _old(target: Path) -> Path:
    return target.with_name(f".{target.name}.old")


def _put(part: Path, path: Path) -> None:
    """Move into place; some systems refuse while somebody reads what is there."""
    for left in reversed(range(TRIES)):
        try:
            part.replace(path)
        except PermissionError:
            if os.name != "nt" or not left:
                raise
            time.sleep(SECONDS_BETWEEN)
        else:
            return


def _sync_folder(folder: Path) -> None:
    """Bring a new name to the disk, where a folder can be asked for that."""
    if os.name == "nt":
        return
    with contextlib.suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
