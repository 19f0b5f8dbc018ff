"""A folder of pictures with labels, turned into a volume and paint to learn from.

Strategy: every picture is looked at once, together with its label picture: a damaged
one is found now, and left out, not in the middle of a training. Values are counted,
classes follow from them. Then label pictures are read again, and a bounded number of
their pixels is kept, more of rare classes; a picture in which no square was drawn is
not read again. A few pictures are in memory at a time.
"""

from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_sashiko.config import Settings
from napari_sashiko.errors import LabelError
from napari_sashiko.labels import (
    LabelClass,
    LabelledVoxels,
    LabelValues,
    check_count,
    even_shares,
    kept_pixels,
    kept_shares,
    may_keep,
    text_of,
    value_of,
)
from napari_sashiko.pipeline.folder_classes import (
    classes_beside,
    named_by,
    value_classes,
)
from napari_sashiko.pipeline.folder_pairs import Pair, labelled_pictures
from napari_sashiko.pipeline.folder_pictures import (
    TRAIN,
    each_in_threads,
    portfolio_of,
)
from napari_sashiko.pipeline.inputs import Classes, PaintedLabels
from napari_sashiko.runners import Event, Message
from napari_sashiko.volumes import (
    LABELS,
    Volume,
    read_picture,
    sheet_volume,
)

FOR_JUDGING = 2  # for each so many pixels to learn from, one to judge by


class FolderSettings(Settings):
    """How label pictures are read, and how much of them is kept."""

    unlabelled: str = Field(
        "0",
        description="Grey value or colour (#rrggbb) of pixels that are not labelled; "
        "none where all are, 0 being a class as well.",
    )
    pixels: int = Field(
        300_000,
        ge=1000,
        le=50_000_000,
        description="Labelled pixels that are learned from, about. Of more, squares "
        "are drawn at random, of rare classes relatively more.",
    )


@dataclass(frozen=True)
class FolderInput:
    """What training needs of a folder.

    Attributes
    ----------
    volume : Volume
        The pictures that have labels.
    paint : PaintedLabels
        Pixels that were kept; those of ``validate`` are reserved.
    origin : dict
        JSON for the model's record: values of the classes.
    """

    volume: Volume
    paint: PaintedLabels
    origin: dict[str, Any]


