"""Results that appear under their name only when they are complete."""

import contextlib
import errno
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import zarr

from napari_sashiko.errors import OutputError
from napari_sashiko.volumes.disk import remove_torn

ATTRIBUTES = "sashiko"
DISK_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))  # no quota: Windows


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
    except (OSError, ValueError, KeyError):
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
        target.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        part.chmod(0o755)  # mkdtemp makes folders for one user only
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
            shutil.rmtree(part, ignore_errors=True)


def _replace(part: Path, target: Path) -> None:
    """Put the finished folder in place of an older one."""
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    try:
        part.rename(target)
    except BaseException:  # also when it is stopped just now
        if old.exists() and not target.exists():
            old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)
