"""Pictures of a folder with their labels, each looked at before it is used."""

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from napari_sashiko.errors import LabelError, VolumeError
from napari_sashiko.labels import count_values
from napari_sashiko.pipeline.folder_pictures import (
    by_stem,
    look_at_all,
    parts_to_learn_from,
    pixels,
    whole_picture,
)
from napari_sashiko.runners import Event
from napari_sashiko.volumes import (
    LABELS,
    PictureHead,
    find_pictures,
    pictures_in,
    read_picture,
)

ENDINGS = ("", "_L", "_label", "_labels", "_mask")  # that names of labels may have


@dataclass(frozen=True)
class Pair:
    """A picture and its labels.

    Attributes
    ----------
    head : PictureHead
        The picture.
    label : Path
        Its labels.
    counts : dict
        Pixels of each value in the labels.
    reserved : bool
        Whether it is there to judge by.
    """

    head: PictureHead
    label: Path
    counts: dict[int, int]
    reserved: bool


@dataclass(frozen=True)
class _Found:
    """A picture that is not looked at yet, and its labels if there are any."""

    image: Path
    label: Path | None
    reserved: bool


def labelled_pictures(folder: Path) -> Generator[Event, None, list[Pair]]:
    """Look at all pictures of a folder that have labels; say which are left out.

    Parameters
    ----------
    folder : Path
        With ``train`` and perhaps ``validate``, or with ``images`` and ``labels``.

    Yields
    ------
    Progress, Message, Tick

    Raises
    ------
    LabelError
        If labels are missing, or hold something else than classes.
    VolumeError
        If there are no pictures.
    """
    todo = [
        _Found(image, label_of(image, labels), reserved)
        for part, reserved in parts_to_learn_from(folder)
        for labels in [_labels_in(part)]
        for image in find_pictures(part)
    ]
    pairs, problems = yield from look_at_all(todo, _pair)
    if all(pair.reserved for pair in pairs):
        raise LabelError(
            f"No picture of {folder} can be learned from.",
            problems[0] if problems else "Put pictures and labels into train.",
        )
    return pairs


def _labels_in(part: Path) -> dict[str, Path]:
    if not (part / LABELS).is_dir():
        raise LabelError(
            f"The labels are missing: there is no folder {part / LABELS}.",
            "Put a label picture of the same name there for each picture.",
        )
    return by_stem(pictures_in(part / LABELS))


def _pair(found: _Found, first: Pair | None) -> Pair:
    image, label = found.image, found.label
    if label is None:
        raise VolumeError("it has no labels.")
    head = whole_picture(image, first.head if first else None)
    picture = read_picture(label)
    if picture.shape[:2] != head.size:
        raise VolumeError(
            f"it has {pixels(head.size)} pixels, its labels have "
            f"{pixels(picture.shape[:2])}."
        )
    try:
        return Pair(head, label, count_values(picture), found.reserved)
    except LabelError as error:
        raise LabelError(
            f"The labels {label.name} cannot be used. {error.what}", error.instead
        ) from error


def label_of(image: Path, labels: dict[str, Path]) -> Path | None:
    """Find the labels of a picture by its name: ``a.png``, ``a_L.png``, ``a_mask.tif``.

    Parameters
    ----------
    image : Path
        The picture.
    labels : dict
        Label pictures by name without ending.
    """
    names = (image.stem + ending for ending in ENDINGS)
    return next((labels[name] for name in names if name in labels), None)
