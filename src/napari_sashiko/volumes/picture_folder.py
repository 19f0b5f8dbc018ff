"""Folders of pictures: which files are meant, and how they are parted.

A folder of pictures with labels looks like this; every part may be missing::

    FOLDER / train | validate | test / images | labels / NAME.png
"""

from pathlib import Path

from napari_sashiko.errors import VolumeError
from napari_sashiko.volumes._found import Ask, Found
from napari_sashiko.volumes._pictures import PICTURES, TIFF, number_in_name
from napari_sashiko.volumes.picture import is_picture, picture_head
from napari_sashiko.volumes.sheets import Sheets

PARTS = ("train", "validate", "test")
IMAGES, LABELS = "images", "labels"


def is_portfolio(folder: Path) -> bool:
    """Whether a folder has pictures under ``images``, directly or in its parts."""
    return any((place / IMAGES).is_dir() for place in (folder, *_parts(folder)))


def pictures_in(folder: Path) -> list[Path]:
    """Pictures that lie directly in a folder; the numbers in names give the order.

    Raises
    ------
    VolumeError
        If the folder is not there.
    """
    try:
        return sorted(
            (file for file in folder.iterdir() if is_picture(file)), key=number_in_name
        )
    except OSError as error:
        raise VolumeError(
            f"The folder {folder} cannot be read: {error.strerror or error}."
        ) from error


def find_pictures(folder: Path, kind: str = IMAGES) -> list[Path]:
    """Pictures of a folder, or of ``images`` or ``labels`` in it.

    Parameters
    ----------
    folder : Path
        One part of a folder of pictures, or pictures alone.
    kind : str
        ``"images"`` or ``"labels"``; looked into where it is there.

    Raises
    ------
    VolumeError
        If there are none.
    """
    place = folder / kind if (folder / kind).is_dir() else folder
    found = pictures_in(place)
    if not found:
        parts = [f"{part.name}" for part in _parts(folder)]
        raise VolumeError(
            f"There are no pictures in the folder {place}.",
            f"Choose one of its parts: {', '.join(parts)}."
            if parts
            else f"It may hold {', '.join(TIFF + PICTURES)}.",
        )
    return found


def portfolio_pictures(folder: Path) -> list[Path]:
    """Pictures of a folder, those of ``train``, ``validate`` and ``test`` in turn.

    Parameters
    ----------
    folder : Path
        With ``images``, or with parts that have some.

    Raises
    ------
    VolumeError
        If there are none.
    """
    places = [folder] if (folder / IMAGES).is_dir() else _parts(folder)
    files = [
        file
        for place in places
        if (place / IMAGES).is_dir()
        for file in pictures_in(place / IMAGES)
    ]
    if not files:
        raise VolumeError(f"There are no pictures in the folder {folder}.")
    return files


def open_portfolio(folder: Path, ask: Ask) -> Found:
    """Open pictures of any sizes as a volume of separate slices.

    Raises
    ------
    VolumeError
        If there are none, or one of them is damaged or of another kind.
    """
    files = [
        file
        for file in portfolio_pictures(folder)
        if file.relative_to(folder).as_posix() not in ask.without
    ]
    if not files:
        raise VolumeError(f"All pictures of the folder {folder} are left out.")
    sheets = Sheets([picture_head(file) for file in files])
    axes = "zyx" if sheets.channels == 1 else "zyxc"
    return Found(sheets, axes, separate=True)


def _parts(folder: Path) -> list[Path]:
    return [folder / part for part in PARTS if (folder / part).is_dir()]
