"""What commands on folders of pictures share: opening one, saying what is missing."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_sashiko.cli._options import refuse
from napari_sashiko.errors import VolumeError


def volume_or_folder(image: Path, axes: str | None, level: int) -> Any:
    """Open a volume; a folder of pictures is looked at later, picture by picture.

    Parameters
    ----------
    image : Path
        Volume or folder of pictures.
    axes, level
        As in `open_image`, of a volume.

    Raises
    ------
    SettingsError
        If axes or a level were given for a folder of pictures.
    VolumeError
        As `open_image`.
    """
    from napari_sashiko import pipeline  # noqa: PLC0415

    if pipeline.portfolio_of(image) is None:
        return pipeline.open_image(image, axes=axes, level=level)
    refuse({"--axes": axes, "--level": level or None}, "a volume")
    return image


def facts_of_pictures(done: Any) -> dict[str, Any]:
    """What a summary says of a folder of pictures; nothing of a volume.

    Parameters
    ----------
    done : PredictionDone or EmbedDone
        The last event.
    """
    if not done.pictures:
        return {}
    return {"pictures": done.pictures, "problems": dict(done.problems)}


def check_all_there(count: int, problems: Mapping[str, str]) -> None:
    """End a command whose other results are written.

    Parameters
    ----------
    count : int
        Pictures that have a result.
    problems : mapping of str to str
        Those that have none, and why.

    Raises
    ------
    VolumeError
        If there are any.
    """
    if not problems:
        return
    name, why = next(iter(problems.items()))
    raise VolumeError(
        f"{len(problems)} of {count + len(problems)} pictures have no result. The "
        f"first is {name}: {why}"
    )