def folder_input(
    folder: Path,
    classes: Classes,
    settings: FolderSettings | None = None,
    *,
    seed: int = 0,
) -> Generator[Event, None, FolderInput]:
    """Read a folder of pictures with labels.

    Parameters
    ----------
    folder : Path
        With ``train`` and perhaps ``validate``, or with ``images`` and ``labels``.
    classes : sequence of LabelClass or str, or None
        Names in the order of the values; None takes ``classes.json`` or
        ``classes.txt`` of the folder, else names are made up.
    settings : FolderSettings, optional
        What is unlabelled, how much is kept.
    seed : int
        Decides which pixels are kept.

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
    chosen = settings or FolderSettings.checked()
    pairs = yield from labelled_pictures(folder)
    values, known = known_classes(folder, pairs, classes, chosen)
    volume = sheet_volume([p.head for p in pairs], name=folder.name, path=folder)
    learned = _counts(pairs, values, reserved=False)
    judged = _counts(pairs, values, reserved=True)
    judged[learned == 0] = 0  # nobody could know them
    shares = kept_shares(learned, chosen.pixels)
    even = even_shares(judged, chosen.pixels // FOR_JUDGING) * (learned > 0)
    yield from _told(known, learned, shares, pairs)
    tables = {False: _by_id(values, shares), True: _by_id(values, even)}
    labelled = yield from _kept(pairs, values, tables, shape=volume.shape, seed=seed)
    origin = {
        "kind": "pictures",
        "values": {
            str(number): text_of(value)
            for number, value in zip(values.ids, values.values, strict=True)
        },
        "unlabelled": text_of(values.unlabelled),
    }
    return FolderInput(volume, PaintedLabels(labelled, known), origin)


def known_classes(
    folder: Path, pairs: Sequence[Pair], classes: Classes, settings: FolderSettings
) -> tuple[LabelValues, tuple[LabelClass, ...]]:
    """Say which class each value in label pictures stands for.

    Raises
    ------
    LabelError
        If fewer than two classes are labelled, or names and values do not fit.
    """
    found: dict[int, str] = {}
    for pair in pairs:
        for value in pair.counts:
            found.setdefault(value, pair.label.name)
        check_count(len(found))
    places = [folder, folder / TRAIN, folder / TRAIN / LABELS, folder / LABELS]
    named = named_by(classes) or classes_beside(places)
    return value_classes(found, named, value_of(settings.unlabelled))


def labelled_folder(image: Any) -> Path:
    """Check that something is a folder of pictures in which labels may lie.

    Raises
    ------
    LabelError
        If it is anything else: then labels were forgotten.
    """
    folder = portfolio_of(image)
    if folder is not None:
        return folder
    raise LabelError(
        "The labels are missing.",
        "Give an image and its labels, or a folder with train/images and train/labels.",
    )


def _kept(
    pairs: Sequence[Pair],
    values: LabelValues,
    tables: dict[bool, NDArray[np.float64]],
    *,
    shape: tuple[int, int, int],
    seed: int,
) -> Generator[Event, None, LabelledVoxels]:
    """Choose pixels, by the share of each class id that is kept, reserved or not."""

    def choose(number: int) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
        pair, shares = pairs[number], tables[pairs[number].reserved]
        if not may_keep(pair.head.size, shares, _drawing(seed, number)):
            return np.zeros((0, 3), np.int32), np.zeros(0, np.uint8)
        picture = values.classify(read_picture(pair.label))
        places, kept = kept_pixels(picture, shares, _drawing(seed, number))
        return np.insert(places, 0, number, axis=1).astype(np.int32), kept

    chosen = yield from each_in_threads(choose, len(pairs), "choosing pixels")
    coords, ids = zip(*chosen, strict=True)
    reserved = np.repeat([pair.reserved for pair in pairs], [len(each) for each in ids])
    return LabelledVoxels(
        np.concatenate(coords),
        np.concatenate(ids),
        shape,
        reserved if reserved.any() else None,
    )


def _drawing(seed: int, number: int) -> np.random.Generator:
    return np.random.default_rng((seed, number))


def _counts(
    pairs: Sequence[Pair], values: LabelValues, *, reserved: bool
) -> NDArray[np.int64]:
    """Labelled pixels of each class, in the order of the values."""
    total: Counter[int] = Counter()
    for pair in pairs:
        if pair.reserved == reserved:
            total.update(pair.counts)
    return np.array([total[value] for value in values.values], np.int64)


def _told(
    classes: Sequence[LabelClass],
    counts: NDArray[np.int64],
    shares: NDArray[np.float64],
    pairs: Sequence[Pair],
) -> Iterator[Message]:
    unknown = [c.name for c, n in zip(classes, counts, strict=True) if not n]
    if unknown:
        yield Message(
            f"Not in the pictures to learn from: {', '.join(unknown)}.", "warning"
        )
    total, kept = int(counts.sum()), int((counts * shares).sum())
    judging = sum(pair.reserved for pair in pairs)
    text = f"{len(pairs) - judging} pictures to learn from"
    if judging:
        text += f", {judging} to judge by"
    text += f"; {total} labelled pixels"
    if kept == total:
        yield Message(f"{text}, all of which are used.")
        return
    parts = ", ".join(
        f"{c.name} {100 * share:.3g} %"
        for c, share, n in zip(classes, shares, counts, strict=True)
        if n
    )
    yield Message(
        f"{text}, of which about {kept} are used, in squares drawn at random, of rare "
        f"classes relatively more ({parts})."
    )


def _by_id(values: LabelValues, shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shares ``(256,)`` by class id; 0 for what is not labelled."""
    table = np.zeros(256)
    table[list(values.ids)] = shares
    return table
