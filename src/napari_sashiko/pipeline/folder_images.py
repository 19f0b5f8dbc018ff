"""Images that are learned from without labels; of a folder, picture by picture."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_sashiko.errors import VolumeError
from napari_sashiko.pipeline.folder_pictures import (
    by_stem,
    look_at_all,
    parts_to_learn_from,
    pixels,
    portfolio_of,
    whole_picture,
)
from napari_sashiko.pipeline.inputs import open_beside, open_image
from napari_sashiko.runners import Event, Message
from napari_sashiko.volumes import (
    IMAGES,
    PictureHead,
    Volume,
    find_pictures,
    pictures_in,
    sheet_volume,
)


@dataclass(frozen=True)
class ImagesToLearn:
    """What is learned from.

    Attributes
    ----------
    volume : Volume
        The image, or the pictures of a folder.
    clean : Volume or None
        The same as it should be.
    judged : tuple of int
        Slices that are there to judge by; nothing is learned of them.
    """

    volume: Volume
    clean: Volume | None = None
    judged: tuple[int, ...] = ()


@dataclass(frozen=True)
class _Found:
    """A picture that is not looked at yet, and another as it should be."""

    image: Path
    clean: Path | None
    reserved: bool


@dataclass(frozen=True)
class _Picture:
    """A picture that serves, and the clean one beside it."""

    head: PictureHead
    clean: PictureHead | None
    reserved: bool


def images_to_learn(
    image: Any, clean: Any = None
) -> Generator[Event, None, ImagesToLearn]:
    """Open what is learned from.

    Of a folder of pictures these are those of ``train``, and those of ``validate`` to
    judge by, as `train_steps` takes them; each is looked at, and what is damaged is
    left out.

    Parameters
    ----------
    image : path, array or Volume
        The image, or a folder of pictures.
    clean : path, array or Volume, optional
        The image as it should be; for a folder one with pictures of the same names.

    Yields
    ------
    Progress, Message, Tick

    Raises
    ------
    VolumeError
        If an image cannot be read, or no picture of a folder can be learned from.
    """
    folder, beside = portfolio_of(image), _folder_of(clean)
    paired = clean is None or beside is not None
    if folder is None or (isinstance(image, Volume) and not paired):
        volume = open_image(image)
        if clean is None:
            return ImagesToLearn(volume)
        return ImagesToLearn(volume, open_beside(clean, volume.stacking))
    if not paired:
        raise VolumeError(
            f"{folder} is a folder of pictures, and the clean image is none.",
            "Give a folder with a clean picture of the same name for each.",
        )
    pictures = yield from _pictures(folder, beside)
    judged = tuple(number for number, each in enumerate(pictures) if each.reserved)
    text = f"{len(pictures) - len(judged)} pictures to learn from"
    yield Message(f"{text}, {len(judged)} to judge by." if judged else f"{text}.")
    heads = [each.clean for each in pictures if each.clean is not None]
    return ImagesToLearn(
        _opened([each.head for each in pictures], folder),
        _opened(heads, beside) if beside is not None else None,
        judged,
    )


def _pictures(
    folder: Path, clean: Path | None
) -> Generator[Event, None, list[_Picture]]:
    """Pictures of a folder that serve, with clean ones if there is a folder of them."""

    def look(found: _Found, first: _Picture | None) -> _Picture:
        head = whole_picture(found.image, first.head if first else None)
        beside = None if clean is None else _clean(found, head, first)
        return _Picture(head, beside, found.reserved)

    todo = [
        _Found(image, beside.get(image.stem), reserved)
        for part, reserved in parts_to_learn_from(folder)
        for beside in [{} if clean is None else _beside(clean, part.name)]
        for image in find_pictures(part)
    ]
    pictures, problems = yield from look_at_all(todo, look)
    if all(each.reserved for each in pictures):
        raise VolumeError(
            f"No picture of {folder} can be learned from.",
            problems[0] if problems else "Put pictures into train.",
        )
    return pictures


def _clean(found: _Found, head: PictureHead, first: _Picture | None) -> PictureHead:
    if found.clean is None:
        raise VolumeError("it has no clean picture.")
    try:
        clean = whole_picture(found.clean, first.clean if first else None)
    except VolumeError as error:
        raise VolumeError(
            f"it has a clean picture that cannot be used. {error.what}", error.instead
        ) from error
    if clean.size != head.size:
        raise VolumeError(
            f"it has {pixels(head.size)} pixels, its clean picture has "
            f"{pixels(clean.size)}."
        )
    return clean


def _folder_of(clean: Any) -> Path | None:
    """Folder of clean pictures, which are found by their names; None if it is none."""
    if isinstance(clean, str | Path) and Path(clean).is_dir():
        return Path(clean)
    return portfolio_of(clean)


def place_of_clean(clean: Path, part: str) -> Path:
    """Find where clean pictures of a part lie, with the same parts or all together.

    Parameters
    ----------
    clean : Path
        Their folder.
    part : str
        ``"train"``, ``"validate"``, ``"test"``, or ``""`` for pictures of no part.
    """
    places = (clean / part / IMAGES, clean / part, clean / IMAGES)
    return next((place for place in places if place.is_dir()), clean)


def _beside(clean: Path, part: str) -> dict[str, Path]:
    """Clean pictures of a part by name without ending."""
    return by_stem(pictures_in(place_of_clean(clean, part)))


def _opened(heads: Sequence[PictureHead], folder: Path) -> Volume:
    return sheet_volume(heads, name=folder.name, path=folder)
