"""What a folder of pictures holds, before anything is learned from it."""

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from napari_sashiko.errors import LabelError
from napari_sashiko.labels import LabelClass, text_of
from napari_sashiko.pipeline.folder_labels import FolderSettings, known_classes
from napari_sashiko.pipeline.folder_pairs import Pair, labelled_pictures
from napari_sashiko.pipeline.inputs import Classes
from napari_sashiko.runners import Event, Message, Tick
from napari_sashiko.volumes import IMAGES, LABELS, PARTS, find_pictures, pictures_in


@dataclass(frozen=True)
class FoundClass:
    """A class in the label pictures of a folder.

    Attributes
    ----------
    label_class : LabelClass
        Id, name, colour.
    value : str
        Its grey value or colour in the pictures.
    pixels : int
        How many there are.
    """

    label_class: LabelClass
    value: str
    pixels: int


@dataclass(frozen=True)
class FolderFound:
    """What there is in a folder of pictures.

    Attributes
    ----------
    path : Path
        The folder.
    parts : dict of str to int
        Pictures in ``train``, ``validate``, ``test``; under ``""`` those in none.
    learned, judged : int
        Pictures with labels to learn from, and to judge by.
    classes : tuple of FoundClass
        What is labelled; none where nothing can be learned.
    problems : tuple of str
        Which pictures are left out, and why.
    missing : str
        Why nothing can be learned; empty if it can.
    """

    path: Path
    parts: dict[str, int]
    learned: int = 0
    judged: int = 0
    classes: tuple[FoundClass, ...] = ()
    problems: tuple[str, ...] = ()
    missing: str = ""


def look_steps(
    folder: Path | str,
    *,
    classes: Classes = None,
    settings: FolderSettings | None = None,
) -> Generator[Event, None, FolderFound]:
    """Look at all pictures of a folder and at their labels.

    Parameters
    ----------
    folder : path
        As for `train_steps`, or pictures without labels.
    classes : sequence of LabelClass or str, optional
        Names of the classes.
    settings : FolderSettings, optional
        What is unlabelled.

    Yields
    ------
    Progress, Tick

    Returns
    -------
    FolderFound

    Raises
    ------
    VolumeError
        If the folder cannot be read or holds no pictures.
    """
    place = Path(folder)
    parts = _parts(place)
    yield Tick()
    problems: list[str] = []
    pairs: list[Pair] = []
    try:
        steps = labelled_pictures(place)
        while True:
            try:
                event = next(steps)
            except StopIteration as end:
                pairs = end.value
                break
            if isinstance(event, Message):
                problems.append(event.text)
            else:
                yield event
        values, known = known_classes(
            place, pairs, classes, settings or FolderSettings.checked()
        )
    except LabelError as error:
        return FolderFound(place, parts, problems=tuple(problems), missing=str(error))
    pixels = [sum(p.counts.get(value, 0) for p in pairs) for value in values.values]
    found = zip(known, values.values, pixels, strict=True)
    judged = sum(pair.reserved for pair in pairs)
    return FolderFound(
        place,
        parts,
        len(pairs) - judged,
        judged,
        tuple(FoundClass(each, text_of(value), n) for each, value, n in found),
        tuple(problems),
    )


def _parts(folder: Path) -> dict[str, int]:
    """Pictures in each part of a folder."""
    found = {
        part: len(pictures_in(folder / part / IMAGES))
        for part in PARTS
        if (folder / part / IMAGES).is_dir()
    }
    return found or {"": len(find_pictures(folder))}


def has_labels(folder: Path | str) -> bool:
    """Whether a folder of pictures has label pictures in it."""
    return (Path(folder) / LABELS).is_dir()
