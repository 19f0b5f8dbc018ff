"""Taking over labels that were painted elsewhere."""

import contextlib
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_sashiko.errors import LabelError
from napari_sashiko.labels._keys import BLOCK, Box, Shape
from napari_sashiko.labels.classes import LabelClass, default_classes
from napari_sashiko.labels.labelled import check_values

if TYPE_CHECKING:
    from napari_sashiko.labels.store import LabelStore

EDGE = 4 * BLOCK  # of what is copied at once, voxels


def copy_labels(
    store: "LabelStore", array: Any, classes: Sequence[LabelClass] | None
) -> None:
    """Copy ``(Z, Y, X)`` class ids into an empty store, box by box.

    Raises
    ------
    LabelError
        If shapes differ, the store has paint, or a value is no class id.
    OutputError
        If the disk has no room. The store is empty again after an error.
    """
    _check_taker(store, tuple(array.shape))
    try:
        for box in _boxes(store.shape):
            part = np.asarray(array[box])
            if part.any():
                check_values(part)
                store.array[box] = part
        store.set_classes(_classes_for(store.counts(), classes))
        store.flush()
    except BaseException:
        store.erase()
        raise


def remove_files(folder: Path, names: Sequence[str]) -> None:
    """Remove files that nobody needs; one in use stays where the system wants it so."""
    for name in names:
        with contextlib.suppress(OSError):
            (folder / name).unlink(missing_ok=True)


class Raised:
    """An image ``(Y, X)`` as the only slice of a volume.

    Parameters
    ----------
    array : array-like
        Not copied.
    """

    def __init__(self, array: Any) -> None:
        self._array = array
        self.shape = (1, *array.shape)

    def __getitem__(self, key: Box) -> Any:
        """Read a box."""
        return np.asarray(self._array[key[1:]])[None]


def _check_taker(store: "LabelStore", shape: Sequence[int]) -> None:
    if tuple(shape) != store.shape:
        raise LabelError(
            f"The labels have shape {tuple(shape)}, the paint in {store.folder} has "
            f"{store.shape}.",
            "Choose labels that were painted on this image.",
        )
    if any(store.counts().values()):
        raise LabelError(
            f"There is paint in {store.folder} already, which would be lost.",
            "Erase it first.",
        )


def _classes_for(
    counts: dict[int, int], classes: Sequence[LabelClass] | None
) -> Sequence[LabelClass]:
    found = [value for value, count in counts.items() if count]
    if classes is None:
        return default_classes(max([2, *found]))
    unknown = set(found) - {c.id for c in classes}
    if unknown:
        raise LabelError(
            f"Label {min(unknown)} belongs to no class.",
            f"Classes: {', '.join(str(c.id) for c in classes)}.",
        )
    return classes


def _boxes(shape: Shape) -> Iterator[Box]:
    for corner in product(*(range(0, n, EDGE) for n in shape)):
        z, y, x = (
            slice(c, min(c + EDGE, n)) for c, n in zip(corner, shape, strict=True)
        )
        yield z, y, x
