"""What a user hands in (paths, arrays, names) turned into what the workshops take."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_sashiko.errors import LabelError, SettingsError
from napari_sashiko.labels import (
    PALETTE,
    LabelClass,
    LabelledVoxels,
    LabelStore,
    default_classes,
    labelled_voxels,
)
from napari_sashiko.volumes import Stacking, Volume, as_volume, open_volume

CLASSES_SUFFIX = ".classes.json"
STORE_INDEX = "labels.json"
SAME_SIZE = 0.01  # relative difference of voxel sizes that is rounding

Classes = Sequence[LabelClass] | Sequence[str] | None


@dataclass(frozen=True)
class PaintedLabels:
    """Sparse labels with the names of their classes.

    Parameters
    ----------
    labelled : LabelledVoxels
        The paint.
    classes : tuple of LabelClass
        All classes, painted or not.
    voxel_size, unit
        What the label file says, None where it says nothing.
    """

    labelled: LabelledVoxels
    classes: tuple[LabelClass, ...]
    voxel_size: tuple[float, float, float] | None = None
    unit: str | None = None


def open_image(
    image: Any,
    *,
    axes: str | None = None,
    level: int = 0,
    unnamed: str | None = None,
) -> Volume:
    """Open a path, or wrap an array, as a volume; a volume is handed through.

    Parameters
    ----------
    image : path, array or Volume
        Anything that can be read by regions.
    axes : str, optional
        One letter of ``tczyx`` per axis where it is not clear.
    level : int
        Level of an image pyramid at a path, 0 is the finest.
    unnamed : str, optional
        Axes of what does not name its own and has as many, such as labels or a truth
        beside an image whose axes are known.

    Raises
    ------
    VolumeError
        If it cannot be read, its axes do not fit, or it has no such level.
    """
    if isinstance(image, Volume):
        return image
    if isinstance(image, str | Path):
        return open_volume(Path(image), axes=axes, level=level, unnamed=unnamed)
    return as_volume(image, axes=axes, unnamed=unnamed)


def open_beside(image: Any, stack: Stacking) -> Volume:
    """Open what lies on the voxels of another image: labels, a truth, a mask.

    Of a pyramid, this is the level that has as many voxels; the finest if none has.

    Parameters
    ----------
    image : path, array or Volume
        Anything that can be read by regions.
    stack : Stacking
        Of the other image: names the axes of what does not name its own.

    Raises
    ------
    VolumeError
        As `open_image`.
    """
    finest = found = open_image(image, unnamed=stack.axes)
    for level in range(1, finest.levels):
        if found.shape == stack.shape:
            return found
        found = open_image(image, level=level, unnamed=stack.axes)
    return found if found.shape == stack.shape else finest


def read_paint(
    labels: Any, classes: Classes = None, image: Volume | None = None
) -> PaintedLabels:
    """Read sparse labels and the names of their classes.

    Names come from `classes`, else from the label store, else from a file
    ``NAME.classes.json`` beside the label file, else they are made up.

    Parameters
    ----------
    labels : path, array, Volume or LabelledVoxels
        Integers ``([T,] [Z,] Y, X)``, 0 is not labelled; or the folder of a label
        store.
    classes : sequence of LabelClass or str, optional
        Names in the order of the ids 1, 2, ...
    image : Volume, optional
        What was painted on: says what the axes of the labels are where they do not.

    Raises
    ------
    LabelError
        If there are no labels at all, or they are not class ids.
    VolumeError
        If the file cannot be read.
    """
    if isinstance(labels, LabelledVoxels):
        return PaintedLabels(labels, _name(classes, labels, None))
    if isinstance(labels, str | Path) and (Path(labels) / STORE_INDEX).exists():
        return _from_store(Path(labels), classes)
    volume = (
        open_image(labels) if image is None else open_beside(labels, image.stacking)
    )
    if volume.channels != 1:
        raise LabelError(
            f"The labels {volume.name!r} have {volume.channels} channels.",
            "Save them as one image of class numbers.",
        )
    found = labelled_voxels(PlainArray(volume))
    if not len(found):
        raise LabelError(
            f"Nothing is labelled in {volume.name!r}: it is 0 everywhere.",
            "Paint at least two classes; 0 means not labelled.",
        )
    return PaintedLabels(
        found,
        _name(classes, found, volume.path),
        None if volume.unit == "pixel" else volume.voxel_size,
        None if volume.unit == "pixel" else volume.unit,
    )


class PlainArray:
    """A volume of one channel as an array that is read by slices."""

    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        self.shape = volume.shape
        self.dtype = volume.dtype

    def __getitem__(self, key: tuple[slice, ...]) -> npt.NDArray[Any]:
        """Read the voxels ``(z, y, x)`` of a box."""
        region = tuple(
            slice(*part.indices(n)[:2]) for part, n in zip(key, self.shape, strict=True)
        )
        z, y, x = region
        plane: npt.NDArray[Any] = self._volume.read((z, y, x))[0]
        return plane


def size_warning(paint: PaintedLabels, volume: Volume) -> str:
    """Say that labels and image have different voxel sizes; empty when they do not."""
    if paint.voxel_size is None or paint.unit != volume.unit:
        return ""
    if np.allclose(paint.voxel_size, volume.voxel_size, rtol=SAME_SIZE):
        return ""
    ours, theirs = (
        " x ".join(f"{size:g}" for size in sizes)
        for sizes in (volume.voxel_size, paint.voxel_size)
    )
    return (
        f"Voxels of the image are {ours} {volume.unit}, those of the labels {theirs}: "
        "the labels may belong to another image."
    )


def _from_store(folder: Path, classes: Classes) -> PaintedLabels:
    store = LabelStore.open(folder)
    try:
        found = store.labelled()
        names = store.classes if classes is None else _name(classes, found, None)
        return PaintedLabels(found, tuple(names))
    finally:
        store.close()


def _name(
    classes: Classes, found: LabelledVoxels, path: Path | None
) -> tuple[LabelClass, ...]:
    if classes is None and path is not None:
        classes = _beside(path)
    if classes is None:
        highest = int(found.values.max()) if len(found) else 2
        return default_classes(max(2, highest))
    named = tuple(
        each if isinstance(each, LabelClass) else _class(number, str(each))
        for number, each in enumerate(classes, start=1)
    )
    check_names(named)
    return named


def check_names(named: Sequence[LabelClass]) -> None:
    """Refuse classes that cannot be told apart.

    Raises
    ------
    LabelError
        If two have the same name.
    """
    names = [each.name for each in named]
    twice = [name for place, name in enumerate(names) if name in names[:place]]
    if twice:
        raise LabelError(
            f"Two classes have the name {twice[0]!r}.",
            "Give each class a name of its own: scores and objects are told by it.",
        )


def _class(number: int, name: str) -> LabelClass:
    color = PALETTE[(number - 1) % len(PALETTE)]
    return LabelClass.checked(id=number, name=name.strip(), color=color)


def _beside(path: Path) -> tuple[LabelClass, ...] | None:
    """Class names from ``labels.classes.json`` beside ``labels.tif``."""
    file = path.with_name(path.name.split(".")[0] + CLASSES_SUFFIX)
    if not file.exists():
        return None
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
        return tuple(LabelClass.checked(**row) for row in rows)
    except (OSError, ValueError, TypeError, SettingsError) as error:
        raise LabelError(
            f"The class names in {file} cannot be read: {error}.",
            "Mend the file or delete it.",
        ) from error
