"""Where the project of a volume lies: beside its file, else in the user's folder."""

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

from napari_sashiko.errors import OutputError
from napari_sashiko.volumes import Volume

SUFFIX = ".sashiko"
HOME_VARIABLE = "SASHIKO_HOME"


def user_folder() -> Path:
    """Folder of this user's data; ``SASHIKO_HOME`` overrides the usual place."""
    chosen = os.environ.get(HOME_VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "napari-sashiko"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "napari-sashiko"
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "napari-sashiko"


def project_folder(name: str, path: Path | None, *digests: Callable[[], str]) -> Path:
    """Folder of the project of one volume; the same volume finds it again.

    Parameters
    ----------
    name : str
        What the volume is called.
    path : Path or None
        Its file; the project lies beside it when that folder can be written.
    *digests : callable
        Tell volumes of one name apart; asked only when there is no file. The first
        marks a new folder; one that an earlier version marked by another is found, too.

    Raises
    ------
    OutputError
        If no folder can be written.
    """
    if path is not None and lies_beside(path):
        return path.with_name(plain_name(path.name) + SUFFIX)
    folder = user_folder() / "projects"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"The project cannot be kept in {folder}: {error.strerror}.",
            f"Set {HOME_VARIABLE} to a folder that can be written.",
        ) from error
    marks = []
    for digest in digests:
        marks.append(f"-{digest()[:10]}{SUFFIX}")
        # The data says what it is; its name may have changed since.
        known = sorted(folder.glob(f"*{marks[-1]}"))
        if known:
            return known[0]
    return folder / f"{plain_name(name)}{marks[0]}"


def lies_beside(path: Path | None) -> bool:
    """Whether the project of a file lies beside it, so that nothing is read for it."""
    return path is not None and os.access(path.parent, os.W_OK)


def volume_folder(name: str, path: Path | None, volume: Volume) -> Path:
    """Folder of the project of a volume, whatever its voxels are said to measure."""
    return project_folder(name, path, volume.content_digest, volume.digest)


def plain_name(name: str) -> str:
    """Return a name that any file may have."""
    return re.sub(r"[^\w.-]+", "_", name).strip("._") or "volume"
