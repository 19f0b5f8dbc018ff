"""Pictures of a folder with their labels, each looked at before it is used."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_sashiko.errors import LabelError, VolumeError
from napari_sashiko.labels import count_values
from napari_sashiko.runners import Event, Message, Progress
from napari_sashiko.volumes import (
    LABELS,
    PARTS,
    PictureHead,
    as_channels,
    check_alike,
    find_pictures,
    picture_head,
    pictures_in,
    read_picture,
)

TRAIN, VALIDATE, _ = PARTS
ENDINGS = ("", "_L", "_label", "_labels", "_mask")  # that names of labels may have
TOLD = 5  # pictures that are left out are named, the others counted


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


def labelled_pictures(folder: Path) -> Generator[Event, None, list[Pair]]:
    """Look at all pictures of a folder that have labels; say which are left out.

    Parameters
    ----------
    folder : Path
        With ``train`` and perhaps ``validate``, or with ``images`` and ``labels``.

    Yields
    ------
    Progress, Message

    Raises
    ------
    LabelError
        If labels are missing, or hold something else than classes.
    VolumeError
        If there are no pictures.
    """
    parts = [(folder / TRAIN if (folder / TRAIN).is_dir() else folder, False)]
    if (folder / VALIDATE).is_dir():
        parts.append((folder / VALIDATE, True))
    todo = [
        (image, labels, reserved)
        for part, reserved in parts
        for labels in [_labels_in(part)]
        for image in find_pictures(part)
    ]
    pairs: list[Pair] = []
    problems: list[str] = []
    for done, (image, labels, reserved) in enumerate(todo, start=1):
        try:
            first = pairs[0].head if pairs else None
            label = label_of(image, labels)
            pairs.append(_pair(image, label, first, reserved=reserved))
        except VolumeError as error:
            problems.append(left_out(image, error))
        yield Progress(done, len(todo), "looking at pictures")
    for text in problems[:TOLD]:
        yield Message(text, "warning")
    if len(problems) > TOLD:
        yield Message(f"So are {len(problems) - TOLD} other pictures.", "warning")
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


def _pair(
    image: Path,
    label: Path | None,
    first: PictureHead | None,
    *,
    reserved: bool,
) -> Pair:
    if label is None:
        raise VolumeError("it has no labels.")
    head = picture_head(image)
    first = first or head
    check_alike(head, first)
    # The whole of it: only this shows whether the file is complete.
    as_channels(read_picture(image), first.channels, "it")
    picture = read_picture(label)
    if picture.shape[:2] != head.size:
        sizes = (" x ".join(map(str, size)) for size in (head.size, picture.shape[:2]))
        raise VolumeError("it has {} pixels, its labels have {}.".format(*sizes))
    try:
        return Pair(head, label, count_values(picture), reserved)
    except LabelError as error:
        raise LabelError(
            f"The labels {label.name} cannot be used. {error.what}", error.instead
        ) from error


def left_out(image: Path, error: VolumeError | str) -> str:
    """Say that a picture is left out, and why; its name is not said twice."""
    reason = str(error).removeprefix(f"{image.name} ").removeprefix("it ")
    return f"{image.name} is left out: it {reason}"


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


def by_stem(files: Sequence[Path]) -> dict[str, Path]:
    """Files by their names without ending."""
    return {file.stem: file for file in files}
