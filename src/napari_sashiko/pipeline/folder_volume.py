"""An image that is looked at; of a folder of pictures all that can be read."""

import contextlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from napari_sashiko.errors import VolumeError
from napari_sashiko.pipeline.folder_pictures import (
    look_at_all,
    portfolio_of,
    whole_picture,
)
from napari_sashiko.pipeline.inputs import open_image
from napari_sashiko.prediction import EmbedDone, PredictionDone
from napari_sashiko.runners import Event
from napari_sashiko.volumes import (
    PictureHead,
    Volume,
    open_volume,
    portfolio_pictures,
)


@dataclass(frozen=True)
class ImageToLookAt:
    """What is looked at.

    Attributes
    ----------
    volume : Volume
        The image, or a slice for each picture of a folder that serves.
    pictures : int
        How many those are; 0 where it is no folder of pictures.
    problems : tuple of (str, str)
        Pictures that are left out, as paths in the folder, and why.
    """

    volume: Volume
    pictures: int = 0
    problems: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class _Found:
    """A picture that is not looked at yet."""

    image: Path


def image_to_look_at(image: Any) -> Generator[Event, None, ImageToLookAt]:
    """Open what is looked at; a picture of a folder that is damaged is left out.

    Parameters
    ----------
    image : path, array or Volume
        The image, or a folder of pictures. A volume is taken as it is: whoever opened
        it has given its slices their numbers.

    Yields
    ------
    Progress, Message, Tick

    Raises
    ------
    VolumeError
        If the image cannot be read, or no picture of a folder can.
    """
    folder = None if isinstance(image, Volume) else portfolio_of(image)
    if folder is None:
        return ImageToLookAt(open_image(image))
    files, reasons = portfolio_pictures(folder), dict[Path, str]()

    def look(found: _Found, first: PictureHead | None) -> PictureHead:
        try:
            return whole_picture(found.image, first)
        except VolumeError as error:
            reasons[found.image] = str(error)
            raise

    seen, said = yield from look_at_all([_Found(file) for file in files], look)
    if not seen:
        raise VolumeError(f"No picture of {folder} can be looked at.", said[0])
    problems = tuple(
        (file.relative_to(folder).as_posix(), reasons[file])
        for file in files
        if file in reasons
    )
    volume = open_volume(folder, without=[name for name, _ in problems])
    return ImageToLookAt(volume, len(seen), problems)


def with_problems(steps: Iterator[Event], image: ImageToLookAt) -> Iterator[Event]:
    """Pass events on; the last one says which pictures of a folder were left out.

    Parameters
    ----------
    steps : generator of Event
        Closed with this one.
    image : ImageToLookAt
        What is looked at.
    """
    with contextlib.closing(steps):  # type: ignore[type-var]
        for event in steps:
            if isinstance(event, EmbedDone | PredictionDone):
                yield replace(event, pictures=image.pictures, problems=image.problems)
            else:
                yield event
